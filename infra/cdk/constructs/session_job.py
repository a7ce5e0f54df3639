"""The session job on Managed Service for Apache Flink."""

from __future__ import annotations

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisanalyticsv2 as flink
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct, IDependable

from infra.artifacts.flink import SESSIONS_JAR
from infra.cdk.config import Config
from infra.cdk.constructs.shipped import runs, shipped
from infra.cdk.stacks.base import log_group_arn
from infra.cdk.stacks.network import NetworkStack

_ARTIFACT = "flink-sessions"
#: The property group that the job reads.
_PROPERTIES = "mercato"


class SessionJob(Construct):
    """Application, role and log stream.

    Attributes:
        role: what the job may do; the stack that owns the topics grants them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        network: NetworkStack,
        bootstrap: str,
        logs: logs.ILogGroup,
    ) -> None:
        """Create the application.

        Args:
            bootstrap: addresses of the brokers.
            logs: where the job's log goes.
        """
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("kinesisanalytics.amazonaws.com"))
        self._name = f"mercato-{config.name}-sessions"
        jar = shipped(self, _ARTIFACT, SESSIONS_JAR)
        self._version = jar.asset_hash
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[jar.bucket.arn_for_objects(jar.s3_object_key)],
            )
        )
        logs.grant(self.role, "logs:DescribeLogStreams", "logs:PutLogEvents")
        self._grant_network(network)
        self._application = flink.CfnApplication(
            self,
            "Application",
            application_name=self._name,
            application_description="Sessions and abandoned carts from the clicks",
            runtime_environment="FLINK-2_2",
            application_mode="STREAMING",
            service_execution_role=self.role.role_arn,
            application_configuration=_configuration(
                config, network, bootstrap, jar.bucket.bucket_arn, jar.s3_object_key
            ),
        )
        self._application.node.add_dependency(self.role)
        runs(self._application, _ARTIFACT)
        stream = logs.add_stream("SessionsStream")
        # CDK would keep one even of a deploy that failed; it goes with its group.
        stream.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self._logging = flink.CfnApplicationCloudWatchLoggingOption(
            self,
            "Logging",
            application_name=self._application.ref,
            cloud_watch_logging_option=flink.CfnApplicationCloudWatchLoggingOption.CloudWatchLoggingOptionProperty(
                log_stream_arn=f"{log_group_arn(logs)}:log-stream:{stream.log_stream_name}"
            ),
        )

    def start(self, *after: IDependable) -> None:
        """Have a deploy start the job, which a stack only makes; one that runs is left alone.

        Each version of the jar asks anew: Managed Flink restarts with it what runs, and not what has stopped.

        Args:
            after: what the job finds no topic without.
        """
        call = cr.AwsSdkCall(
            service="KinesisAnalyticsV2",
            action="startApplication",
            parameters={
                "ApplicationName": self._name,
                # Without a snapshot it starts with no state.
                "RunConfiguration": {
                    "ApplicationRestoreConfiguration": {
                        "ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"
                    }
                },
            },
            physical_resource_id=cr.PhysicalResourceId.of(f"{self._name}-{self._version}"),
            ignore_error_codes_matching="ResourceInUse",
        )
        arn = Stack.of(self).format_arn(
            service="kinesisanalytics", resource="application", resource_name=self._name
        )
        started = cr.AwsCustomResource(
            self,
            "Start",
            resource_type="Custom::SessionsStarted",
            on_create=call,
            on_update=call,
            install_latest_aws_sdk=False,
            policy=cr.AwsCustomResourcePolicy.from_statements(
                [iam.PolicyStatement(actions=["kinesisanalytics:StartApplication"], resources=[arn])]
            ),
        )
        resource = started.node.find_child("Resource").node.default_child
        assert isinstance(resource, CfnResource)
        # CDK's function doesn't look at it: for whoever reads the stack.
        resource.add_property_override("Application", self._name)
        started.node.add_dependency(self.role, self._application, self._logging, *after)

    def _grant_network(self, network: NetworkStack) -> None:
        """What the service does as the job to reach the VPC; creation has no resource to name."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                resources=["*"],
            )
        )
        stack = Stack.of(self)
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "ec2:CreateNetworkInterface",
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                ],
                resources=[
                    stack.format_arn(service="ec2", resource="network-interface", resource_name="*"),
                    *(
                        stack.format_arn(service="ec2", resource="subnet", resource_name=subnet)
                        for subnet in network.private_subnet_ids
                    ),
                    stack.format_arn(
                        service="ec2",
                        resource="security-group",
                        resource_name=network.clients.security_group_id,
                    ),
                ],
            )
        )


def _configuration(
    config: Config, network: NetworkStack, bootstrap: str, bucket: str, key: str
) -> flink.CfnApplication.ApplicationConfigurationProperty:
    application = flink.CfnApplication
    return application.ApplicationConfigurationProperty(
        application_code_configuration=application.ApplicationCodeConfigurationProperty(
            code_content_type="ZIPFILE",
            code_content=application.CodeContentProperty(
                s3_content_location=application.S3ContentLocationProperty(bucket_arn=bucket, file_key=key)
            ),
        ),
        environment_properties=application.EnvironmentPropertiesProperty(
            property_groups=[
                application.PropertyGroupProperty(
                    property_group_id=_PROPERTIES, property_map={"kafka.bootstrap.servers": bootstrap}
                )
            ]
        ),
        flink_application_configuration=application.FlinkApplicationConfigurationProperty(
            checkpoint_configuration=application.CheckpointConfigurationProperty(
                configuration_type="CUSTOM",
                checkpointing_enabled=True,
                checkpoint_interval=60_000,
                min_pause_between_checkpoints=5_000,
            ),
            monitoring_configuration=application.MonitoringConfigurationProperty(
                configuration_type="CUSTOM", metrics_level="OPERATOR", log_level="INFO"
            ),
            parallelism_configuration=application.ParallelismConfigurationProperty(
                configuration_type="CUSTOM",
                parallelism=config.streaming.flink_parallelism,
                parallelism_per_kpu=1,
                auto_scaling_enabled=True,
            ),
        ),
        application_snapshot_configuration=application.ApplicationSnapshotConfigurationProperty(
            snapshots_enabled=True
        ),
        vpc_configurations=[
            application.VpcConfigurationProperty(
                security_group_ids=[network.clients.security_group_id], subnet_ids=network.private_subnet_ids
            )
        ],
    )
