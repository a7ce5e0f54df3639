"""What can be configured of each plane: sizes, counts, retention, what is there at all."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from infra.artifacts.models import MODELS

#: What CloudWatch Logs accepts, in days.
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
#: Of the API, without the `mercato/` before them.
Scope = Literal["recommend", "payments", "events", "read", "admin"]
Days = Annotated[int, Field(ge=1, le=3650)]


def _private_block(value: str) -> str:
    try:
        block = ip_network(value)
    except ValueError as error:
        raise ValueError(f"{error}; allowed: a private IPv4 block such as 10.20.0.0/16") from error
    if not isinstance(block, IPv4Network) or not block.is_private or not 16 <= block.prefixlen <= 22:
        raise ValueError("allowed: a private IPv4 block from /16 to /22, such as 10.20.0.0/16")
    return value


def _a_model(value: str) -> str:
    if value not in MODELS:
        raise ValueError(f"allowed: {', '.join(MODELS)}")
    return value


CidrBlock = Annotated[str, AfterValidator(_private_block)]


class Section(BaseModel):
    """Values that nobody changes once they are read; one that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
        broker_type: instance type of a broker, without the `kafka.` or `express.` before it.
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


class Processing(Section):
    """Glue and EMR Serverless.

    Attributes:
        worker_type: of batch jobs.
        workers: of a batch job.
        continuous: copy events to bronze within two minutes, by a job that never ends; otherwise once an
            hour, for a small part of the cost.
        emr: provision the EMR Serverless application beside Glue, and the role `mercato-ENV-emr-jobs` for
            jobs that people start there; nothing of Mercato starts any.
        emr_max_vcpu: ceiling of its size.
    """

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    workers: Annotated[int, Field(ge=2, le=100)] = 2
    continuous: bool = False
    emr: bool = False
    emr_max_vcpu: Annotated[int, Field(ge=4, le=4000)] = 32


class Airflow(Section):
    """Managed Airflow.

    Attributes:
        enabled: have Airflow run the batch jobs; otherwise a state machine does, in the same order.
        environment_class: size of it.
        max_workers: that it may grow to.
        private_page: its page is reached from inside the VPC only.
    """

    enabled: bool = False
    environment_class: Literal["mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge"] = "mw1.small"
    max_workers: Annotated[int, Field(ge=1, le=25)] = 2
    private_page: bool = True


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


