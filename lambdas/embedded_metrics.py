"""The API's metrics as lines of its log that CloudWatch turns into metrics (embedded metric format).

Prometheus cannot scrape a function; what it would have read is told after each request.
"""

from __future__ import annotations

import json
import time

from lambdas.api.metrics import Metrics

NAMESPACE = "Mercato"
DIMENSION = "Function"
FALLBACKS, EVENTS, FEATURE_AGE = "Fallbacks", "Events", "FeatureAge"


class EmbeddedMetrics:
    """What has changed in an app's metrics since the last line.

    Args:
        function: name of the function, the metrics' only dimension.
    """

    def __init__(self, metrics: Metrics, function: str) -> None:
        self._metrics = metrics
        self._function = function
        self._told = self._totals()

    def line(self) -> str | None:
        """A line for the log, `None` where there is nothing to tell."""
        totals = self._totals()
        values = {
            name: total - self._told[name] for name, total in totals.items() if total != self._told[name]
        }
        self._told = totals
        age = self._metrics.registry.get_sample_value("mercato_api_feature_age_seconds")
        if age:
            values[FEATURE_AGE] = age
            self._metrics.freshness.set(0)
        if not values:
            return None
        metrics = [{"Name": name, "Unit": "Seconds" if name == FEATURE_AGE else "Count"} for name in values]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
        told = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": told, DIMENSION: self._function, **values})

    def _totals(self) -> dict[str, float]:
        counters = {FALLBACKS: self._metrics.fallbacks, EVENTS: self._metrics.events}
        return {
            name: sum(
                sample.value
                for family in counter.collect()
                for sample in family.samples
                if sample.name.endswith("_total")
            )
            for name, counter in counters.items()
        }
