"""What a person asks before a deploy: what it would cost, and whether it would work."""
