"""The Delta lake: sessions, tables, ingest, quarantine and upkeep."""
