"""Events into Kafka, and nothing else: a smaller function with smaller rights than the API's."""
