"""The API's metrics as lines of its log that CloudWatch turns into metrics (embedded metric format).

Prometheus cannot scrape a function; what it would have read is told after each request.
"""

from __future__ import annotations

import json
import time

from lambdas.metrics import Metrics

NAMESPACE = "Mercato"
DIMENSION = "Function"
LISTS, FALLBACKS, EVENTS, REFUSED = "Lists", "Fallbacks", "Events", "RefusedEvents"
LATENCY, FEATURE_AGE = "Latency", "FeatureAge"
_UNITS = {LATENCY: "Milliseconds", FEATURE_AGE: "Seconds"}
#: What adds up: the app's own metric, which of its samples, and by what to multiply.
_TOLD = {
    LISTS: ("mercato_api_lists", "total", 1),
    FALLBACKS: ("mercato_api_fallbacks", "total", 1),
    EVENTS: ("mercato_api_events", "total", 1),
    REFUSED: ("mercato_api_events_refused", "total", 1),
    LATENCY: ("mercato_api_request_seconds", "sum", 1_000),
}


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
        metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
        metadata = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": metadata, DIMENSION: self._function, **values})

    def _totals(self) -> dict[str, float]:
        """So far. A function answers one request at a time: a difference in latency is one request's."""
        families = {family.name: family for family in self._metrics.registry.collect()}
        return {
            name: scale * sum(s.value for s in families[family].samples if s.name == f"{family}_{suffix}")
            for name, (family, suffix, scale) in _TOLD.items()
        }
