"""Kafka and Flink."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import Resource

#: Running storage that Managed Flink allots to a KPU.
_GB_PER_KPU = 50
#: Monitoring levels of MSK, and the metrics that each but the first, free one adds.
_LEVELS = ("DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION")
_METRICS = ("broker_metrics", "topic_metrics", "partition_metrics")


def _cluster(resource: Resource, context: Context) -> Iterator[Charge]:
    brokers = resource.number("NumberOfBrokerNodes")
    size = resource.text("BrokerNodeGroupInfo", "InstanceType")
    yield Charge(
        what="brokers", price="msk.broker", size=size, fixed=brokers * HOURS, basis=f"{brokers:g} of {size}"
    )
    if size.startswith("express."):
        yield Charge(
            what="events kept",
            price="msk.storage",
            varying=context.usage.kafka_gb,
            basis="events_per_second * event_bytes * kafka_retention_days, one copy billed",
        )
        yield Charge(
            what="events written",
            price="msk.express-written",
            varying=context.usage.event_gb,
            basis="events_per_second * event_bytes",
        )
    else:
        volume = resource.number("BrokerNodeGroupInfo", "StorageInfo", "EBSStorageInfo", "VolumeSize")
        yield Charge(
            what="broker volumes",
            price="msk.storage",
            fixed=brokers * volume,
            basis=f"{brokers:g} volumes of {volume:g} GB",
        )
    yield from _metrics(resource, context, brokers)


def _metrics(resource: Resource, context: Context, brokers: float) -> Iterator[Charge]:
    """Metrics beyond MSK's free level, which CloudWatch bills as custom ones."""
    usage = context.usage
    level = _LEVELS.index(resource.get("EnhancedMonitoring", default="DEFAULT"))
    topics, partitions = _topics(context)
    added = (
        brokers * usage.broker_metrics,
        brokers * topics * usage.topic_metrics,
        partitions * usage.partition_metrics,
    )
    if level:
        yield Charge(
            what="broker metrics",
            price="cloudwatch.metric",
            fixed=sum(added[:level]),
            basis=f"{', '.join(_METRICS[:level])} of {brokers:g} brokers, {topics} topics, "
            f"{partitions:g} partitions",
        )


def _topics(context: Context) -> tuple[int, float]:
    """How many topics there are, and partitions of them."""
    topics = [each for each in context.assembly.resources if each.type == "AWS::MSK::Topic"]
    return len(topics), sum(each.number("PartitionCount") for each in topics)


def _flink(resource: Resource, context: Context) -> Iterator[Charge]:
    parallelism = (
        "ApplicationConfiguration",
        "FlinkApplicationConfiguration",
        "ParallelismConfiguration",
    )
    units = -(
        -resource.number(*parallelism, "Parallelism", default=1)
        // resource.number(*parallelism, "ParallelismPerKPU", default=1)
    )
    yield Charge(
        what="processing units",
        price="flink.kpu",
        fixed=(units + 1) * HOURS,
        basis=f"{units:g} to process and one to orchestrate, always on",
    )
    yield Charge(
        what="running storage",
        price="flink.storage",
        fixed=units * _GB_PER_KPU,
        basis=f"{_GB_PER_KPU} GB a unit",
    )


RULES = {
    "AWS::MSK::Cluster": _cluster,
    "AWS::KinesisAnalyticsV2::Application": _flink,
}
