"""Next-basket recommendations: candidates, their features, data sets, metrics and baselines."""

NAME = "recommend"
