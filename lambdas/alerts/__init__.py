"""Alarms to the people on call."""
