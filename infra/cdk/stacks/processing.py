"""One Glue job per entry of the job catalog, its quality rulesets, and EMR Serverless for the biggest."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_emrserverless as emr
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from infra.artifacts.catalog import artifact
from infra.cdk.config import Config
from infra.cdk.constructs.exact_role import ExactRole
from infra.cdk.constructs.glue_job import ENTRY, JARS, MODEL_WHEELS, WHEELS, GlueJob, Runtime
from infra.cdk.constructs.job_role import JobRole
from infra.cdk.constructs.job_starter import JobStarter
from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.models import ModelsStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack

#: LTS with the same Spark, Delta and Python as Glue 6.0.
_EMR_RELEASE = "emr-spark-8.1.0"
#: Layers of the lake with what models learn from.
_LEARNED_FROM = ("silver", "gold")
#: Consumer groups of the jobs: Spark makes up the rest of its own, and who tells of refused records has one
#: (`mercato.lake.quarantine`).
JOB_GROUPS = ("spark-kafka-source-*", "mercato-quarantine")
#: Name of Glue's connection, after the deployment's prefix.
_CONNECTION = "vpc"


class ProcessingStack(PlaneStack):
    """Everything that turns events into tables, and tables into what models learn from and say."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        lake: LakeStack,
        streaming: StreamingStack,
        features: FeaturesStack,
        models: ModelsStack,
    ) -> None:
        """Create the jobs of an environment."""
        super().__init__(scope, "processing", config=config, holds="Glue jobs, rulesets, EMR Serverless")
        self._network, self._lake, self._streaming, self._features = network, lake, streaming, features
        self._models = models
        self._store = {"--redis-url": features.url, "--redis-secret": features.secret.secret_arn}
        runtime = self._runtime()
        kafka = replace(runtime, given={"--kafka-bootstrap": streaming.bootstrap, "--kafka-iam": "true"})
        runtimes = {
            "bronze": kafka,
            "silver": kafka,
            "features": replace(runtime, given=self._store),
            **self._model_runtimes(runtime),
        }
        for job in contracts().jobs:
            created = GlueJob(self, job.name, job=job, runtime=runtimes.get(job.layer, runtime))
            if job.kind == "streaming":
                continuous = config.processing.continuous
                JobStarter(self, f"Starter-{job.name}", job=created.job, continuous=continuous)
        self._rulesets()
        if config.processing.emr:
            self._emr()

    def _runtime(self) -> Runtime:
        """Of a job that has no arguments beside its own."""
        sizes = self.config.processing
        return Runtime(
            prefix=self.name(""),
            code=self._ship_code(),
            wheels=WHEELS,
            jars=tuple(sorted(jar.name for jar in artifact(JARS).build().glob("*.jar"))),
            lake_uri=self._lake.uri,
            given={},
            role=self._job_role(),
            security=self._security("Security", "jobs", self._lake.key),
            connection=self._connection(),
            workers=sizes.workers,
            worker_type=sizes.worker_type,
            continuous=sizes.continuous,
        )

    def _ship_code(self) -> str:
        """Copy the jobs' artifacts to S3 under the names that Glue goes by, a new folder for each version."""
        names = (WHEELS, MODEL_WHEELS, ENTRY, JARS)
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
                # The zip and what is in it.
                ephemeral_storage_size=Size.gibibytes(1),
                # What runs now still reads the version before.
                prune=False,
                retain_on_delete=True,
                log_group=self.log_group(f"ShipLogs-{name}", f"/mercato/{self.config.name}/ship/{name}"),
            )
        return f"s3://{bucket.bucket_name}/jobs/{version}"

    def _job_role(self) -> JobRole:
        role = self._role("JobRole", "What Mercato's jobs may do")
        self._grant_jobs(role)
        self._features.grant(role)
        return role

    def _grant_jobs(self, role: iam.IRole) -> None:
        """Let a role do what the jobs of the lake do, wherever they run."""
        self._lake.grant_jobs(role)
        self._streaming.grant(
            role,
            # Who tells of refused records looks first at which of them were told before.
            reads=[name for topic in contracts().topics for name in (topic.name, topic.quarantine)],
            writes=[topic.quarantine for topic in contracts().topics],
            groups=JOB_GROUPS,
        )

    def _model_runtimes(self, runtime: Runtime) -> dict[str, Runtime]:
        """How the models' jobs run, by layer: they may read the lake, and write what is the models' own."""
        datasets = self._role("DatasetRole", "What jobs that write datasets may do")
        scores = self._role("ScoreRole", "What jobs that score with approved models may do")
        for role in (datasets, scores):
            self._lake.grant_reading(role, *_LEARNED_FROM)
        self._models.grant_datasets(datasets)
        self._models.grant_scores(scores)
        self._features.grant(scores)
        security = self._security("ModelSecurity", "model-jobs", self._models.key)
        learning = {"--to": self._models.datasets_uri}
        if people := self.config.models.demographics:
            learning["--demographics"] = f"s3://{self._lake.bucket_name('gold')}/{people}"
        shared = replace(runtime, wheels=MODEL_WHEELS, security=security)
        scoring = {
            "--to": self._models.predictions_uri,
            "--captures": self._models.captures_uri,
            "--prefix": self.name(""),
            "--cost-share": str(self.config.models.cost_share),
        }
        return {
            "datasets": replace(shared, role=datasets, given=learning),
            "scores": replace(shared, role=scores, given=scoring | self._store),
        }

    def _role(self, construct_id: str, description: str) -> JobRole:
        return JobRole(
            self,
            construct_id,
            description=description,
            vpc=self._network.vpc.vpc_arn,
            connection=self.name(_CONNECTION),
        )

    def _security(self, construct_id: str, name: str, key: kms.Key) -> str:
        """What jobs encrypt with; `key` is that of what Spark writes."""
        configuration = glue.CfnSecurityConfiguration(
            self,
            construct_id,
            name=self.name(name),
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=self.key.key_arn
                ),
                job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=self.key.key_arn
                ),
                s3_encryptions=[
                    glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
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
                name=self.name(_CONNECTION),
                connection_type="NETWORK",
                physical_connection_requirements=glue.CfnConnection.PhysicalConnectionRequirementsProperty(
                    availability_zone=self.config.network.availability_zones[0],
                    security_group_id_list=[
                        self._network.clients.security_group_id,
                        self._workers().security_group_id,
                    ],
                    subnet_id=self._network.private_subnet_ids[0],
                ),
            ),
        )
        return connection.ref

    def _workers(self) -> ec2.SecurityGroup:
        """Workers of a job talk to each other on any port; Glue refuses a connection without such a group."""
        what = "Workers of Glue jobs"
        group = ec2.SecurityGroup(
            self, "Workers", vpc=self._network.vpc, description=what, allow_all_outbound=True
        )
        group.add_ingress_rule(group, ec2.Port.all_tcp(), what)
        return group

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
        """The application, and the role that a person names when starting a job there."""
        self._grant_jobs(
            ExactRole(
                self,
                "EmrRole",
                role_name=self.name("emr-jobs"),
                assumed_by=iam.ServicePrincipal(
                    "emr-serverless.amazonaws.com",
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                ),
                description="What jobs on EMR Serverless may do",
            )
        )
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
