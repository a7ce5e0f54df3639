"""Silver -> gold: one module per output table, each a pure function from DataFrames to a DataFrame."""
