"""Kafka: topics, and the path from events to online features."""
