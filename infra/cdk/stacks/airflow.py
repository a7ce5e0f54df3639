"""Managed Airflow with the DAGs of this repo."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_mwaa as mwaa
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from infra.artifacts.catalog import artifact
from infra.cdk.config import Config
from infra.cdk.constructs.bucket import DataBucket
from infra.cdk.constructs.job_rights import start_jobs
from infra.cdk.constructs.shipped import runs
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import NetworkStack

#: As requirements/airflow.txt has it.
VERSION = "3.0.6"
_DAGS = "dags"
#: Groups that MWAA writes its logs to, each with the least that is written.
_LEVELS = {
    "dag_processing_logs": "WARNING",
    "scheduler_logs": "WARNING",
    "task_logs": "INFO",
    "webserver_logs": "WARNING",
    "worker_logs": "WARNING",
}
_LOG_ACTIONS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:GetLogEvents",
    "logs:GetLogGroupFields",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:PutLogEvents",
)
_QUEUE_ACTIONS = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
)
#: These take no resource.
_LOOKING = ("cloudwatch:PutMetricData", "logs:DescribeLogGroups", "s3:GetAccountPublicAccessBlock")


class AirflowStack(PlaneStack):
    """The clock of a platform with Airflow."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        lake: LakeStack,
        pipelines: Sequence[str] = (),
    ) -> None:
        """Create the Airflow of an environment.

        Args:
            pipelines: training pipelines of SageMaker, without the deployment's prefix.
        """
        super().__init__(scope, "airflow", config=config, holds="Airflow, which runs the batch jobs")
        self._lake, self._pipelines = lake, pipelines
        sizes = config.airflow
        bucket = DataBucket(
            self,
            "Bucket",
            bucket_name=lake.bucket_name("airflow"),
            key=self.key,
            access_logs=lake.access_logs,
            noncurrent_days=config.lake.noncurrent_days,
            removal_policy=self.removal_policy,
        )
        role = self._role(bucket)
        folder, shipped = self._ship(bucket)
        level = mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty
        environment = mwaa.CfnEnvironment(
            self,
            "Environment",
            name=self.name("airflow"),
            airflow_version=VERSION,
            environment_class=sizes.environment_class,
            max_workers=sizes.max_workers,
            execution_role_arn=role.role_arn,
            kms_key=self.key.key_arn,
            source_bucket_arn=bucket.bucket_arn,
            dag_s3_path=folder,
            # MWAA refuses an option without a value.
            airflow_configuration_options={
                "mercato.prefix": self.name(""),
                **({"mercato.pipelines": ",".join(pipelines)} if pipelines else {}),
            },
            logging_configuration=mwaa.CfnEnvironment.LoggingConfigurationProperty(
                **{kind: level(enabled=True, log_level=least) for kind, least in _LEVELS.items()}
            ),
            network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
                security_group_ids=[self._group(network)],
                # MWAA takes two, whatever the number of zones.
                subnet_ids=network.private_subnet_ids[:2],
            ),
            webserver_access_mode="PRIVATE_ONLY" if sizes.private_page else "PUBLIC_ONLY",
            weekly_maintenance_window_start="SUN:20:00",
        )
        # It looks for its DAGs when it is made.
        environment.node.add_dependency(role, shipped)
        runs(environment, _DAGS)

    def _group(self, network: NetworkStack) -> str:
        """Airflow's parts talk to each other through a group that they share."""
        group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description="Parts of Airflow", allow_all_outbound=True
        )
        group.add_ingress_rule(group, ec2.Port.all_traffic(), "Parts of Airflow")
        network.open_endpoints(self, group, "Airflow")
        return group.security_group_id

    def _ship(self, bucket: DataBucket) -> tuple[str, s3_deployment.BucketDeployment]:
        """Copy the DAGs to a folder of their version: a deploy is then one change of the environment."""
        folder = f"{_DAGS}/{artifact(_DAGS).digest()[:8]}"
        # By name: the grants of the copying function then say which bucket they mean.
        destination = s3.Bucket.from_bucket_attributes(
            self, "Named", bucket_name=self._lake.bucket_name("airflow"), encryption_key=self.key
        )
        shipped = s3_deployment.BucketDeployment(
            self,
            "Ship",
            sources=[s3_deployment.Source.asset(str(artifact(_DAGS).build()))],
            destination_bucket=destination,
            destination_key_prefix=folder,
            memory_limit=1024,
            prune=False,
            # Until the environment has changed, it reads the version before.
            retain_on_delete=True,
            log_group=self.log_group("ShipLogs", f"/mercato/{self.config.name}/ship/dags"),
        )
        shipped.node.add_dependency(bucket)
        return folder, shipped

    def _role(self, bucket: DataBucket) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("airflow.amazonaws.com"),
                iam.ServicePrincipal("airflow-env.amazonaws.com"),
            ),
            description="What the DAGs may do, and what MWAA asks of every environment",
        )
        environment = self.format_arn(
            service="airflow", resource="environment", resource_name=self.name("airflow")
        )
        logs = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"airflow-{self.name('airflow')}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        queues = f"arn:{self.partition}:sqs:{self.region}:*:airflow-celery-*"
        of_bucket = ["s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:ListBucket"]
        of_key = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        grants = [
            (["airflow:PublishMetrics"], [environment]),
            (["s3:GetObject", "s3:GetObjectVersion"], [self._lake.objects_arn("airflow")]),
            (of_bucket, [bucket.bucket_arn]),
            (of_key, [self.key.key_arn]),
            ([*_LOG_ACTIONS], [logs]),
            ([*_QUEUE_ACTIONS], [queues]),
            ([*_LOOKING], ["*"]),
        ]
        if self._pipelines:
            pipelines = [
                self.format_arn(service="sagemaker", resource="pipeline", resource_name=self.name(name))
                for name in self._pipelines
            ]
            grants.append((["sagemaker:StartPipelineExecution"], pipelines))
        role.add_to_policy(start_jobs(self))
        for actions, resources in grants:
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        return role
