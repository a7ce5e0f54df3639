"""Feeds that the source lacks, simulated around its real baskets; every event says so."""
