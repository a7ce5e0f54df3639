"""What everything stands on: the network, Kafka, the lake, the stores."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.cdk.sections.base import Days, Section


def _private_block(value: str) -> str:
    try:
        block = ip_network(value)
    except ValueError as error:
        raise ValueError(f"{error}; allowed: a private IPv4 block such as 10.20.0.0/16") from error
    if not isinstance(block, IPv4Network) or not block.is_private or not 16 <= block.prefixlen <= 22:
        raise ValueError("allowed: a private IPv4 block from /16 to /22, such as 10.20.0.0/16")
    return value


CidrBlock = Annotated[str, AfterValidator(_private_block)]


class Network(Section):
    """The VPC.

    Attributes:
        cidr: its address block.
        peers: blocks it will be connected to, with which it must not overlap.
        availability_zones: two or three.
        nat_gateways: the way to feeds and to services that have no endpoint in the VPC; one for each zone
            keeps it open when a zone fails.
        interface_endpoints: reach the services that are called most without leaving the VPC, for the price of
            an endpoint for each service in each zone.
    """

    cidr: CidrBlock = "10.20.0.0/16"
    peers: tuple[CidrBlock, ...] = ()
    availability_zones: Annotated[tuple[str, ...], Field(min_length=2, max_length=3)] = (
        "us-east-1a",
        "us-east-1b",
    )
    nat_gateways: Annotated[int, Field(ge=0, le=3)] = 1
    interface_endpoints: bool = False

    @model_validator(mode="after")
    def _reachable(self) -> Network:
        for peer in self.peers:
            if ip_network(self.cidr).overlaps(ip_network(peer)):
                raise ValueError(f"cidr {self.cidr} overlaps with peer {peer}; allowed: disjoint blocks")
        if not self.nat_gateways:
            raise ValueError(
                "nat_gateways 0 leaves no way to services without an endpoint in the VPC, "
                "such as SQS and SageMaker; allowed: 1 to 3"
            )
        return self


class Streaming(Section):
    """MSK and Managed Flink.

    Attributes:
        kind: `provisioned` brokers have disks of their own, `express` ones grow and fail over by themselves.
        kafka_version: as MSK offers it.
        broker_type: instance type of a broker, without the `kafka.` or `express.` before it. A t3.small takes
            four new connections a second of those who sign in with IAM, an m7g.large a hundred: a t3.small is
            for trying things out.
        brokers_per_zone: how many brokers in each availability zone.
        volume_gib: disk of a provisioned broker; express grows by itself.
        monitoring: metrics that brokers tell; each is paid for, and the dashboard shows refused events only
            from PER_TOPIC_PER_BROKER on.
        retention_hours: how long a topic keeps events that are not compacted.
        flink_parallelism: slots of the session job.
    """

    kind: Literal["provisioned", "express"] = "provisioned"
    kafka_version: Literal["3.9.x.kraft", "3.8.x.kraft"] = "3.9.x.kraft"
    broker_type: Literal["t3.small", "m7g.large", "m7g.xlarge", "m7g.2xlarge", "m7g.4xlarge"] = "t3.small"
    brokers_per_zone: Annotated[int, Field(ge=1, le=10)] = 1
    volume_gib: Annotated[int, Field(ge=10, le=16384)] = 50
    monitoring: Literal["DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER"] = "DEFAULT"
    retention_hours: Annotated[int, Field(ge=1, le=8760)] = 168
    flink_parallelism: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _express_sizes(self) -> Streaming:
        if self.kind == "express" and self.broker_type == "t3.small":
            raise ValueError("broker_type t3.small is not offered with kind express; allowed: m7g.*")
        return self


class Lake(Section):
    """Buckets and catalogue.

    Attributes:
        noncurrent_days: how long an overwritten or deleted object can be got back.
        bronze_archive_days: age at which raw records move to a cheaper storage class.
        athena_scan_gib: most that one query may read.
    """

    noncurrent_days: Days = 7
    bronze_archive_days: Annotated[int, Field(ge=30, le=3650)] = 90
    athena_scan_gib: Annotated[int, Field(ge=1, le=10240)] = 10


class Features(Section):
    """The online store.

    Attributes:
        valkey_version: as ElastiCache offers it.
        node_type: of every node.
        replicas: nodes beside the primary one; with any, a zone may fail.
        snapshot_days: how long daily snapshots are kept; 0 for none.
    """

    valkey_version: Literal["8.0", "8.1"] = "8.1"
    node_type: Literal["t4g.micro", "t4g.small", "t4g.medium", "r7g.large", "r7g.xlarge", "r7g.2xlarge"] = (
        "t4g.micro"
    )
    replicas: Annotated[int, Field(ge=0, le=5)] = 0
    snapshot_days: Annotated[int, Field(ge=0, le=35)] = 1


class Graph(Section):
    """The graph database.

    Attributes:
        enabled: provision it; nothing of Mercato asks it yet.
        min_units: Neptune capacity units that it never goes below; it is paid for them while idle.
        max_units: that it may grow to.
        replicas: instances beside the writer.
        backup_days: how long daily backups are kept.
    """

    enabled: bool = False
    min_units: Annotated[float, Field(ge=1, le=128)] = 1
    max_units: Annotated[float, Field(ge=2.5, le=128)] = 2.5
    replicas: Annotated[int, Field(ge=0, le=15)] = 0
    backup_days: Annotated[int, Field(ge=1, le=35)] = 15
