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
    """Glue, EMR Serverless and Airflow.

    Attributes:
        worker_type: of batch jobs.
        workers: of a batch job.
        schedule: when Airflow runs the daily jobs (cron, UTC).
        emr: provision the EMR Serverless application beside Glue.
        emr_max_vcpu: ceiling of its size.
        airflow: provision MWAA; without it, Glue triggers run the jobs on the same schedule.
        airflow_class: size of the MWAA environment.
    """

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    workers: Annotated[int, Field(ge=2, le=100)] = 2
    schedule: str = "0 3 * * *"
    emr: bool = False
    emr_max_vcpu: Annotated[int, Field(ge=4, le=4000)] = 32
    airflow: bool = False
    airflow_class: Literal["mw1.micro", "mw1.small", "mw1.medium", "mw1.large"] = "mw1.small"


class Features(_Section):
    """ElastiCache Serverless for Valkey.

    Attributes:
        max_gib: ceiling of stored data.
        max_ecpu_per_second: ceiling of requests.
        snapshot_days: how many daily snapshots are kept.
    """

    max_gib: Annotated[int, Field(ge=1, le=5000)] = 5
    max_ecpu_per_second: Annotated[int, Field(ge=1000, le=15_000_000)] = 5000
    snapshot_days: Annotated[int, Field(ge=1, le=35)] = 1


class Models(_Section):
    """SageMaker.

    Attributes:
        training_instance: of a training step; runs on spot capacity.
        endpoint_instance: of the scoring endpoint.
        endpoint_min: instances that always run; 0 would make the first request after a pause fail.
        endpoint_max: ceiling of autoscaling.
        capture_percent: share of requests whose input and answer are kept for drift checks.
        mlflow: provision the MLflow app.
    """

    training_instance: Literal["ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge"] = (
        "ml.m5.xlarge"
    )
    endpoint_instance: Literal["ml.t2.medium", "ml.c6i.large", "ml.c6i.xlarge", "ml.c7i.xlarge"] = (
        "ml.t2.medium"
    )
    endpoint_min: Annotated[int, Field(ge=1, le=50)] = 1
    endpoint_max: Annotated[int, Field(ge=1, le=200)] = 2
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 10
    mlflow: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Models:
        if self.endpoint_max < self.endpoint_min:
            raise ValueError(
                f"endpoint_max is {self.endpoint_max}; allowed: endpoint_min, {self.endpoint_min}, or more"
            )
        return self


class Decisions(_Section):
    """The API and what stands before and beside it.

    Attributes:
        memory_mib: of the API's functions.
        provisioned: API instances kept warm.
        requests_per_second: throttle of the whole API.
        burst: requests taken at once above it.
        requests_per_client: per IP address in five minutes, before the firewall blocks it.
        weather_url: feed of the weather poller; empty: no poller.
        competitor_prices_url: feed of the competitor price poller; empty: no poller.
        poll_minutes: how often the feeds are read.
        search: provision the OpenSearch domain.
        search_instance: of a data node.
        search_nodes: how many.
        graph: provision Neptune.
        graph_max_capacity: ceiling of Neptune Serverless, in NCU.
    """

    memory_mib: Annotated[int, Field(ge=512, le=10240)] = 1769
    provisioned: Annotated[int, Field(ge=0, le=1000)] = 0
    requests_per_second: Annotated[int, Field(ge=1, le=10_000)] = 50
    burst: Annotated[int, Field(ge=1, le=20_000)] = 100
    requests_per_client: Annotated[int, Field(ge=10, le=2_000_000_000)] = 2000
    weather_url: str = ""
    competitor_prices_url: str = ""
    poll_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    search: bool = False
    search_instance: Literal["t3.small.search", "m7g.large.search", "r7g.large.search"] = "t3.small.search"
    search_nodes: Annotated[int, Field(ge=1, le=20)] = 1
    graph: bool = False
    graph_max_capacity: Annotated[float, Field(ge=2.5, le=128)] = 2.5


class Observability(_Section):
    """Who hears of trouble, and what is kept.

    Attributes:
        email: address told of alarms and of the budget.
        pagerduty: page through PagerDuty; its routing key goes into a secret.
        log_days: how long logs are kept.
        budget_usd: monthly budget; told at 80 % and at a forecast of 100 %.
        managed_prometheus: provision Managed Prometheus and Grafana.
    """

    email: str = ""
    pagerduty: bool = False
    log_days: LogDays = 30
    budget_usd: Annotated[int, Field(ge=1)] = 500
    managed_prometheus: bool = False


class Delivery(_Section):
    """How this repo deploys itself.

    Attributes:
        github_repository: `owner/name` whose workflow may deploy; empty: no role for GitHub.
        github_branch: the branch that may.
    """

    github_repository: Annotated[str, Field(pattern=r"^$|^[\w.-]+/[\w.-]+$")] = ""
    github_branch: str = "main"


class Config(_Section):
    """Everything that differs between two deployments.

    Attributes:
        name: of the environment; part of every stack's name.
        account: AWS account; the one of the credentials at hand unless given.
        region: AWS region.
        retain: keep stateful resources when their stack is deleted.
        kafka_bootstrap: use this Kafka instead of MSK's address (local deploys).
        redis_url: use this Redis instead of ElastiCache's address (local deploys).
        scorer_url: use this scorer instead of the SageMaker endpoint (local deploys).
    """

    name: str
    account: Annotated[str, Field(pattern=r"^$|^\d{12}$")] = ""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "us-east-1"
    retain: bool = True
    kafka_bootstrap: str = ""
    redis_url: str = ""
    scorer_url: str = ""
    network: Network = Network()
    streaming: Streaming = Streaming()
    lake: Lake = Lake()
    processing: Processing = Processing()
    features: Features = Features()
    models: Models = Models()
    decisions: Decisions = Decisions()
    observability: Observability = Observability()
    delivery: Delivery = Delivery()

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
