"""Products from MSK into the product index."""
