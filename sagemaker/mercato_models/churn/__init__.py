"""Churn: which active household will not come back within 28 days."""

NAME = "churn"
