"""Every `*` that a policy holds, each with its reason; one that is not here fails the synthesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.artifacts.models import MODELS
from infra.cdk.config import Config
from infra.cdk.contracts import contracts

_SESSIONS, _JOBS = "streaming/Sessions/Role", "processing/JobRole"
_EMR = "processing/EmrRole"
_DATASETS, _SCORES = _MODEL_JOBS = ("processing/DatasetRole", "processing/ScoreRole")
#: CDK's copying functions, each with the bucket that it copies to.
SHIPS = {
    "features/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB": "artifacts",
    "processing/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB1024MiB": "artifacts",
    "models/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB": "models",
    "airflow/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB": "airflow",
}
#: CDK's functions that empty buckets before they are deleted, where nothing is to be kept.
EMPTIERS = tuple(
    f"{stack}/Custom::S3AutoDeleteObjectsCustomResourceProvider" for stack in ("airflow", "lake", "models")
)
#: What CDK hands to its own copying function.
_SHIP_ACTIONS = (
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
    "s3:Abort*",
    "s3:DeleteObject*",
    "s3:GetBucket*",
    "s3:GetObject*",
    "s3:List*",
)
#: Functions, by the path of their construct.
FUNCTIONS = (
    "decisions/Api",
    "decisions/Collector",
    "decisions/Admin",
    "intake/Landing",
    "intake/Pollers",
    "intake/Features",
    "observability/Alerts",
    "search/Search",
    "models/Deployer",
)
#: What the online features follow.
_FOLLOWED = ("clickstream", "payments", "payment_decisions", "payment_outcomes", "price_decisions")

_OF_CLUSTER = "MSK adds an id to the cluster's name, which is unique without it"
_OF_TABLE = "A table is as many objects as it needs"
_OF_RUN = "A run is as many objects as it needs"
_OF_VERSIONS = "A model's versions have numbers"
_NAMELESS = "The interfaces have no names before they exist"
_WITHIN_VPC = "A condition keeps it to the platform's VPC"

#: Path of a construct, what its policy holds, and why that is right.
_Wildcards = Iterator[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class _Environment:
    """Findings as the rule `IAM5` names them, in one environment."""

    config: Config

    @property
    def account(self) -> str:
        return self.config.account or "<AWS::AccountId>"

    @property
    def name(self) -> str:
        """What its resources' names begin with."""
        return f"mercato-{self.config.name}"

    def resource(self, service: str, what: str, region: str | None = None) -> str:
        place = ":" if service == "s3" else f"{region or self.config.region}:{self.account}"
        return f"Resource::arn:<AWS::Partition>:{service}:{place}:{what}"

    def bucket(self, suffix: str, folder: str = "") -> str:
        return self.resource("s3", f"{self.name}-{suffix}-{self.account}-{self.config.region}/{folder}*")

    def kafka(self, kind: str, what: str) -> str:
        return self.resource("kafka", f"{kind}/{self.name}-events/*/{what}")


def wildcards(config: Config) -> _Wildcards:
    """Path of a construct, what its policy holds, and why that is right.

    Yields:
        Findings as the rule `IAM5` names them: `Resource::ARN` or `Action::NAME`.
    """
    of = _Environment(config)
    for part in (
        _networks,
        _topics,
        _functions,
        _lake,
        _models,
        _model_jobs,
        _operations,
        _delivery,
        _shipping,
    ):
        yield from part(of)


def _networks(of: _Environment) -> _Wildcards:
    """What runs in the VPC without being a function."""
    for path in (_SESSIONS, _JOBS, *_MODEL_JOBS):
        yield path, "Resource::*", "EC2's Describe actions and counting take no resource"
        yield path, of.resource("ec2", "network-interface/*"), _NAMELESS
    for path in (_JOBS, *_MODEL_JOBS):
        for kind in ("security-group", "subnet"):
            yield path, of.resource("ec2", f"{kind}/*"), _WITHIN_VPC
        yield path, of.resource("logs", "log-group:/aws-glue/*"), "Glue names the groups of its jobs"


