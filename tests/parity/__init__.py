"""The same jobs on Sail and on Spark."""
