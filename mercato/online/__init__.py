"""What is served at request time: feature views in Redis, in Feast's own format."""