class Feed(Section):
    """A feed from outside.

    Attributes:
        url: HTTPS address that answers a JSON array of events.
        minutes: between two looks.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    minutes: Annotated[int, Field(ge=1, le=1440)] = 15


class Intake(Section):
    """What comes from outside beside the shops' own calls.

    Attributes:
        landing_days: how long a file stays in the landing bucket.
        concurrency: files, feeds or batches that one function works on at a time, kept for it alone; 0 for
            no such limit.
        feeds: by name; none are looked at unless given.
    """

    landing_days: Days = 30
    concurrency: Annotated[int, Field(ge=0, le=1000)] = 0
    feeds: dict[Literal["weather", "competitor_prices"], Feed] = {}


class Decisions(Section):
    """The API, who may call it, and how often.

    Attributes:
        memory_mib: of the API's function; its CPU grows with it.
        concurrency: requests that one function answers at a time, kept for it alone; 0 for no such limit.
        requests_per_second: that a route takes from all clients together.
        client_requests_per_5_minutes: that one client may send before it is turned away.
        address_requests_per_5_minutes: that one address may send, with whatever tokens; several clients may
            come from one.
        clients: machines that may call, with their scopes.
        page_urls: where people are sent back to after they signed in; none, if no people sign in.
        edge: put CloudFront and a web application firewall before the API.
        domain: name of the API beside CloudFront's own; it needs `certificate_arn`.
        certificate_arn: of the domain, in us-east-1.
    """

    memory_mib: Annotated[int, Field(ge=512, le=10240)] = 1769
    concurrency: Annotated[int, Field(ge=0, le=1000)] = 0
    requests_per_second: Annotated[int, Field(ge=1, le=10000)] = 100
    client_requests_per_5_minutes: Annotated[int, Field(ge=10, le=2_000_000_000)] = 30_000
    address_requests_per_5_minutes: Annotated[int, Field(ge=10, le=2_000_000_000)] = 300_000
    clients: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")], tuple[Scope, ...]] = {
        "shop": ("recommend", "payments", "events", "read")
    }
    page_urls: tuple[Annotated[str, Field(pattern=r"^(https://|http://localhost)")], ...] = ()
    edge: bool = False
    domain: str = ""
    certificate_arn: Annotated[
        str, Field(pattern=r"^$|^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/.+$")
    ] = ""

    @model_validator(mode="after")
    def _domain_has_certificate(self) -> Decisions:
        if bool(self.domain) != bool(self.certificate_arn):
            raise ValueError("domain and certificate_arn belong together; allowed: both or neither")
        return self


#: Disk that AWS gives to a data node of these types at most.
_SMALL_NODES = {"t3.small": 100, "t3.medium": 200}


class Search(Section):
    """The search domain.

    Attributes:
        enabled: provision it; without it the API has no search.
        instance_type: of a data node.
        instances: data nodes; with two or more, a zone may fail. In two zones as many in each.
        volume_gib: disk of a data node.
        dedicated_masters: three nodes that only keep the cluster together.
    """

    enabled: bool = False
    instance_type: Literal["t3.small", "t3.medium", "m7g.medium", "m7g.large", "r7g.large", "r7g.xlarge"] = (
        "t3.small"
    )
    instances: Annotated[int, Field(ge=1, le=20)] = 1
    volume_gib: Annotated[int, Field(ge=10, le=1000)] = 10
    dedicated_masters: bool = False

    @model_validator(mode="after")
    def _disk_of_type(self) -> Search:
        most = _SMALL_NODES.get(self.instance_type, self.volume_gib)
        if self.volume_gib > most:
            raise ValueError(
                f"volume_gib {self.volume_gib} is more than {self.instance_type} takes; allowed: 10 to {most}"
            )
        return self


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


class Models(Section):
    """Training and serving.

    Attributes:
        endpoints: models that answer at once; a model gets its endpoint when a version of it is approved.
        endpoint_instance: of an endpoint; one of those with which versions are registered.
        min_instances: of an endpoint, always; with two or more a new version gets little traffic first.
        max_instances: that it may grow to.
        requests_per_minute: that one instance should get.
        capture_percent: of requests and answers that are kept; 0 for none.
        capture_days: how long they are kept.
        training_instance: on which models learn, as spot.
        job_instance: on which data is checked, models are judged and rows are scored.
        approved_by_gate: a version that passes its gate answers without a person's word.
        weekly: train every model each week.
        cost_share: what a unit costs, as a share of its usual price; the lake knows no costs.
        demographics: file in gold's bucket with what is known of households, by which models are judged.
        mlflow: keep runs in a serverless MLflow app.
    """

    endpoints: tuple[Annotated[str, AfterValidator(_a_model)], ...] = ("recommend",)
    endpoint_instance: Literal["ml.c5.large", "ml.m5.large", "ml.m5.xlarge"] = "ml.c5.large"
    min_instances: Annotated[int, Field(ge=1, le=50)] = 1
    max_instances: Annotated[int, Field(ge=1, le=100)] = 2
    requests_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 3000
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 10
    capture_days: Days = 30
    training_instance: Literal["ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge"] = "ml.m5.xlarge"
    job_instance: Literal["ml.m5.large", "ml.m5.xlarge"] = "ml.m5.large"
    approved_by_gate: bool = False
    weekly: bool = False
    cost_share: Annotated[float, Field(gt=0, lt=1)] = 0.7
    demographics: Annotated[str, Field(pattern=r"^$|^[\w-][\w./-]*\.(parquet|csv)$")] = ""
    mlflow: bool = False

    @model_validator(mode="after")
    def _grows(self) -> Models:
        if self.max_instances < self.min_instances:
            raise ValueError(
                f"max_instances {self.max_instances} is below min_instances; "
                f"allowed: {self.min_instances} or more"
            )
        return self


class Delivery(Section):
    """Deploys by GitHub's workflows.

    Attributes:
        repository: OWNER/NAME whose workflows may deploy; none, if nothing is deployed from GitHub.
        provider: create GitHub's identity provider; an account can have only one.
    """

    repository: Annotated[str, Field(pattern=r"^$|^[\w.-]+/[\w.-]+$")] = ""
    provider: bool = True


class Engines(Section):
    """Engines that stand beside an emulator of AWS, which has no Kafka and no Valkey to give.

    Attributes:
        kafka_bootstrap: address of a broker without sign-in.
        redis_url: address of a server without a user.
    """

    kafka_bootstrap: str = ""
    redis_url: str = ""


class Observability(Section):
    """What is kept of how it went.

    Attributes:
        log_days: how long logs are kept.
        latency_ms: above which one request in a hundred is an alarm.
        emails: of people who are told of alarms; each must accept by mail.
        pagerduty: tell PagerDuty; put its key into the secret `mercato-ENV-pagerduty`.
        budget_usd: a month; above four fifths of it people are told. 0 for none.
        prometheus: keep the brokers' own metrics in Managed Prometheus.
        grafana: a Managed Grafana workspace; the account needs IAM Identity Center for it.
    """

    log_days: LogDays = 30
    latency_ms: Annotated[int, Field(ge=10, le=10000)] = 500
    emails: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    pagerduty: bool = False
    budget_usd: Annotated[int, Field(ge=0)] = 0
    prometheus: bool = False
    grafana: bool = False
