"""What is worth an alarm: first what shops feel, then what soon will be felt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.cdk.constructs.watched import (
    Watched,
    function,
    metric,
    of_brokers,
    of_domain,
    of_drift,
    of_endpoint,
    of_session_job,
    own,
    waiting,
)
from infra.cdk.sections import Observability

#: Page of the runbooks; an alarm's name is its heading there.
RUNBOOKS = "docs/how-to/watch-production.md"
#: As PagerDuty knows them, the worst first.
Severity = Literal["critical", "error", "warning"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm.

    Attributes:
        name: short, in words with hyphens.
        plane: whose composite alarm it is part of.
        severity: how bad that is.
        means: what it means for people.
        metric: that it looks at.
        threshold: above which it is wrong.
        periods: how many of the metric's periods it must be wrong.
        must_report: a period without a value is wrong, too.
        runbook: heading among the runbooks; its name, unless several alarms share one.
    """

    name: str
    plane: Literal["decisions", "events", "data", "models"]
    severity: Severity
    means: str
    metric: cloudwatch.IMetric
    threshold: float
    periods: int = 1
    must_report: bool = False
    runbook: str = ""

    @property
    def description(self) -> str:
        """Severity first: `lambdas.alerts` reads it there."""
        return f"{self.severity}: {self.means} What to do: {RUNBOOKS}#{self.runbook or self.name}"


def watches(watched: Watched, settings: Observability, account: str) -> Iterator[Watch]:
    """Every alarm of a deployment."""
    yield from _decisions(watched, settings, account)
    yield from _events(watched)
    yield from _data(watched)
    yield from _models(watched)


def undoing(model: str) -> tuple[str, str]:
    """Names of the alarms that undo an update of a model's endpoint."""
    return f"{model}-model-failing", f"{model}-model-slow"


def _decisions(watched: Watched, settings: Observability, account: str) -> Iterator[Watch]:
    """What shops feel at once."""
    yield Watch(
        name="api-errors",
        plane="decisions",
        severity="critical",
        means="More than one request in a hundred fails.",
        metric=_share(watched.http("5xx"), watched.http("Count")),
        threshold=1,
        periods=2,
    )
    yield Watch(
        name="api-slow",
        plane="decisions",
        severity="error",
        means="One request in a hundred takes too long, not counting what callers asked to wait.",
        metric=own(watched.api, "Latency", "p99"),
        threshold=settings.latency_ms,
        periods=3,
    )
    yield Watch(
        name="answers-not-personal",
        plane="decisions",
        severity="error",
        means="More than a fifth of the answers are popular products: the model or the online store is gone.",
        metric=_share(own(watched.api, "Fallbacks", "Sum"), own(watched.api, "Lists", "Sum")),
        threshold=20,
        periods=3,
    )
    yield Watch(
        name="online-store-full",
        plane="decisions",
        severity="warning",
        means="The online store is nearly full and will soon refuse writes.",
        metric=_highest(watched, "DatabaseMemoryUsagePercentage"),
        threshold=80,
        periods=3,
    )
    for model, endpoint in watched.endpoints.items():
        yield from _of_model(model, endpoint, settings)
    if watched.domain:
        yield Watch(
            name="search-red",
            plane="decisions",
            severity="error",
            means="Parts of the catalogue cannot be searched.",
            metric=of_domain(watched, "ClusterStatus.red", account),
            threshold=0,
        )


def _events(watched: Watched) -> Iterator[Watch]:
    """What is on its way in, or should be."""
    yield Watch(
        name="events-refused-by-collector",
        plane="events",
        severity="critical",
        means="The collector refuses events: shops keep them back or lose them.",
        metric=_together(
            function(watched.collector, "Errors"), own(watched.collector, "RefusedEvents", "Sum")
        ),
        threshold=0,
        periods=2,
    )
    yield Watch(
        name="online-updates-failing",
        plane="events",
        severity="error",
        means="Clicks, payments and decisions do not get into the online store; they wait in Kafka.",
        metric=function(watched.updater, "Errors"),
        threshold=0,
        periods=2,
    )
    for queue in watched.queues:
        yield Watch(
            name=f"{queue.split('-', 2)[-1]}-waiting",
            plane="events",
            severity="error",
            means="Events could not be taken in, and wait.",
            metric=waiting(queue),
            threshold=0,
        )
    if watched.pages:
        yield Watch(
            name="observability-failed-waiting",
            plane="events",
            severity="error",
            means="Alarms did not reach PagerDuty, and wait.",
            metric=waiting(watched.pages),
            threshold=0,
        )
    yield Watch(
        name="brokers-failing",
        plane="events",
        severity="error",
        means="Partitions of topics have no leader, or nobody gives them one.",
        metric=_leaderless(watched),
        threshold=0,
        periods=2,
    )


