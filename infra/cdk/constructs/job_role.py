"""What a Glue job in the VPC may do before it may do anything of its own."""

from __future__ import annotations

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from infra.cdk.constructs.exact_role import ExactRole
from infra.cdk.stacks.base import PlaneStack

_LOGS = ("AssociateKmsKey", "CreateLogGroup", "CreateLogStream", "PutLogEvents")
_LOOKING = ("NetworkInterfaces", "SecurityGroups", "Subnets", "VpcAttribute", "VpcEndpoints", "RouteTables")
_INTERFACES = ("CreateNetworkInterface", "CreateTags", "DeleteNetworkInterface")


class JobRole(ExactRole):
    """A role of jobs, with the right to log and to reach the VPC."""

    def __init__(
        self, stack: PlaneStack, construct_id: str, *, description: str, vpc: str, connection: str
    ) -> None:
        """Create a role that reads and writes nothing yet.

        Args:
            stack: whose key encrypts the jobs' logs.
            vpc: ARN of theirs.
            connection: name of Glue's to it.
        """
        super().__init__(
            stack,
            construct_id,
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description=description,
        )
        log_groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        interfaces = [
            stack.format_arn(service="ec2", resource=kind, resource_name="*")
            for kind in ("network-interface", "security-group", "subnet")
        ]
        self.allow("logs", _LOGS, [log_groups])
        self.allow("kms", ("Decrypt", "Encrypt", "GenerateDataKey"), [stack.key.key_arn])
        # What Glue does as the job to reach the VPC; looking around has no resource to name.
        self.allow("ec2", [f"Describe{what}" for what in _LOOKING], ["*"])
        self.allow("ec2", _INTERFACES, interfaces, {"ArnEqualsIfExists": {"ec2:Vpc": vpc}})
        catalogue = stack.format_arn(
            service="glue", resource="catalog", arn_format=ArnFormat.NO_RESOURCE_NAME
        )
        connection_arn = stack.format_arn(service="glue", resource="connection", resource_name=connection)
        self.allow("glue", ("GetConnection",), [catalogue, connection_arn])
        # Under this name Glue counts what a job with `--enable-metrics` does; the action takes no resource.
        counts = {"StringEquals": {"cloudwatch:namespace": "Glue"}}
        self.allow("cloudwatch", ("PutMetricData",), ["*"], counts)
