"""The dashboard's panels, from what shops feel down to what causes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.cdk.constructs.watched import (
    NIGHTLY,
    SIGNIFICANT_DRIFT,
    Watched,
    function,
    metric,
    of_brokers,
    of_cluster,
    of_domain,
    of_drift,
    of_endpoint,
    of_session_job,
    own,
    search,
    waiting,
)

_WIDTH, _HEIGHT = 8, 6
_PERCENTILES = ("p50", "p90", "p99")


_Rows = Iterator[Sequence[cloudwatch.IWidget]]


def rows(watched: Watched, account: str) -> _Rows:
    """Rows of the dashboard, each below a heading that says what question it answers."""
    for question, answer in (
        ("Are shops answered?", _shops(watched)),
        ("Do the models answer?", _endpoints(watched)),
        ("Are the models asked what they learned from?", _drift(watched)),
        ("Do events arrive?", _events(watched)),
        ("Is the data fresh?", _jobs(watched)),
        ("What is it made of?", _resources(watched, account)),
    ):
        if found := list(answer):
            yield _heading(question)
            yield from found


def _shops(watched: Watched) -> _Rows:
    yield (
        _graph("Requests", watched.http("Count"), right=[watched.http("4xx"), watched.http("5xx")]),
        _graph("Latency (ms)", *(watched.http("Latency", each) for each in _PERCENTILES)),
        _graph(
            "Latency by route, p99 (ms)",
            search(
                '{AWS/ApiGateway,ApiId,Method,Resource,Stage} MetricName="Latency" '
                f'ApiId="{watched.api_id}"',
                "p99",
                "",
            ),
        ),
    )
    yield (
        _graph("Answers that were not personal", own(watched.api, "Fallbacks", "Sum")),
        _graph("Age of the features (s)", own(watched.api, "FeatureAge", "p90")),
        _graph("Turned away by the firewall", _firewall()),
    )


def _endpoints(watched: Watched) -> _Rows:
    if watched.endpoints:
        yield (
            _graph("Scorings", *_models(watched, "Invocations", "Sum")),
            _graph("Latency (µs)", *_models(watched, "ModelLatency", "p50", "p99")),
            _graph("Failures", *_models(watched, "Invocation5XXErrors", "Sum")),
        )


def _drift(watched: Watched) -> _Rows:
    yield (
        _nightly("How far scores have moved", watched, "ScoreDrift"),
        _nightly("How far inputs have moved", watched, "InputDrift"),
    )


def _events(watched: Watched) -> _Rows:
    yield (
        _graph("Events taken", own(watched.collector, "Events", "Sum")),
        _graph("Refused, by topic (messages/s)", _refused(watched)),
        _graph("Waiting for a person", *map(waiting, filter(None, (*watched.queues, watched.pages)))),
    )
    yield (
        _graph(
            "Behind, by consumer group",
            of_cluster(watched, "SumOffsetLag", "Maximum", by='"Consumer Group",Topic'),
        ),
        _graph("Into the brokers (bytes/s)", of_cluster(watched, "BytesInPerSec", "Average")),
        _kept(watched),
    )


def _jobs(watched: Watched) -> _Rows:
    yield (
        _graph(
            "Jobs and trainings that failed",
            *(
                metric("AWS/Events", "MatchedEvents", {"RuleName": rule}, "Sum")
                for rule in (watched.failed_jobs, watched.failed_training)
            ),
        ),
        _graph(
            "Sessions: down time and checkpoints (ms)",
            of_session_job(watched, "downtime"),
            of_session_job(watched, "lastCheckpointDuration"),
        ),
        _graph("Failed checkpoints", of_session_job(watched, "numberOfFailedCheckpoints")),
    )


def _resources(watched: Watched, account: str) -> _Rows:
    yield (
        _graph("Failed calls of functions", *(function(each, "Errors") for each in _functions(watched))),
        _graph("Throttled", *(function(each, "Throttles") for each in _functions(watched))),
        _graph(
            "At a time", *(function(each, "ConcurrentExecutions", "Maximum") for each in _functions(watched))
        ),
    )
    yield (
        _graph("Online store: CPU (%)", *watched.store("EngineCPUUtilization")),
        _graph("Online store: memory (%)", *watched.store("DatabaseMemoryUsagePercentage")),
        _graph("Online store: hit rate (%)", *watched.store("CacheHitRate", "Average")),
    )
    if watched.domain:
        yield (
            _graph("Search: latency (ms)", of_domain(watched, "SearchLatency", account, "Average")),
            _graph("Search: free disk (MiB)", of_domain(watched, "FreeStorageSpace", account, "Minimum")),
            _graph("Search: memory (%)", of_domain(watched, "JVMMemoryPressure", account)),
        )


def _kept(watched: Watched) -> cloudwatch.GraphWidget:
    """Express brokers have no disks that could be full."""
    if watched.express:
        return _graph("Kept by the brokers (bytes)", of_brokers(watched, "StorageUsed"))
    return _graph("Disk of the brokers (%)", of_cluster(watched, "KafkaDataLogsDiskUsed", "Maximum"))


def _functions(watched: Watched) -> tuple[str, ...]:
    return (watched.api, watched.collector, *watched.others)


def _models(watched: Watched, name: str, *statistics: str) -> Iterator[cloudwatch.IMetric]:
    for endpoint in watched.endpoints.values():
        yield from (of_endpoint(endpoint, name, each) for each in statistics)


def _nightly(title: str, watched: Watched, name: str) -> cloudwatch.GraphWidget:
    """Four weeks, whatever the dashboard shows: in its few hours there is no night."""
    return cloudwatch.GraphWidget(
        title=title,
        width=_WIDTH,
        height=_HEIGHT,
        left=[of_drift(group, name) for group in watched.models.values()],
        left_y_axis=cloudwatch.YAxisProps(min=0),
        left_annotations=[cloudwatch.HorizontalAnnotation(value=SIGNIFICANT_DRIFT, label="alarm")],
        legend_position=cloudwatch.LegendPosition.BOTTOM,
        period=NIGHTLY,
        start="-P28D",
    )


def _firewall() -> cloudwatch.IMetric:
    return search('{AWS/WAFV2,Rule,WebACL} MetricName="BlockedRequests"', "Sum", "")


def _refused(watched: Watched) -> cloudwatch.IMetric:
    pattern = (
        '{AWS/Kafka,"Broker ID","Cluster Name",Topic} MetricName="MessagesInPerSec" '
        f'"Cluster Name"="{watched.cluster}" Topic="quarantine"'
    )
    return search(pattern, "Average", "")


def _heading(text: str) -> Sequence[cloudwatch.IWidget]:
    return (cloudwatch.TextWidget(markdown=f"## {text}", width=3 * _WIDTH, height=1),)


def _graph(
    title: str, *left: cloudwatch.IMetric, right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        width=_WIDTH,
        height=_HEIGHT,
        left=list(left),
        right=list(right),
        left_y_axis=cloudwatch.YAxisProps(min=0),
        legend_position=cloudwatch.LegendPosition.BOTTOM,
    )
