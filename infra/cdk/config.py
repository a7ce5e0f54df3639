"""One typed configuration per environment, read from `infra/cdk/environments/NAME.toml`.

Whatever a retailer may want to change is here; what must never differ (encryption, private subnets,
TLS) is not. `dev` holds the defaults: the cheapest thing that works.
"""

from __future__ import annotations

import os
import tomllib
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mercato.errors import MercatoError

FOLDER = Path(__file__).parent / "environments"

#: What CloudWatch Logs accepts, in days.
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
_EXPRESS_ZONES = 3
Days = Annotated[int, Field(ge=1, le=3650)]


class ConfigError(MercatoError):
    """A configuration names something that cannot be deployed."""


def _private_block(value: str) -> str:
    try:
        block = ip_network(value)
    except ValueError as error:
        raise ValueError(f"{error}; allowed: a private IPv4 block such as 10.20.0.0/16") from error
    if not isinstance(block, IPv4Network) or not block.is_private or not 16 <= block.prefixlen <= 22:
        raise ValueError("allowed: a private IPv4 block from /16 to /22, such as 10.20.0.0/16")
    return value


CidrBlock = Annotated[str, AfterValidator(_private_block)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Network(_Section):
    """The VPC.

    Attributes:
        cidr: its address block.
        peers: blocks it will be connected to, with which it must not overlap.
        availability_zones: two or three.
        nat_gateways: 0 closes the way out: pollers then need a feed inside the VPC.
    """

    cidr: CidrBlock = "10.20.0.0/16"
    peers: tuple[CidrBlock, ...] = ()
    availability_zones: Annotated[tuple[str, ...], Field(min_length=2, max_length=3)] = (
        "us-east-1a",
        "us-east-1b",
    )
    nat_gateways: Annotated[int, Field(ge=0, le=3)] = 1

    @model_validator(mode="after")
    def _disjoint(self) -> Network:
        for peer in self.peers:
            if ip_network(self.cidr).overlaps(ip_network(peer)):
                raise ValueError(f"cidr {self.cidr} overlaps with peer {peer}; allowed: disjoint blocks")
        return self


class Streaming(_Section):
    """MSK and Managed Flink.

    Attributes:
        kind: `provisioned` brokers have disks of their own, `express` ones grow and fail over by themselves.
        kafka_version: as MSK offers it.
        broker_type: instance type of a broker, without the `kafka.` or `express.` before it.
        brokers_per_zone: how many brokers in each availability zone.
        volume_gib: disk of a provisioned broker; express grows by itself.
        retention_hours: how long a topic keeps events that are not compacted.
        flink_parallelism: slots of the session job.
    """

    kind: Literal["provisioned", "express"] = "provisioned"
    kafka_version: Literal["3.9.x.kraft", "3.8.x.kraft"] = "3.9.x.kraft"
    broker_type: Literal["t3.small", "m7g.large", "m7g.xlarge", "m7g.2xlarge", "m7g.4xlarge"] = "t3.small"
    brokers_per_zone: Annotated[int, Field(ge=1, le=10)] = 1
    volume_gib: Annotated[int, Field(ge=10, le=16384)] = 50
    retention_hours: Annotated[int, Field(ge=1, le=8760)] = 168
    flink_parallelism: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _express_sizes(self) -> Streaming:
        if self.kind == "express" and self.broker_type == "t3.small":
            raise ValueError("broker_type t3.small is not offered with kind express; allowed: m7g.*")
        return self


class Lake(_Section):
    """Buckets and catalogue.

    Attributes:
        noncurrent_days: how long an overwritten or deleted object can be got back.
        bronze_archive_days: age at which raw records move to a cheaper storage class.
        athena_scan_gib: most that one query may read.
    """

    noncurrent_days: Days = 7
    bronze_archive_days: Annotated[int, Field(ge=30, le=3650)] = 90
    athena_scan_gib: Annotated[int, Field(ge=1, le=10240)] = 10


class Processing(_Section):
    """Glue and EMR Serverless.

    Attributes:
        worker_type: of batch jobs.
        workers: of a batch job.
        emr: provision the EMR Serverless application beside Glue.
        emr_max_vcpu: ceiling of its size.
    """

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    workers: Annotated[int, Field(ge=2, le=100)] = 2
    emr: bool = False
    emr_max_vcpu: Annotated[int, Field(ge=4, le=4000)] = 32


class Observability(_Section):
    """What is kept of how it went.

    Attributes:
        log_days: how long logs are kept.
    """

    log_days: LogDays = 30


class Config(_Section):
    """Everything that differs between two deployments.

    Attributes:
        name: of the environment; part of every stack's name.
        account: AWS account; the one of the credentials at hand unless given.
        region: AWS region.
        retain: keep stateful resources when their stack is deleted.
    """

    name: str
    account: Annotated[str, Field(pattern=r"^$|^\d{12}$")] = ""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "us-east-1"
    retain: bool = True
    network: Network = Network()
    streaming: Streaming = Streaming()
    lake: Lake = Lake()
    processing: Processing = Processing()
    observability: Observability = Observability()

    @model_validator(mode="after")
    def _zones_of_region(self) -> Config:
        for zone in self.network.availability_zones:
            if not zone.startswith(self.region):
                raise ValueError(
                    f"network.availability_zones has {zone}; "
                    f"allowed: zones of {self.region}, such as {self.region}a"
                )
        if self.streaming.kind == "express" and len(self.network.availability_zones) < _EXPRESS_ZONES:
            raise ValueError(
                "streaming.kind express keeps three copies of every event; "
                f"allowed: network.availability_zones with {_EXPRESS_ZONES} zones"
            )
        return self


def environments() -> list[str]:
    """Names that `load` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Config:
    """The configuration of an environment.

    Raises:
        ConfigError: there is none of that name, or a value is not allowed; one line names the key,
            the value and what is allowed.
    """
    if name not in environments():
        raise ConfigError(f"env = {name!r} is unknown; allowed: {', '.join(environments())}.")
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    account = values.get("account") or os.environ.get("CDK_DEFAULT_ACCOUNT", "")
    return parse({"account": account, **values, "name": name}, f"{name}.toml")


def parse(values: dict[str, object], origin: str) -> Config:
    """Check the values of one environment.

    Raises:
        ConfigError: see `load`.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or origin
        message = first["msg"].removeprefix("Value error, ")
        given = first["input"] if isinstance(first["input"], str | int | float | bool) else ""
        raise ConfigError(
            f"{origin}: {key} = {given!r}: {message}." if given != "" else f"{origin}: {key}: {message}."
        ) from error
