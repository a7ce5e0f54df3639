"""Table contracts, one module per layer."""