def _topics(of: _Environment) -> _Wildcards:
    """What jobs read of Kafka and write to it."""
    for topic in ("clickstream.v1", "sessions.v1"):
        yield _SESSIONS, of.kafka("topic", topic), _OF_CLUSTER
    yield _SESSIONS, of.kafka("group", "flink-sessions"), _OF_CLUSTER
    yield _SESSIONS, of.kafka("transactional-id", "flink-sessions*"), "Flink numbers its transactions"
    for path in (_JOBS, _EMR):
        for spec in contracts().topics:
            yield path, of.kafka("topic", spec.name), _OF_CLUSTER
            yield path, of.kafka("topic", spec.quarantine), _OF_CLUSTER
        yield path, of.kafka("group", "spark-kafka-source-*"), "Spark makes up the rest of its groups' names"
        yield path, of.kafka("group", "mercato-quarantine"), _OF_CLUSTER


def _functions(of: _Environment) -> _Wildcards:
    for path in FUNCTIONS:
        yield f"{path}/Role", "Resource::*", "Lambda's network interfaces and X-Ray's traces have no resource"
    for path in ("decisions/Collector", "intake/Landing", "intake/Pollers"):
        for spec in contracts().topics:
            if not spec.derived:
                yield f"{path}/Role", of.kafka("topic", spec.name), _OF_CLUSTER
                yield f"{path}/Role", of.kafka("topic", spec.quarantine), _OF_CLUSTER
    yield "decisions/Api/Role", of.kafka("topic", "payment_decisions.v1"), _OF_CLUSTER
    for topic in ("payment_outcomes.v1", "price_decisions.v1"):
        yield "decisions/Admin/Role", of.kafka("topic", topic), _OF_CLUSTER
    for topic in (f"{name}.v1" for name in _FOLLOWED):
        yield "intake/Features/Role", of.kafka("topic", topic), _OF_CLUSTER
        yield "intake/Features/Role", of.kafka("topic", f"{topic}.quarantine"), _OF_CLUSTER
        yield "intake/Features/Role", of.kafka("group", f"online-{topic}"), _OF_CLUSTER
    yield "intake/Landing/Role", of.bucket("landing"), "Partners choose the names of their files"
    yield "search/Search/Role", of.kafka("topic", "products.v1"), _OF_CLUSTER
    yield "search/Search/Role", of.kafka("group", "search-products.v1"), _OF_CLUSTER
    index = of.resource("es", f"domain/{of.name}-products/*")
    yield "search/Search/Role", index, "The indices behind the alias have names of their time"


def _lake(of: _Environment) -> _Wildcards:
    for path in (_JOBS, _EMR, *_MODEL_JOBS):
        yield path, of.bucket("artifacts"), "Each version of the jobs lies in a folder of its own"
    for path in (_JOBS, _EMR):
        for layer in contracts().layers:
            yield path, of.bucket(layer), _OF_TABLE
            database = f"{of.name}-{layer}".replace("-", "_")
            yield path, of.resource("glue", f"table/{database}/*"), "The jobs own every table of the lake"
    yield "graph/LoaderRole", of.bucket("gold"), _OF_TABLE


