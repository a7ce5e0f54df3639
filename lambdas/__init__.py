"""Deployables: one folder each, thin handlers over `mercato` and `mercato_models`."""
