"""A Lambda function from an artifact: Python 3.13, in the VPC, with a role of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.constructs.shipped import runs, shipped
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.network import NetworkStack

RUNTIME = "python3.13"

#: Rights that AWS knows no resource for; `wildcards` lists them.
_VPC = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_TRACES = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


class Function(Construct):
    """One function.

    Attributes:
        function_name: physical name.
        arn: of the function.
        role: what it may do.
    """

    def __init__(
        self,
        stack: PlaneStack,
        name: str,
        *,
        network: NetworkStack,
        environment: Mapping[str, str],
        memory_mib: int,
        timeout_seconds: int,
        concurrency: int,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        """Create the function whose artifact is `function-NAME` and whose code is `lambdas.NAME.handler`.

        Args:
            environment: variables.
            concurrency: executions at a time, kept for it alone; 0 for no limit of its own.
            dead_letters: takes the events of a function that nobody waits for, when all tries failed.
        """
        super().__init__(stack, name.title())
        self.function_name = stack.name(name)
        self._logs = stack.log_group(f"{name.title()}Logs", f"/aws/lambda/{self.function_name}")
        self.role = self._role(stack, name, dead_letters)
        bundle = shipped(stack, f"function-{name}")
        created = lambda_.CfnFunction(
            self,
            "Function",
            function_name=self.function_name,
            runtime=RUNTIME,
            architectures=["x86_64"],
            handler=f"lambdas.{name}.handler.handler",
            code=lambda_.CfnFunction.CodeProperty(
                s3_bucket=bundle.s3_bucket_name, s3_key=bundle.s3_object_key
            ),
            role=self.role.role_arn,
            memory_size=memory_mib,
            timeout=timeout_seconds,
            reserved_concurrent_executions=concurrency or None,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=dict(environment)),
            kms_key_arn=stack.key.key_arn,
            tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_format="JSON", log_group=self._logs.log_group_name
            ),
            vpc_config=lambda_.CfnFunction.VpcConfigProperty(
                security_group_ids=[network.clients.security_group_id], subnet_ids=network.private_subnet_ids
            ),
            dead_letter_config=lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=dead_letters.queue_arn)
            if dead_letters
            else None,
        )
        # Without its rights a function in a VPC cannot be made.
        created.node.add_dependency(self.role)
        runs(created, f"function-{name}")
        self.arn = created.attr_arn

    def allow(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Let the function do exactly this."""
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))

    def invoked_by(self, service: str, source_arn: str, called: str = "") -> None:
        """Let something of an AWS service call the function.

        Args:
            called: tells it from others of the same service.
        """
        lambda_.CfnPermission(
            self,
            f"By-{service}" + (f"-{called}" if called else ""),
            action="lambda:InvokeFunction",
            function_name=self.arn,
            principal=f"{service}.amazonaws.com",
            source_arn=source_arn,
        )

    def _role(self, stack: PlaneStack, name: str, dead_letters: sqs.IQueue | None) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What the function {name} may do",
        )
        role.add_to_policy(iam.PolicyStatement(actions=[*_VPC, *_TRACES], resources=["*"]))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self._logs.log_group_arn],
            )
        )
        # Of its variables and of the queue.
        role.add_to_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[stack.key.key_arn])
        )
        if dead_letters:
            role.add_to_policy(
                iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn])
            )
        return role