def _models(of: _Environment) -> _Wildcards:
    """Trainings, endpoints, and what puts models on these."""
    training, serving, mlflow, deployer = (
        f"models/{name}" for name in ("TrainingRole", "ServingRole", "MlflowRole", "Deployer/Role")
    )
    folders = {
        training: ("datasets", "mlflow", "runs", "source"),
        serving: ("capture", "runs", "source"),
        mlflow: ("mlflow",),
    }
    for path in folders:
        yield path, "Resource::*", "Signing in to ECR, counting, and EC2's Describe actions have no resource"
        yield (
            path,
            of.resource("logs", "log-group:/aws/sagemaker/*"),
            "SageMaker names the groups of its jobs",
        )
        yield path, of.resource("ec2", "network-interface/*"), _NAMELESS
        for kind in ("security-group", "subnet"):
            yield path, of.resource("ec2", f"{kind}/*"), _WITHIN_VPC
        for folder in folders[path]:
            yield path, of.bucket("models", f"{folder}/"), _OF_RUN
    for kind in ("model", "processing-job", "training-job", "transform-job"):
        started = of.resource("sagemaker", f"{kind}/pipelines-*")
        yield training, started, "A pipeline names what it starts so"
    for model in MODELS:
        yield training, of.resource("sagemaker", f"model-package/{of.name}-{model}/*"), _OF_VERSIONS
    scaled = of.resource("application-autoscaling", "scalable-target/*")
    yield deployer, scaled, "A target has an id of the service's; a condition keeps it to endpoints"
    for model in of.config.models.endpoints:
        name = f"{of.name}-{model}"
        yield deployer, of.resource("sagemaker", f"model-package/{name}/*"), _OF_VERSIONS
        for kind in ("endpoint-config", "model"):
            yield deployer, of.resource("sagemaker", f"{kind}/{name}-*"), "Each version has one of its own"
        tracking = of.resource("cloudwatch", f"alarm:TargetTracking-endpoint/{name}/*")
        yield deployer, tracking, "Application Auto Scaling names its alarms"


def _model_jobs(of: _Environment) -> _Wildcards:
    for path in _MODEL_JOBS:
        for layer in ("silver", "gold"):
            yield path, of.bucket(layer), _OF_TABLE
    yield _DATASETS, of.bucket("models", "datasets/"), "Each dataset lies in a folder of its own"
    for folder in ("capture", "predictions", "runs"):
        yield _SCORES, of.bucket("models", f"{folder}/"), _OF_RUN
    for model in MODELS:
        yield _SCORES, of.resource("sagemaker", f"model-package/{of.name}-{model}/*"), _OF_VERSIONS


def _operations(of: _Environment) -> _Wildcards:
    """What starts jobs and looks at them."""
    yield "observability/GrafanaRole", "Resource::*", "Metrics and lists of workspaces have no resource"
    yield "schedule/Role", "Resource::*", "Log delivery and X-Ray's traces have no resource"
    path, groups = "airflow/Role", of.resource("logs", f"log-group:airflow-{of.name}-airflow-*")
    yield path, of.bucket("airflow"), "Each version of the DAGs lies in a folder of its own"
    yield path, "Resource::*", "What MWAA looks at and counts has no resource"
    yield path, groups, "MWAA names the groups of its parts"
    queue = f"Resource::arn:<AWS::Partition>:sqs:{of.config.region}:*:airflow-celery-*"
    yield path, queue, "The queue is in an account of MWAA's"


def _delivery(of: _Environment) -> _Wildcards:
    """Deploys from GitHub, which begin with the preflight."""
    path = "delivery/Deployer"
    yield path, "Resource::*", "What the preflight lists and asks of quotas has no resource"
    for region in sorted({of.config.region, "us-east-1"}):
        public = f"arn:<AWS::Partition>:ssm:{region}::parameter/aws/service/global-infrastructure/*"
        yield path, f"Resource::{public}", "AWS's public list of what regions have"
        stacks = of.resource("cloudformation", f"stack/{of.name}-*", region)
        yield path, stacks, "What the stacks of this environment hold, which the preflight compares"
    roles = f"Resource::arn:<AWS::Partition>:iam::{of.account}:role/aws-service-role/*"
    yield path, roles, "Service-linked roles, to see which are there"
    functions = of.resource("lambda", f"function:{of.name}-*")
    yield path, functions, "What the functions of this environment have reserved"
    secrets = of.resource("secretsmanager", f"secret:{of.name}-*")
    yield path, secrets, "Secrets Manager adds letters to a name; values are not read"


def _shipping(of: _Environment) -> _Wildcards:
    why = "CDK's own grant to the function that copies a deploy's files"
    assets = of.resource("s3", f"cdk-hnb659fds-assets-{of.account}-{of.config.region}/*")
    for path, target in SHIPS.items():
        for action in _SHIP_ACTIONS:
            yield path, f"Action::{action}", why
        yield path, of.bucket(target), why
        yield path, assets, why
