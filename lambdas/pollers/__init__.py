"""Feeds from outside into Kafka."""
