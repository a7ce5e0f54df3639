"""What CloudWatch reads of the API's metrics."""

from __future__ import annotations

import json

from lambdas.embedded_metrics import EmbeddedMetrics
from lambdas.metrics import Metrics


def test_a_line_tells_what_changed_since_the_last_one() -> None:
    metrics = Metrics()
    told = EmbeddedMetrics(metrics, "mercato-dev-api")
    assert told.line() is None
    metrics.fallbacks.labels("no_model").inc()
    metrics.fallbacks.labels("unknown_household").inc(2)
    metrics.freshness.set(12.5)
    line = json.loads(told.line() or "")
    assert (line["Function"], line["Fallbacks"], line["FeatureAge"]) == ("mercato-dev-api", 3, 12.5)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Mercato"
    # Every metric and dimension that the directive names is a field of the line.
    assert {each["Name"] for each in directive["Metrics"]} | {*directive["Dimensions"][0]} == {*line} - {
        "_aws"
    }
    assert told.line() is None
    metrics.latency.labels("/v1/events").observe(0.25)
    metrics.refused.labels("clickstream.v1").inc()
    line = json.loads(told.line() or "")
    assert (line["Latency"], line["RefusedEvents"]) == (250, 1)
    metrics.events.labels("clickstream.v1").inc()
    assert "Fallbacks" not in json.loads(told.line() or "")
