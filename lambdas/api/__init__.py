"""The decision API: events in, recommendations out."""
