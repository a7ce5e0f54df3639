"""What is watched, and the metrics by which AWS speaks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from lambdas.deployer.plan import VARIANT

#: The span over which a metric's values are put together.
PERIOD = Duration.minutes(5)
#: The span of what a job tells once a night.
NIGHTLY = Duration.days(1)
#: Of this platform's own metrics, and the drift above which a model is to be looked at; as they are in
#: `lambdas.embedded_metrics` and `mercato_models.drift.comparison`, whose libraries are missing here.
NAMESPACE, SIGNIFICANT_DRIFT = "Mercato", 0.25


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Names of what a deployment is made of.

    Attributes:
        api_id: of the HTTP API.
        api: function that decides.
        collector: function that takes events.
        updater: function that brings events into the online store.
        others: the other functions.
        cluster: of MSK.
        express: its brokers are Express ones, which count other things.
        session_job: Flink application.
        cache_nodes: of the online store.
        endpoints: of SageMaker, by the model that answers there once a version has been approved.
        models: groups of their versions, under whose names the nightly job tells of each.
        domain: of OpenSearch; empty without one.
        queues: that hold what functions could not take in.
        pages: queue of the alarms that PagerDuty did not take; empty without it.
        failed_jobs: EventBridge rule that matches a Glue job's failure.
        failed_training: EventBridge rule that matches a training pipeline's failure.
    """

    api_id: str
    api: str
    collector: str
    updater: str
    others: tuple[str, ...]
    cluster: str
    express: bool
    session_job: str
    cache_nodes: tuple[str, ...]
    endpoints: Mapping[str, str]
    models: Mapping[str, str]
    domain: str
    queues: tuple[str, ...]
    pages: str
    failed_jobs: str
    failed_training: str

    def http(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Of the HTTP API, all routes together."""
        return metric("AWS/ApiGateway", name, {"ApiId": self.api_id}, statistic)

    def store(self, name: str, statistic: str = "Maximum") -> list[cloudwatch.IMetric]:
        """Of each node of the online store."""
        return [
            metric("AWS/ElastiCache", name, {"CacheClusterId": node}, statistic) for node in self.cache_nodes
        ]


def metric(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, label: str | None = None
) -> cloudwatch.Metric:
    """One metric over PERIOD."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=PERIOD,
        label=label or " ".join([name, *dimensions.values()][:2]),
    )


def function(name: str, what: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """Of a Lambda function."""
    return metric("AWS/Lambda", what, {"FunctionName": name}, statistic, f"{name} {what}")


def own(name: str, what: str, statistic: str) -> cloudwatch.Metric:
    """What a function tells of itself; see `lambdas.embedded_metrics`."""
    return metric(NAMESPACE, what, {"Function": name}, statistic, what)


def waiting(queue: str) -> cloudwatch.Metric:
    """Events that a queue holds."""
    return metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, "Maximum", queue)


def search(pattern: str, statistic: str, label: str) -> cloudwatch.MathExpression:
    """Every metric that a search finds; an alarm cannot be made of it."""
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{pattern}', '{statistic}', {PERIOD.to_seconds()})",
        label=label,
        period=PERIOD,
        using_metrics={},
    )


def of_brokers(watched: Watched, name: str, label: str | None = None) -> cloudwatch.Metric:
    """Of MSK's cluster as a whole."""
    return metric("AWS/Kafka", name, {"Cluster Name": watched.cluster}, "Maximum", label)


def of_cluster(
    watched: Watched, name: str, statistic: str, *, by: str = "Broker ID"
) -> cloudwatch.MathExpression:
    """A metric of MSK for each broker, or by another dimension."""
    dimensions = f'"{by}","Cluster Name"' if by == "Broker ID" else f'"Cluster Name",{by}'
    pattern = f'{{AWS/Kafka,{dimensions}}} MetricName="{name}" "Cluster Name"="{watched.cluster}"'
    return search(pattern, statistic, "")


def of_endpoint(endpoint: str, name: str, statistic: str) -> cloudwatch.Metric:
    """Of a model's endpoint."""
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT}
    return metric("AWS/SageMaker", name, dimensions, statistic, f"{endpoint} {name} {statistic}")


def of_drift(group: str, name: str) -> cloudwatch.Metric:
    """What the nightly job tells of a model."""
    return metric(NAMESPACE, name, {"Model": group}, "Maximum", group).with_(period=NIGHTLY)


def of_session_job(watched: Watched, name: str, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Of the Flink application."""
    return metric("AWS/KinesisAnalytics", name, {"Application": watched.session_job}, statistic, name)


def of_domain(watched: Watched, name: str, account: str, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Of the search domain."""
    return metric("AWS/ES", name, {"DomainName": watched.domain, "ClientId": account}, statistic, name)
