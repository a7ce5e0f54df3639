"""Replay: the real year of Complete Journey as Kafka events, with a simulation on top."""
