"""Clicks from MSK into the sessions of the online store."""
