"""Approved models to their endpoints."""
