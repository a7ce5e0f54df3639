"""Files from partners into Kafka."""
