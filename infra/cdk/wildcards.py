"""Every `*` that a policy holds, each with its reason; one that is not here fails the synthesis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


def wildcards(config: Config) -> Iterator[tuple[str, str, str]]:
    """Path of a construct, what its policy holds, and why that is right.

    Yields:
        Findings as the rule `IAM5` names them: `Resource::ARN` or `Action::NAME`.
    """
    account = config.account or "<AWS::AccountId>"
    name = f"mercato-{config.name}"

    def resource(service: str, what: str) -> str:
        place = ":" if service == "s3" else f"{config.region}:{account}"
        return f"Resource::arn:<AWS::Partition>:{service}:{place}:{what}"

    def bucket(suffix: str) -> str:
        return resource("s3", f"{name}-{suffix}-{account}-{config.region}/*")

    def kafka(kind: str, what: str) -> str:
        return resource("kafka", f"{kind}/{name}-events/*/{what}")

    of_cluster = "MSK adds an id to the cluster's name, which is unique without it"
    for path in (_SESSIONS, _JOBS, *_MODEL_JOBS):
        yield path, "Resource::*", "EC2's Describe actions and counting take no resource"
        yield path, resource("ec2", "network-interface/*"), "The interfaces have no names before they exist"
    for path in (_JOBS, *_MODEL_JOBS):
        for kind in ("security-group", "subnet"):
            yield path, resource("ec2", f"{kind}/*"), "A condition keeps it to the platform's VPC"
        yield path, resource("logs", "log-group:/aws-glue/*"), "Glue names the groups of its jobs"
    for path in (_JOBS, _EMR, *_MODEL_JOBS):
        yield path, bucket("artifacts"), "Each version of the jobs lies in a folder of its own"
    for topic in ("clickstream.v1", "sessions.v1"):
        yield _SESSIONS, kafka("topic", topic), of_cluster
    yield _SESSIONS, kafka("group", "flink-sessions"), of_cluster
    yield _SESSIONS, kafka("transactional-id", "flink-sessions*"), "Flink numbers its transactions"
    for path in (_JOBS, _EMR):
        for spec in contracts().topics:
            yield path, kafka("topic", spec.name), of_cluster
            yield path, kafka("topic", spec.quarantine), of_cluster
        yield path, kafka("group", "spark-kafka-source-*"), "Spark makes up the rest of its groups' names"
        yield path, kafka("group", "mercato-quarantine"), of_cluster
    for path in FUNCTIONS:
        yield f"{path}/Role", "Resource::*", "Lambda's network interfaces and X-Ray's traces have no resource"
    for path in ("decisions/Collector", "intake/Landing", "intake/Pollers"):
        for spec in contracts().topics:
            if not spec.derived:
                yield f"{path}/Role", kafka("topic", spec.name), of_cluster
                yield f"{path}/Role", kafka("topic", spec.quarantine), of_cluster
    yield "decisions/Api/Role", kafka("topic", "payment_decisions.v1"), of_cluster
    for topic in ("payment_outcomes.v1", "price_decisions.v1"):
        yield "decisions/Admin/Role", kafka("topic", topic), of_cluster
    followed = ("clickstream", "payments", "payment_decisions", "payment_outcomes", "price_decisions")
    for topic in (f"{name}.v1" for name in followed):
        yield "intake/Features/Role", kafka("topic", topic), of_cluster
        yield "intake/Features/Role", kafka("topic", f"{topic}.quarantine"), of_cluster
        yield "intake/Features/Role", kafka("group", f"online-{topic}"), of_cluster
    yield "graph/LoaderRole", bucket("gold"), "A table is as many objects as it needs"
    yield "observability/GrafanaRole", "Resource::*", "Metrics and lists of workspaces have no resource"
    yield "schedule/Role", "Resource::*", "Log delivery and X-Ray's traces have no resource"
    yield from _airflow(config, bucket("airflow"), resource)
    yield from _models(config, bucket("models").removesuffix("/*"), resource)
    yield "search/Search/Role", kafka("topic", "products.v1"), of_cluster
    yield "search/Search/Role", kafka("group", "search-products.v1"), of_cluster
    index = resource("es", f"domain/{name}-products/*")
    yield "search/Search/Role", index, "The indices behind the alias have names of their time"
    yield "intake/Landing/Role", bucket("landing"), "Partners choose the names of their files"
    yield from _model_jobs(config, bucket, resource)
    for path in (_JOBS, _EMR):
        for layer in contracts().layers:
            yield path, bucket(layer), "A table is as many objects as it needs"
            database = f"{name}-{layer}".replace("-", "_")
            yield path, resource("glue", f"table/{database}/*"), "The jobs own every table of the lake"
    yield from _delivery(config)
    shipping = "CDK's own grant to the function that copies a deploy's files"
    assets = f"cdk-hnb659fds-assets-{account}-{config.region}/*"
    for path, target in SHIPS.items():
        for action in _SHIP_ACTIONS:
            yield path, f"Action::{action}", shipping
        yield path, bucket(target), shipping
        yield path, resource("s3", assets), shipping


def _delivery(config: Config) -> Iterator[tuple[str, str, str]]:
    path, account = "delivery/Deployer", config.account or "<AWS::AccountId>"
    yield path, "Resource::*", "What the preflight lists and asks of quotas has no resource"
    for region in sorted({config.region, "us-east-1"}):
        public = f"arn:<AWS::Partition>:ssm:{region}::parameter/aws/service/global-infrastructure/*"
        yield path, f"Resource::{public}", "AWS's public list of what regions have"
        stacks = f"arn:<AWS::Partition>:cloudformation:{region}:{account}:stack/mercato-{config.name}-*"
        yield (
            path,
            f"Resource::{stacks}",
            "What the stacks of this environment hold, which the preflight compares",
        )
    roles = f"arn:<AWS::Partition>:iam::{account}:role/aws-service-role/*"
    yield path, f"Resource::{roles}", "Service-linked roles, to see which are there"
    functions = f"arn:<AWS::Partition>:lambda:{config.region}:{account}:function:mercato-{config.name}-*"
    yield path, f"Resource::{functions}", "What the functions of this environment have reserved"
    secrets = f"arn:<AWS::Partition>:secretsmanager:{config.region}:{account}:secret:mercato-{config.name}-*"
    yield path, f"Resource::{secrets}", "Secrets Manager adds letters to a name; values are not read"


def _model_jobs(
    config: Config, bucket: Callable[[str], str], resource: Callable[[str, str], str]
) -> Iterator[tuple[str, str, str]]:
    models = bucket("models").removesuffix("/*")
    for path in _MODEL_JOBS:
        for layer in ("silver", "gold"):
            yield path, bucket(layer), "A table is as many objects as it needs"
    yield _DATASETS, f"{models}/datasets/*", "Each dataset lies in a folder of its own"
    for folder in ("capture", "predictions", "runs"):
        yield _SCORES, f"{models}/{folder}/*", "A run is as many objects as it needs"
    for model in MODELS:
        versions = resource("sagemaker", f"model-package/mercato-{config.name}-{model}/*")
        yield _SCORES, versions, "A model's versions have numbers"


def _airflow(
    config: Config, objects: str, resource: Callable[[str, str], str]
) -> Iterator[tuple[str, str, str]]:
    path, name = "airflow/Role", f"mercato-{config.name}"
    yield path, objects, "Each version of the DAGs lies in a folder of its own"
    yield path, "Resource::*", "What MWAA looks at and counts has no resource"
    yield path, resource("logs", f"log-group:airflow-{name}-airflow-*"), "MWAA names the groups of its parts"
    yield (
        path,
        f"Resource::arn:<AWS::Partition>:sqs:{config.region}:*:airflow-celery-*",
        "The queue is in an account of MWAA's",
    )


def _models(
    config: Config, bucket: str, resource: Callable[[str, str], str]
) -> Iterator[tuple[str, str, str]]:
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
        yield path, resource("logs", "log-group:/aws/sagemaker/*"), "SageMaker names the groups of its jobs"
        yield path, resource("ec2", "network-interface/*"), "The interfaces have no names before they exist"
        for kind in ("security-group", "subnet"):
            yield path, resource("ec2", f"{kind}/*"), "A condition keeps it to the platform's VPC"
        for folder in folders[path]:
            yield path, f"{bucket}/{folder}/*", "A run is as many objects as it needs"
    for kind in ("model", "processing-job", "training-job", "transform-job"):
        yield (
            training,
            resource("sagemaker", f"{kind}/pipelines-*"),
            "A pipeline names what it starts so",
        )
    versions = "A model's versions have numbers"
    for model in MODELS:
        yield training, resource("sagemaker", f"model-package/mercato-{config.name}-{model}/*"), versions
    scaled = resource("application-autoscaling", "scalable-target/*")
    yield deployer, scaled, "A target has an id of the service's; a condition keeps it to endpoints"
    for model in config.models.endpoints:
        name = f"mercato-{config.name}-{model}"
        yield deployer, resource("sagemaker", f"model-package/{name}/*"), versions
        for kind in ("endpoint-config", "model"):
            yield deployer, resource("sagemaker", f"{kind}/{name}-*"), "Each version has one of its own"
        tracking = resource("cloudwatch", f"alarm:TargetTracking-endpoint/{name}/*")
        yield deployer, tracking, "Application Auto Scaling names its alarms"
