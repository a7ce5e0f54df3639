"""Functions and the gateways before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.rules.observability import logs
from mercato.cloud.cost.usage import SECONDS, Usage
from mercato.cloud.template import NotStatedError, Resource

_BATCHES = (lambda usage: usage.events / usage.event_batch, "events_per_second in batches of event_batch")
#: Calls a month of a function, and how they came about, by the artifact that it runs.
CALLS: Mapping[str, tuple[Callable[[Usage], float], str]] = {
    "function-api": (lambda usage: usage.decisions, "decisions"),
    "function-collector": _BATCHES,
    "function-features": _BATCHES,
}
_OTHER = (lambda usage: usage.other_calls, "other_calls")
#: The one function that has a time and a log of its own.
_API = "function-api"
#: Metrics that functions tell in their log (lambdas/embedded_metrics.py).
TELLING: Mapping[str, tuple[str, ...]] = {
    _API: ("Lists", "Fallbacks", "Latency", "FeatureAge"),
    "function-collector": ("Events", "RefusedEvents", "Latency"),
    "function-admin": ("Latency",),
}
#: What HTTP APIs count of each route: requests, two kinds of errors, bytes, two kinds of latency.
_OF_ROUTE = 6
_ROUTE = "AWS::ApiGatewayV2::Route"
_MIN_MB = 128
_CDN = "AWS::CloudFront::Distribution"
_REQUESTS = "decisions, and events_per_second in batches of event_batch"


def _gigabytes(function: Resource) -> float:
    return function.number("MemorySize", default=_MIN_MB) / 1024


def _function(resource: Resource, context: Context) -> Iterator[Charge]:
    if not resource.artifacts:
        # CDK's own helpers: they run while something is deployed.
        return
    calls, basis = next((CALLS[each] for each in resource.artifacts if each in CALLS), _OTHER)
    called, gigabytes = calls(context.usage), _gigabytes(resource)
    time = "api_ms" if _API in resource.artifacts else "function_ms"
    yield Charge(what="function calls", price="lambda.requests", varying=called / 1e6, basis=basis)
    yield Charge(
        what="function time",
        price="lambda.compute",
        size=resource.get("Architectures", default=["x86_64"])[0],
        varying=called * getattr(context.usage, time) / 1e3 * gigabytes,
        basis=f"{basis}, {time} each, with {gigabytes:g} GB",
    )
    if _API in resource.artifacts:
        group = context.assembly.referred(resource, "LoggingConfig", "LogGroup")
        yield from logs(group, varying=context.usage.request_log_gb, basis="decisions * request_log_bytes")
    if told := sum(len(TELLING.get(each, ())) for each in resource.artifacts):
        yield Charge(
            what="metrics of its own",
            price="cloudwatch.metric",
            varying=told,
            basis=f"{told} in its log, told when it is called",
        )
    if resource.get("TracingConfig", "Mode") == "Active":
        yield Charge(
            what="traces", price="xray.traces", varying=_traced(called) / 1e6, basis=f"{basis}, sampled"
        )


def _traced(calls: float) -> float:
    """Calls that X-Ray's own sampling records: one a second, and a twentieth of the others."""
    return min(calls, SECONDS) + max(calls - SECONDS, 0) / 20


def _event_source(resource: Resource, context: Context) -> Iterator[Charge]:
    """Pollers cost nothing unless some are kept ready."""
    if resource.get("ProvisionedPollerConfig"):
        raise NotStatedError("there is no price for provisioned pollers.")
    yield from ()


def _gateway(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(
        what="requests",
        price="api.http",
        varying=context.usage.api_requests / 1e6 * context.share(resource),
        basis=_REQUESTS,
    )
    if not context.assembly.counts[_CDN]:
        yield Charge(
            what="answers to the internet",
            price="transfer.internet",
            varying=context.usage.answer_gb * context.share(resource),
            basis="decisions * answer_bytes",
        )


def _stage(resource: Resource, context: Context) -> Iterator[Charge]:
    """Free but for metrics by route, which are billed as custom ones once a route is asked."""
    if resource.get("DefaultRouteSettings", "DetailedMetricsEnabled"):
        every = context.assembly.resources
        routes = sum((each.stack, each.type) == (resource.stack, _ROUTE) for each in every)
        yield Charge(
            what="metrics by route",
            price="cloudwatch.metric",
            varying=_OF_ROUTE * routes,
            basis=f"{_OF_ROUTE} of each of {routes} routes",
        )


def _distribution(resource: Resource, context: Context) -> Iterator[Charge]:
    """What comes from AWS to CloudFront is free; what leaves it is not."""
    yield Charge(
        what="requests",
        price="cdn.requests",
        varying=context.usage.api_requests / 1e4 * context.share(resource),
        basis=_REQUESTS,
    )
    yield Charge(
        what="answers to the internet",
        price="cdn.transfer",
        varying=context.usage.answer_gb * context.share(resource),
        basis="decisions * answer_bytes",
    )


RULES = {
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::EventSourceMapping": _event_source,
    "AWS::ApiGatewayV2::Api": _gateway,
    "AWS::ApiGatewayV2::Stage": _stage,
    _CDN: _distribution,
}
