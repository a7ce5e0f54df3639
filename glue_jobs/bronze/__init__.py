"""Kafka -> bronze on Spark Structured Streaming: the counterpart of mercato.lake.ingest for AWS."""
