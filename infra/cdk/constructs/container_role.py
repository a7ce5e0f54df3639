"""What SageMaker's containers may do, each kind by a role of its own."""

from __future__ import annotations

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from infra.cdk.constructs.exact_role import ExactRole
from infra.cdk.stacks.base import PlaneStack

#: In SageMaker's own registries, one in each region.
_REPOSITORY = "sagemaker-xgboost"
_LOGS = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
_LOOKING = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
_INTERFACES = (
    "CreateNetworkInterface",
    "CreateNetworkInterfacePermission",
    "DeleteNetworkInterface",
    "DeleteNetworkInterfacePermission",
)


class ContainerRole(ExactRole):
    """A role of containers in the VPC, with the right to start, to log and to count."""

    def __init__(
        self,
        stack: PlaneStack,
        construct_id: str,
        *,
        description: str,
        vpc: str,
        bucket: str,
        registry: str,
    ) -> None:
        """Create a role that reads and writes nothing yet.

        Args:
            stack: whose key encrypts all that they use.
            vpc: ARN of theirs.
            bucket: name of the bucket with all that they use.
            registry: account of the region's registry with SageMaker's containers.
        """
        super().__init__(stack, construct_id, assumed_by=_sagemaker(stack), description=description)
        self._plane, self._bucket = stack, bucket
        image = stack.format_arn(
            service="ecr", account=registry, resource="repository", resource_name=_REPOSITORY
        )
        logs = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        counts = {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}
        interfaces = [
            stack.format_arn(service="ec2", resource=kind, resource_name="*")
            for kind in ("network-interface", "security-group", "subnet")
        ]
        pulling = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        self.allow("ecr", pulling, [image])
        self.allow("ecr", ("GetAuthorizationToken",), ["*"])
        self.allow("logs", _LOGS, [logs])
        self.allow("cloudwatch", ("PutMetricData",), ["*"], counts)
        self.allow("ec2", [f"Describe{what}" for what in _LOOKING], ["*"])
        self.allow("ec2", _INTERFACES, interfaces, {"ArnEqualsIfExists": {"ec2:Vpc": vpc}})
        self.allow("kms", ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"), [stack.key.key_arn])
        bucket_arn = stack.format_arn(service="s3", region="", account="", resource=bucket)
        self.allow("s3", ("GetBucketLocation", "ListBucket"), [bucket_arn])

    def reads(self, *folders: str) -> None:
        """Let the containers read folders of the bucket."""
        self.allow("s3", ("GetObject",), [self._objects(folder) for folder in folders])

    def writes(self, *folders: str) -> None:
        """Let the containers write to folders of the bucket."""
        self.allow("s3", ("PutObject",), [self._objects(folder) for folder in folders])

    def _objects(self, folder: str) -> str:
        return self._plane.format_arn(
            service="s3", region="", account="", resource=self._bucket, resource_name=f"{folder}/*"
        )


def _sagemaker(stack: PlaneStack) -> iam.ServicePrincipal:
    """SageMaker, on behalf of nobody but this account."""
    return iam.ServicePrincipal(
        "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
    )
