"""Buckets, Glue databases and Delta tables from the contracts, Athena."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.bucket import LISTS_UPLOADS, WRITING, DataBucket
from infra.cdk.contracts import TableSpec, contracts
from infra.cdk.stacks.base import PlaneStack


class LakeStack(PlaneStack):
    """The Delta lake and what is kept beside it.

    Attributes:
        layers: bucket of each layer.
        artifacts: what the jobs are made of, and query results.
        landing: files from partners, `TOPIC/anything`.
        databases: Glue database of each layer.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the lake of an environment."""
        super().__init__(scope, "lake", config=config, holds="buckets, catalogue, Athena")
        self.access_logs = self._access_logs()
        archive = s3.LifecycleRule(
            transitions=[
                s3.Transition(
                    storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                    transition_after=Duration.days(config.lake.bronze_archive_days),
                )
            ]
        )
        self.layers = {
            layer: self._bucket(layer, [archive] if layer == "bronze" else []) for layer in contracts().layers
        }
        self.artifacts = self._bucket("artifacts")
        self.landing = self._landing()
        self.databases = {layer: self._database(layer) for layer in contracts().layers}
        for table in contracts().tables:
            self._table(table)
        self.workgroup = self._workgroup()

    @property
    def uri(self) -> str:
        """Root of the lake as the jobs take it; `{layer}` stands for the layer's name."""
        return f"s3://{self.bucket_name('{layer}')}"

    def bucket_name(self, suffix: str) -> str:
        """Name of a bucket, unique in all of AWS."""
        return f"{self.name(suffix)}-{self.account}-{self.region}"

    def objects_arn(self, suffix: str) -> str:
        """All objects of a bucket, by its name: rules then read as what they mean."""
        return self.format_arn(
            service="s3", region="", account="", resource=self.bucket_name(suffix), resource_name="*"
        )

    def grant_jobs(self, role: iam.IRole) -> None:
        """Let a role read and write every layer and its tables, and read what was deployed."""
        for name, bucket in (*self.layers.items(), ("artifacts", self.artifacts)):
            written = name != "artifacts"
            actions = ["GetObject", *(["DeleteObject", *WRITING] if written else [])]
            looks = ["ListBucket", "GetBucketLocation", *([LISTS_UPLOADS] if written else [])]
            _allow(role, "s3", actions, [self.objects_arn(name)])
            _allow(role, "s3", looks, [bucket.bucket_arn])
        _allow(role, "kms", ["Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey"], [self.key.key_arn])
        catalogue = self.format_arn(service="glue", resource="catalog", arn_format=ArnFormat.NO_RESOURCE_NAME)
        names = [self._database_name(layer) for layer in self.layers]
        inside = [("database", name) for name in names] + [("table", f"{name}/*") for name in names]
        _allow(
            role,
            "glue",
            ["GetDatabase", "GetTable", "GetPartitions", "UpdateTable"],
            [catalogue]
            + [self.format_arn(service="glue", resource=kind, resource_name=name) for kind, name in inside],
        )

    def grant_reading(self, role: iam.IRole, *layers: str) -> None:
        """Let a role read the tables of some layers, and what was deployed, straight from their files."""
        for name, bucket in (*((each, self.layers[each]) for each in layers), ("artifacts", self.artifacts)):
            _allow(role, "s3", ["GetObject"], [self.objects_arn(name)])
            _allow(role, "s3", ["ListBucket", "GetBucketLocation"], [bucket.bucket_arn])
        _allow(role, "kms", ["Decrypt", "DescribeKey"], [self.key.key_arn])

    def _access_logs(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            # S3 writes access logs only to buckets that it can encrypt with its own key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(365), noncurrent_version_expiration=Duration.days(7)
                )
            ],
            removal_policy=self.removal_policy,
            auto_delete_objects=not self.config.retain,
        )

    def _bucket(self, suffix: str, rules: Sequence[s3.LifecycleRule] = ()) -> DataBucket:
        return DataBucket(
            self,
            suffix.title(),
            bucket_name=self.bucket_name(suffix),
            key=self.key,
            access_logs=self.access_logs,
            noncurrent_days=self.config.lake.noncurrent_days,
            rules=rules,
            removal_policy=self.removal_policy,
        )

    def _landing(self) -> DataBucket:
        rule = s3.LifecycleRule(expiration=Duration.days(self.config.intake.landing_days))
        bucket = self._bucket("landing", [rule])
        created = bucket.node.default_child
        assert isinstance(created, s3.CfnBucket)
        # The same property of the bucket would bring a function of CDK's to set it.
        created.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        return bucket

    def _database_name(self, layer: str) -> str:
        return self.name(layer).replace("-", "_")

    def _database(self, layer: str) -> glue.CfnDatabase:
        return glue.CfnDatabase(
            self,
            f"{layer.title()}Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._database_name(layer),
                description=f"Delta tables of the {layer} layer",
                location_uri=f"s3://{self.bucket_name(layer)}/",
            ),
        )

    def _table(self, table: TableSpec) -> None:
        database = self.databases[table.database]
        location = f"s3://{self.bucket_name(table.database)}/{table.name}"
        created = glue.CfnTable(
            self,
            f"Table-{table.database}-{table.name}",
            catalog_id=self.account,
            database_name=database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=table.name,
                table_type="EXTERNAL_TABLE",
                description=table.description,
                # What Athena leaves in the catalogue after TBLPROPERTIES ('table_type'='DELTA').
                parameters={"table_type": "DELTA", "spark.sql.sources.provider": "delta", "EXTERNAL": "TRUE"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=location,
                    columns=[
                        glue.CfnTable.ColumnProperty(
                            name=column.name, type=column.type, comment=column.comment
                        )
                        for column in table.columns
                    ],
                ),
            ),
        )
        created.add_resource_dependency(database)

    def _workgroup(self) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.name("analysts"),
            description="Ad hoc questions to the lake",
            recursive_delete_option=not self.config.retain,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=self.config.lake.athena_scan_gib * 2**30,
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self.artifacts.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=self.key.key_arn
                    ),
                ),
            ),
        )


def _allow(role: iam.IRole, service: str, actions: list[str], resources: list[str]) -> None:
    """Exactly these actions: CDK's own grants hand out families such as `s3:Get*`."""
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=[f"{service}:{action}" for action in actions], resources=resources)
    )
