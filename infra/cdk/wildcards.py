"""Every `*` that a policy holds, each with its reason; one that is not here fails the synthesis."""

from __future__ import annotations

from collections.abc import Iterator

from infra.cdk.config import Config
from infra.cdk.contracts import contracts

_SESSIONS, _JOBS = "streaming/Sessions/Role", "processing/JobRole"
_SHIP = "processing/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB"
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
    for path in (_SESSIONS, _JOBS):
        yield path, "Resource::*", "EC2's Describe actions take no resource"
        yield path, resource("ec2", "network-interface/*"), "The interfaces have no names before they exist"
    for kind in ("security-group", "subnet"):
        yield _JOBS, resource("ec2", f"{kind}/*"), "A condition keeps it to the platform's VPC"
    for topic in ("clickstream.v1", "sessions.v1"):
        yield _SESSIONS, kafka("topic", topic), of_cluster
    yield _SESSIONS, kafka("group", "flink-sessions"), of_cluster
    yield _SESSIONS, kafka("transactional-id", "flink-sessions*"), "Flink numbers its transactions"
    for spec in contracts().topics:
        yield _JOBS, kafka("topic", spec.name), of_cluster
    yield _JOBS, kafka("group", "spark-kafka-source-*"), "Spark makes up the rest of its groups' names"
    yield _JOBS, resource("logs", "log-group:/aws-glue/*"), "Glue names the groups of its jobs"
    for layer in contracts().layers:
        yield _JOBS, bucket(layer), "A table is as many objects as it needs"
        database = f"{name}-{layer}".replace("-", "_")
        yield _JOBS, resource("glue", f"table/{database}/*"), "The jobs own every table of the lake"
    yield _JOBS, bucket("artifacts"), "Each version of the jobs lies in a folder of its own"
    shipping = "CDK's own grant to the function that copies a deploy's files"
    for action in _SHIP_ACTIONS:
        yield _SHIP, f"Action::{action}", shipping
    yield _SHIP, bucket("artifacts"), shipping
    assets = f"cdk-hnb659fds-assets-{account}-{config.region}/*"
    yield _SHIP, resource("s3", assets), shipping
