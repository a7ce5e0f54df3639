"""Neptune: a graph of households, products and cards, for those who want to ask it; nothing here does yet."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_neptune as neptune
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import NetworkStack

_FAMILY, _VERSION = "neptune1.4", "1.4.5.1"


class GraphStack(PlaneStack):
    """A serverless Neptune cluster that takes IAM signatures, and may load what is in the gold layer."""

    def __init__(self, scope: Construct, *, config: Config, network: NetworkStack, lake: LakeStack) -> None:
        """Create the graph of an environment."""
        super().__init__(scope, "graph", config=config, holds="Neptune")
        sizes = config.graph
        subnets = neptune.CfnDBSubnetGroup(
            self,
            "Subnets",
            db_subnet_group_name=self.name("graph"),
            db_subnet_group_description="Private subnets",
            subnet_ids=network.private_subnet_ids,
        )
        settings = neptune.CfnDBClusterParameterGroup(
            self,
            "Settings",
            name=self.name("graph"),
            family=_FAMILY,
            description="Who asked what is in the log",
            parameters={"neptune_enable_audit_log": "1"},
        )
        cluster = neptune.CfnDBCluster(
            self,
            "Cluster",
            db_cluster_identifier=self.name("graph"),
            engine_version=_VERSION,
            db_subnet_group_name=subnets.ref,
            db_cluster_parameter_group_name=settings.ref,
            vpc_security_group_ids=[network.stores.security_group_id],
            serverless_scaling_configuration=neptune.CfnDBCluster.ServerlessScalingConfigurationProperty(
                min_capacity=sizes.min_units, max_capacity=sizes.max_units
            ),
            iam_auth_enabled=True,
            storage_encrypted=True,
            kms_key_id=self.key.key_arn,
            backup_retention_period=sizes.backup_days,
            copy_tags_to_snapshot=True,
            deletion_protection=config.retain,
            enable_cloudwatch_logs_exports=["audit"],
            associated_roles=[
                neptune.CfnDBCluster.DBClusterRoleProperty(role_arn=self._loader(lake).role_arn)
            ],
        )
        cluster.apply_removal_policy(self.removal_policy)
        for number in range(1 + sizes.replicas):
            neptune.CfnDBInstance(
                self,
                f"Instance{number}",
                db_cluster_identifier=cluster.ref,
                db_instance_class="db.serverless",
                auto_minor_version_upgrade=True,
            )

    def _loader(self, lake: LakeStack) -> iam.Role:
        """What Neptune's bulk loader may read."""
        role = iam.Role(
            self,
            "LoaderRole",
            assumed_by=iam.ServicePrincipal(
                "rds.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Bulk loads from the gold layer",
        )
        gold = lake.layers["gold"]
        for actions, resource in (
            (["s3:GetObject"], lake.objects_arn("gold")),
            (["s3:ListBucket"], gold.bucket_arn),
            (["kms:Decrypt"], lake.key.key_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        return role
