"""Buckets, questions to the lake, the cache, search, the graph."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.rules.processing import streams
from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import NotStatedError, Resource

#: A batch of events becomes a file, its commit and their checkpoints.
_WRITES_PER_BATCH = 4
_STREAM_BATCHES = 730 * 60


def _bucket(resource: Resource, context: Context) -> Iterator[Charge]:
    """The lake's buckets are those beside a Glue database; what is in them is shared equally."""
    resources = context.assembly.resources
    lakes = {each.stack for each in resources if each.type == "AWS::Glue::Database"}
    if resource.stack not in lakes:
        yield Charge(what="objects", price="s3.storage", varying=context.usage.bucket_gb, basis="bucket_gb")
        return
    share = 1 / sum(each.type == resource.type and each.stack in lakes for each in resources)
    yield Charge(
        what="objects",
        price="s3.storage",
        varying=context.usage.lake_gb * share,
        basis="lake_gb, shared equally by the lake's buckets",
    )
    followed = sum(map(streams, resources))
    yield Charge(
        what="writes",
        price="s3.writes",
        varying=followed * _STREAM_BATCHES * _WRITES_PER_BATCH / 1e3 * share,
        basis=f"a batch a minute of {followed} topics, shared equally by the lake's buckets",
    )


def _workgroup(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(
        what="questions",
        price="athena.scanned",
        varying=context.usage.athena_tb * context.share(resource),
        basis="athena_tb",
    )


def _cache_nodes(resource: Resource, context: Context) -> Iterator[Charge]:
    engine = resource.get("Engine")
    if engine != "valkey":
        raise NotStatedError(f"only nodes of valkey have prices, not of {engine}.")
    size = resource.text("CacheNodeType")
    shards = resource.number("NumNodeGroups", default=1)
    nodes = resource.number(
        "NumCacheClusters", default=shards * (resource.number("ReplicasPerNodeGroup", default=0) + 1)
    )
    yield Charge(
        what="nodes", price="cache.valkey-node", size=size, fixed=nodes * HOURS, basis=f"{nodes:g} of {size}"
    )
    days = resource.number("SnapshotRetentionLimit", default=0)
    if days:
        yield Charge(
            what="snapshots",
            price="cache.snapshot",
            varying=context.usage.cache_gb * days,
            basis=f"cache_gb, {days:g} days of it",
        )


def _search(resource: Resource, context: Context) -> Iterator[Charge]:
    size = resource.text("ClusterConfig", "InstanceType")
    nodes = resource.number("ClusterConfig", "InstanceCount", default=1)
    yield Charge(
        what="data nodes",
        price="opensearch.node",
        size=size,
        fixed=nodes * HOURS,
        basis=f"{nodes:g} of {size}",
    )
    if resource.get("ClusterConfig", "DedicatedMasterEnabled", default=False):
        master = resource.text("ClusterConfig", "DedicatedMasterType")
        masters = resource.number("ClusterConfig", "DedicatedMasterCount", default=3)
        yield Charge(
            what="master nodes",
            price="opensearch.node",
            size=master,
            fixed=masters * HOURS,
            basis=f"{masters:g} of {master}",
        )
    if resource.get("EBSOptions", "EBSEnabled", default=False):
        volume = resource.number("EBSOptions", "VolumeSize", default=10)
        yield Charge(
            what="volumes",
            price="opensearch.volume",
            size=resource.get("EBSOptions", "VolumeType", default="gp2"),
            fixed=nodes * volume,
            basis=f"{nodes:g} of {volume:g} GB",
        )


def _graph(resource: Resource, context: Context) -> Iterator[Charge]:
    share = context.share(resource)
    yield Charge(
        what="graph", price="neptune.storage", varying=context.usage.graph_gb * share, basis="graph_gb"
    )
    yield Charge(
        what="storage requests",
        price="neptune.requests",
        varying=context.usage.graph_requests / 1e6 * share,
        basis="graph_requests",
    )


def _graph_instance(resource: Resource, context: Context) -> Iterator[Charge]:
    size = resource.text("DBInstanceClass")
    if size != "db.serverless":
        yield Charge(
            what="instances", price="neptune.instance", size=size, fixed=HOURS, basis=f"{size}, always on"
        )
        return
    cluster = context.assembly.referred(resource, "DBClusterIdentifier")
    least = cluster.number("ServerlessScalingConfiguration", "MinCapacity")
    yield Charge(
        what="capacity units",
        price="neptune.ncu",
        fixed=least * HOURS,
        varying=max(context.usage.graph_ncus - least, 0) * HOURS,
        basis=f"graph_ncus, at least {least:g}",
    )


RULES = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::ElastiCache::ReplicationGroup": _cache_nodes,
    "AWS::OpenSearchService::Domain": _search,
    "AWS::Neptune::DBCluster": _graph,
    "AWS::Neptune::DBInstance": _graph_instance,
}
