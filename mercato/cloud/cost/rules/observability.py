"""Logs, alarms, dashboards, Managed Prometheus and Grafana, messages."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.schedule import DAYS
from mercato.cloud.cost.usage import HOURS, SECONDS
from mercato.cloud.template import Resource

#: What is left of a log when CloudWatch keeps it.
_COMPRESSED = 0.15
#: Days of a log that never expires, ten years on.
_FOREVER = 3653
#: Bytes that a sample of a metric takes when it is kept.
_SAMPLE_BYTES = 2
#: As long as Managed Prometheus keeps one.
_SAMPLE_DAYS = 150
#: Alarms, and messages that failed.
_MESSAGES = 10_000


def logs(group: Resource, *, fixed: float = 0.0, varying: float = 0.0, basis: str) -> Iterator[Charge]:
    """Gigabytes a month that go to a log group, written once and kept as long as it says."""
    days = group.number("RetentionInDays", default=_FOREVER)
    gb_months = _COMPRESSED * days / DAYS
    yield Charge(
        what="logs written", price="cloudwatch.logs-written", fixed=fixed, varying=varying, basis=basis
    )
    yield Charge(
        what="logs kept",
        price="cloudwatch.logs-kept",
        fixed=fixed * gb_months,
        varying=varying * gb_months,
        basis=f"{basis}: {days:g} days of it, compressed",
    )


def _log_group(resource: Resource, context: Context) -> Iterator[Charge]:
    yield from logs(resource, fixed=context.usage.group_log_gb, basis="group_log_gb")


def _alarm(resource: Resource, context: Context) -> Iterator[Charge]:
    metrics = resource.get("Metrics", default=())
    read = sum("MetricStat" in each for each in metrics) or 1
    yield Charge(what="alarms", price="cloudwatch.alarm", fixed=read, basis=f"{read} metrics")


def _composite_alarm(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="composite alarms", price="cloudwatch.composite-alarm", fixed=1, basis="always on")


def _dashboard(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="dashboards", price="cloudwatch.dashboard", fixed=1, basis="always kept")


def _prometheus(resource: Resource, context: Context) -> Iterator[Charge]:
    samples = context.usage.samples_per_second * SECONDS * context.share(resource)
    yield Charge(
        what="samples", price="prometheus.samples", fixed=samples / 1e7, basis="samples_per_second, always on"
    )
    yield Charge(
        what="samples kept",
        price="prometheus.storage",
        fixed=samples * _SAMPLE_BYTES / 1e9 * _SAMPLE_DAYS / DAYS,
        basis=f"{_SAMPLE_DAYS} days of samples_per_second at {_SAMPLE_BYTES} bytes",
    )


def _scraper(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="collector", price="prometheus.collector", fixed=HOURS, basis="always on")
    yield Charge(
        what="samples looked at",
        price="prometheus.collected",
        fixed=context.usage.samples_read_per_second * SECONDS / 1e7,
        basis="samples_read_per_second, always on",
    )


def _grafana(resource: Resource, context: Context) -> Iterator[Charge]:
    for what, people in (
        ("editor", context.usage.grafana_editors),
        ("viewer", context.usage.grafana_viewers),
    ):
        yield Charge(what=f"{what}s", price=f"grafana.{what}", varying=people, basis=f"grafana_{what}s")


def _topic(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(
        what="messages", price="sns.publish", varying=_MESSAGES / 1e6, basis=f"{_MESSAGES:,} messages"
    )


def _queue(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(
        what="requests", price="sqs.requests", varying=_MESSAGES / 1e6, basis=f"{_MESSAGES:,} requests"
    )


RULES = {
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite_alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::APS::Scraper": _scraper,
    "AWS::APS::Workspace": _prometheus,
    "AWS::Grafana::Workspace": _grafana,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
}
