"""Mercato: an e-commerce decision platform. What several runtimes share."""
