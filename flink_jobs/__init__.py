"""Stream jobs in SQL, the launcher that runs them on Flink, and how one machine starts it."""
