"""Contracts: the one place where topics, tables and their fields are named."""
