"""One Glue job per entry of the job catalog, its quality rulesets, and EMR Serverless for the biggest."""

from __future__ import annotations

from aws_cdk import ArnFormat
from aws_cdk import aws_emrserverless as emr
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from infra.artifacts.catalog import artifact
from infra.cdk.config import Config
from infra.cdk.constructs.glue_job import ENTRY, JARS, WHEELS, GlueJob, Runtime
from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack

#: LTS with the same Spark, Delta and Python as Glue 6.0.
_EMR_RELEASE = "emr-spark-8.1.0"


class ProcessingStack(PlaneStack):
    """Everything that turns events into tables.

    Attributes:
        role: what the jobs may do.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        lake: LakeStack,
        streaming: StreamingStack,
        features: FeaturesStack,
    ) -> None:
        """Create the jobs of an environment."""
        super().__init__(scope, "processing", config=config, holds="Glue jobs, rulesets, EMR Serverless")
        self._network, self._lake, self._streaming, self._features = network, lake, streaming, features
        code = self._ship_code()
        self.role = self._role()
        sizes = config.processing
        runtime = Runtime(
            prefix=self.name(""),
            code=code,
            jars=tuple(sorted(jar.name for jar in artifact(JARS).build().glob("*.jar"))),
            lake_uri=lake.uri,
            bootstrap=streaming.bootstrap,
            store={"--redis-url": features.url, "--redis-secret": features.secret.secret_arn},
            role=self.role,
            security=self._security(),
            connection=self._connection(),
            workers=sizes.workers,
            worker_type=sizes.worker_type,
            continuous=sizes.continuous,
        )
        for job in contracts().jobs:
            GlueJob(self, job.name, job=job, runtime=runtime)
        self._rulesets()
        if sizes.emr:
            self._emr()

    def _ship_code(self) -> str:
        """Copy the jobs' artifacts to S3 under the names that Glue goes by, a new folder for each version."""
        names = (WHEELS, ENTRY, JARS)
        # By name: the grants of the copying function then say which bucket they mean.
        bucket = s3.Bucket.from_bucket_attributes(
            self,
            "Artifacts",
            bucket_name=self._lake.bucket_name("artifacts"),
            encryption_key=self._lake.key,
        )
        version = "-".join(artifact(name).digest()[:8] for name in names)
        for name in names:
            s3_deployment.BucketDeployment(
                self,
                f"Ship-{name}",
                sources=[s3_deployment.Source.asset(str(artifact(name).build()))],
                destination_bucket=bucket,
                destination_key_prefix=f"jobs/{version}/{name}",
                memory_limit=1024,
                # What runs now still reads the version before.
                prune=False,
                retain_on_delete=self.config.retain,
                log_group=self.log_group(f"ShipLogs-{name}", f"/mercato/{self.config.name}/ship/{name}"),
            )
        return f"s3://{bucket.bucket_name}/jobs/{version}"

    def _role(self) -> iam.Role:
        role = iam.Role(
            self,
            "JobRole",
            assumed_by=iam.ServicePrincipal("glue.amazonaws.com"),
            description="What Mercato's jobs may do",
        )
        self._lake.grant_jobs(role)
        self._lake.grant_catalogue(self, role, ["SELECT", "INSERT", "DELETE", "DESCRIBE"])
        self._streaming.grant(
            role,
            # Who tells of refused records looks first at which of them were told before.
            reads=[name for topic in contracts().topics for name in (topic.name, topic.quarantine)],
            writes=[topic.quarantine for topic in contracts().topics],
            # Spark makes up the rest of its consumer groups' names.
            group="spark-kafka-source-*",
        )
        self._features.grant(role)
        log_groups = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        actions = ("AssociateKmsKey", "CreateLogGroup", "CreateLogStream", "PutLogEvents")
        role.add_to_policy(
            iam.PolicyStatement(actions=[f"logs:{action}" for action in actions], resources=[log_groups])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], resources=[self.key.key_arn]
            )
        )
        self._grant_network(role)
        return role

    def _grant_network(self, role: iam.Role) -> None:
        """What Glue does as the job to reach the VPC; looking around has no resource to name."""
        looking = (
            "NetworkInterfaces",
            "SecurityGroups",
            "Subnets",
            "VpcAttribute",
            "VpcEndpoints",
            "RouteTables",
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=[f"ec2:Describe{what}" for what in looking], resources=["*"])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ec2:CreateNetworkInterface", "ec2:CreateTags", "ec2:DeleteNetworkInterface"],
                resources=[
                    self.format_arn(service="ec2", resource=kind, resource_name="*")
                    for kind in ("network-interface", "security-group", "subnet")
                ],
                conditions={"ArnEqualsIfExists": {"ec2:Vpc": self._network.vpc.vpc_arn}},
            )
        )

    def _security(self) -> str:
        configuration = glue.CfnSecurityConfiguration(
            self,
            "Security",
            name=self.name("jobs"),
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=self.key.key_arn
                ),
                job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=self.key.key_arn
                ),
                s3_encryptions=[
                    glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=self._lake.key.key_arn
                    )
                ],
            ),
        )
        return configuration.ref

    def _connection(self) -> str:
        """The first private subnet: Glue puts all workers of a job in one."""
        connection = glue.CfnConnection(
            self,
            "Vpc",
            catalog_id=self.account,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                name=self.name("vpc"),
                connection_type="NETWORK",
                physical_connection_requirements=glue.CfnConnection.PhysicalConnectionRequirementsProperty(
                    availability_zone=self.config.network.availability_zones[0],
                    security_group_id_list=[self._network.clients.security_group_id],
                    subnet_id=self._network.private_subnet_ids[0],
                ),
            ),
        )
        return connection.ref

    def _rulesets(self) -> None:
        for table in contracts().tables:
            glue.CfnDataQualityRuleset(
                self,
                f"Rules-{table.database}-{table.name}",
                name=self.name(f"{table.database}-{table.name}".replace("_", "-")),
                description=f"What the contract of {table.database}.{table.name} says",
                ruleset=table.rules,
                target_table=glue.CfnDataQualityRuleset.DataQualityTargetTableProperty(
                    database_name=self._lake.databases[table.database].ref, table_name=table.name
                ),
            )

    def _emr(self) -> None:
        ceiling = self.config.processing.emr_max_vcpu
        emr.CfnApplication(
            self,
            "Emr",
            name=self.name("jobs"),
            release_label=_EMR_RELEASE,
            type="SPARK",
            architecture="X86_64",
            auto_stop_configuration=emr.CfnApplication.AutoStopConfigurationProperty(
                enabled=True, idle_timeout_minutes=5
            ),
            maximum_capacity=emr.CfnApplication.MaximumAllowedResourcesProperty(
                cpu=f"{ceiling} vCPU", memory=f"{4 * ceiling} GB"
            ),
            network_configuration=emr.CfnApplication.NetworkConfigurationProperty(
                security_group_ids=[self._network.clients.security_group_id],
                subnet_ids=self._network.private_subnet_ids,
            ),
        )
