"""Batch jobs: pure functions from DataFrames to a DataFrame, and the one launcher that runs them."""
