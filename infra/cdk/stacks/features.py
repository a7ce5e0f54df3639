"""Feast's registry, and the online store: Valkey over TLS, with a user whose password nobody has seen."""

from __future__ import annotations

import json

from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.artifacts.catalog import artifact
from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import VALKEY_PORT, NetworkStack

_USER = "mercato"
_REGISTRY = "feature-registry"
#: All data, and no command that looks after the server.
_RIGHTS = "on ~* -@all +@read +@write +@connection +@transaction +@scripting -@dangerous"


class FeaturesStack(PlaneStack):
    """The feature store.

    Attributes:
        secret: user and password, JSON with `username` and `password`.
    """

    def __init__(self, scope: Construct, *, config: Config, network: NetworkStack, lake: LakeStack) -> None:
        """Create the feature store of an environment."""
        super().__init__(
            scope, "features", config=config, holds="the online store, its user and secret; Feast's registry"
        )
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=self.name("online-store"),
            description="User of Mercato's online store",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": _USER}),
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=64,
            ),
            removal_policy=self.removal_policy,
        )
        self._store = self._group(network)
        self._ship_registry(lake)

    @property
    def url(self) -> str:
        """Address of the primary node, without the user."""
        endpoint = self._store
        return f"rediss://{endpoint.attr_primary_end_point_address}:{endpoint.attr_primary_end_point_port}/0"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names that ElastiCache gives to the nodes."""
        return tuple(
            f"{self.name('features')}-{number + 1:03d}" for number in range(1 + self.config.features.replicas)
        )

    def grant(self, grantee: iam.IGrantable) -> None:
        """Let someone sign in as the store's user."""
        principal = grantee.grant_principal
        principal.add_to_principal_policy(
            iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[self.secret.secret_arn])
        )
        principal.add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[self.key.key_arn])
        )

    def _ship_registry(self, lake: LakeStack) -> None:
        """Copy the registry to the artifacts, where it keeps its name and S3 its earlier versions."""
        self.add_stack_dependency(lake)
        s3_deployment.BucketDeployment(
            self,
            "Registry",
            sources=[s3_deployment.Source.asset(str(artifact(_REGISTRY).build()))],
            # By name: the grants of the copying function then say which bucket they mean.
            destination_bucket=s3.Bucket.from_bucket_attributes(
                self, "Artifacts", bucket_name=lake.bucket_name("artifacts"), encryption_key=lake.key
            ),
            destination_key_prefix="features",
            memory_limit=1024,
            prune=False,
            # It goes with its bucket.
            retain_on_delete=True,
            log_group=self.log_group("RegistryLogs", f"/mercato/{self.config.name}/ship/{_REGISTRY}"),
        )

    def _users(self) -> elasticache.CfnUserGroup:
        user = elasticache.CfnUser(
            self,
            "User",
            engine="valkey",
            user_id=self.name("features"),
            user_name=_USER,
            access_string=_RIGHTS,
            authentication_mode={
                "Type": "password",
                # Resolved by CloudFormation; it is in no template and no log.
                "Passwords": [self.secret.secret_value_from_json("password").unsafe_unwrap()],
            },
        )
        return elasticache.CfnUserGroup(
            self, "Users", engine="valkey", user_group_id=self.name("features"), user_ids=[user.ref]
        )

    def _full_store_refuses(self) -> elasticache.CfnParameterGroup:
        """By default the store would make room by forgetting what expires: cards, claims, locks."""
        return elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family="valkey8",
            description="A full store refuses to write",
            properties={"maxmemory-policy": "noeviction"},
        )

    def _group(self, network: NetworkStack) -> elasticache.CfnReplicationGroup:
        sizes = self.config.features
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            cache_subnet_group_name=self.name("features"),
            description="Private subnets",
            subnet_ids=network.private_subnet_ids,
        )
        log = self.log_group("StoreLogs", f"/mercato/{self.config.name}/valkey")
        created = elasticache.CfnReplicationGroup(
            self,
            "Store",
            replication_group_id=self.name("features"),
            replication_group_description="Online features and sessions",
            engine="valkey",
            engine_version=sizes.valkey_version,
            cache_parameter_group_name=self._full_store_refuses().ref,
            cache_node_type=f"cache.{sizes.node_type}",
            num_cache_clusters=1 + sizes.replicas,
            automatic_failover_enabled=sizes.replicas > 0,
            multi_az_enabled=sizes.replicas > 0,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[network.stores.security_group_id],
            port=VALKEY_PORT,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=self.key.key_arn,
            user_group_ids=[self._users().ref],
            snapshot_retention_limit=sizes.snapshot_days,
            auto_minor_version_upgrade=True,
            log_delivery_configurations=[
                elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty(
                    log_type="slow-log",
                    log_format="json",
                    destination_type="cloudwatch-logs",
                    destination_details=elasticache.CfnReplicationGroup.DestinationDetailsProperty(
                        cloud_watch_logs_details=elasticache.CfnReplicationGroup.CloudWatchLogsDestinationDetailsProperty(
                            log_group=log.log_group_name
                        )
                    ),
                )
            ],
        )
        created.apply_removal_policy(self.removal_policy)
        return created
