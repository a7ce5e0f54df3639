"""Decisions: pure functions from features and scores to what a surface shows. No I/O."""
