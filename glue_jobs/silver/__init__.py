"""Bronze -> silver: one job over all topics, because one contract drives them all."""
