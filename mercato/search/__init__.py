"""The catalogue in OpenSearch: how it gets there, and how products are found in it."""