def _data(watched: Watched) -> Iterator[Watch]:
    """What grows old."""
    yield Watch(
        name="jobs-failed",
        plane="data",
        severity="error",
        means="A job failed: tables are as old as its last success.",
        metric=metric("AWS/Events", "MatchedEvents", {"RuleName": watched.failed_jobs}, "Sum"),
        threshold=0,
    )
    yield Watch(
        name="sessions-down",
        plane="data",
        severity="error",
        means="The session job is down and does not come back by itself.",
        metric=of_session_job(watched, "downtime"),
        threshold=180_000,
        periods=2,
        must_report=True,
    )


def _models(watched: Watched) -> Iterator[Watch]:
    """What models learned, and what they are asked."""
    yield Watch(
        name="training-failed",
        plane="models",
        severity="warning",
        means="A training pipeline failed, or its model did not pass: the one before goes on to answer.",
        metric=metric("AWS/Events", "MatchedEvents", {"RuleName": watched.failed_training}, "Sum"),
        threshold=0,
    )
    for model, group in watched.models.items():
        yield Watch(
            name=f"{model}-drifted",
            plane="models",
            severity="warning",
            means=f"What the model {model} is asked or answers is no longer like what it learned from.",
            metric=of_drift(group, "Drifted"),
            threshold=0,
            runbook="model-drifted",
        )


def _of_model(model: str, endpoint: str, settings: Observability) -> Iterator[Watch]:
    failing, slow = undoing(model)
    failures = of_endpoint(endpoint, "Invocation5XXErrors", "Sum")
    yield Watch(
        name=failing,
        plane="decisions",
        severity="error",
        means=f"More than one scoring in a hundred of the model {model} fails.",
        metric=_share(failures, of_endpoint(endpoint, "Invocations", "Sum")),
        threshold=1,
        runbook="model-failing",
    )
    yield Watch(
        name=slow,
        plane="decisions",
        severity="error",
        means=f"The model {model} takes more than half of the time that an answer may take.",
        metric=of_endpoint(endpoint, "ModelLatency", "p99"),
        # Microseconds, as SageMaker counts.
        threshold=settings.latency_ms * 1000 / 2,
        runbook="model-slow",
    )


def _leaderless(watched: Watched) -> cloudwatch.IMetric:
    """Above 0 while brokers fail; Express brokers don't count partitions without a leader."""
    if not watched.express:
        return of_brokers(watched, "OfflinePartitionsCount")
    controllers = of_brokers(watched, "ActiveControllerCount")
    return cloudwatch.MathExpression(
        expression="IF(controllers < 1, 1, 0)",
        using_metrics={"controllers": controllers},
        period=controllers.period,
        label="without a controller",
    )


def _share(part: cloudwatch.Metric, whole: cloudwatch.Metric) -> cloudwatch.MathExpression:
    """Percent of the whole; nothing asked is nothing wrong."""
    return cloudwatch.MathExpression(
        expression="IF(whole > 0, 100 * FILL(part, 0) / whole, 0)",
        using_metrics={"part": part, "whole": whole},
        period=part.period,
        label="%",
    )


def _together(one: cloudwatch.Metric, other: cloudwatch.Metric) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="FILL(one, 0) + FILL(other, 0)",
        using_metrics={"one": one, "other": other},
        period=one.period,
        label="together",
    )


def _highest(watched: Watched, name: str) -> cloudwatch.MathExpression:
    nodes = {f"node{number}": each for number, each in enumerate(watched.store(name))}
    return cloudwatch.MathExpression(expression=f"MAX([{', '.join(nodes)}])", using_metrics=nodes, label=name)
