"""The Feast repository: entities, sources, views and services, and what is done with them."""
