"""Prometheus metrics of the API, the collector and the panel."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Of a request's state: seconds for which it was held back because its caller asked for it.
HELD_BACK = "held_back"
_SECONDS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """An app's metrics in a registry of their own, so that two apps in one process don't mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mercato_api_requests", "Requests.", ["method", "route", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "mercato_api_request_seconds",
            "Time to answer, without what a caller asked to wait.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "mercato_api_stage_seconds",
            "Time per stage of a recommendation.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.lists = Counter("mercato_api_lists", "Answers with a list of products.", registry=self.registry)
        self.fallbacks = Counter(
            "mercato_api_fallbacks", "Answers that were not personal.", ["reason"], registry=self.registry
        )
        self.events = Counter(
            "mercato_api_events", "Events taken, by topic.", ["topic"], registry=self.registry
        )
        self.refused = Counter(
            "mercato_api_events_refused",
            "Events that Kafka did not take, by topic.",
            ["topic"],
            registry=self.registry,
        )
        self.payments = Counter(
            "mercato_api_payment_decisions", "Payments decided on.", ["action"], registry=self.registry
        )
        self.freshness = Gauge(
            "mercato_api_feature_age_seconds",
            "Age of the newest feature value in the last personal answer.",
            registry=self.registry,
        )


class MeasureRequests:
    """ASGI middleware that counts and times requests by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and measure."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            metrics: Metrics = scope["app"].state.services.metrics
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.requests.labels(scope["method"], route, str(status)).inc()
            held_back = scope.get("state", {}).get(HELD_BACK, 0.0)
            metrics.latency.labels(route).observe(time.perf_counter() - started - held_back)
