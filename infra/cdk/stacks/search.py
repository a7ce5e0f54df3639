"""OpenSearch, and the function that keeps the catalogue in it up to date."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.failed import FailedEvents
from infra.cdk.constructs.function import Function
from infra.cdk.constructs.kafka_source import read_topic
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack

#: The version that the tests run.
VERSION = "OpenSearch_2.19"
_PRODUCTS = "products.v1"
#: Of the product index, as `mercato.settings` has it.
_ALIAS = "products"
_METHODS = ("Delete", "Get", "Head", "Post", "Put")
#: Of CloudWatch, which lets a service write only where a policy of its own says so.
_LOGS = ("SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS", "ES_APPLICATION_LOGS")
_DEDICATED = 3


class SearchStack(PlaneStack):
    """The search domain, in private subnets, asked with IAM signatures.

    Attributes:
        variables: by which a function finds the domain.
        function: that reads the catalogue's topic.
        failed: queue of the batches that it could not take in.
    """

    def __init__(
        self, scope: Construct, *, config: Config, network: NetworkStack, streaming: StreamingStack
    ) -> None:
        """Create the search domain of an environment."""
        super().__init__(scope, "search", config=config, holds="OpenSearch")
        self._domain_name = self.name("products")
        self._domain = self._create(network)
        self.variables = {
            "MERCATO_HOME": "/tmp/mercato",
            "MERCATO_OPENSEARCH_URL": f"https://{self._domain.attr_domain_endpoint}",
            "MERCATO_OPENSEARCH_AUTH": "iam",
        }
        self.failed = FailedEvents(self)
        self.function = Function(
            self,
            "search",
            network=network,
            environment=self.variables,
            memory_mib=512,
            timeout_seconds=60,
            concurrency=config.intake.concurrency,
            dead_letters=self.failed,
        )
        self._grant_writing(self.function.role)
        read_topic(
            self.function,
            streaming,
            topic=_PRODUCTS,
            group=f"search-{_PRODUCTS}",
            failed=self.failed,
            from_the_start=True,
        )

    def grant_search(self, role: iam.IRole) -> None:
        """Let a role look for products, and nothing else."""
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["es:ESHttpPost"], resources=[f"{self._arn}/{_ALIAS}/_search"])
        )

    def _grant_writing(self, role: iam.IRole) -> None:
        """Let a role make the index and fill it."""
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=[f"es:ESHttp{method}" for method in ("Get", "Head", "Post", "Put")],
                resources=[f"{self._arn}/*"],
            )
        )

    @property
    def _arn(self) -> str:
        return self.format_arn(service="es", resource="domain", resource_name=self._domain_name)

    def _create(self, network: NetworkStack) -> opensearch.CfnDomain:
        sizes = self.config.search
        domain = opensearch.CfnDomain
        log = self._log()
        zones = min(sizes.instances, len(network.private_subnet_ids))
        created = domain(
            self,
            "Domain",
            domain_name=self._domain_name,
            engine_version=VERSION,
            cluster_config=domain.ClusterConfigProperty(
                instance_type=f"{sizes.instance_type}.search",
                instance_count=sizes.instances,
                zone_awareness_enabled=zones > 1,
                zone_awareness_config=domain.ZoneAwarenessConfigProperty(availability_zone_count=zones)
                if zones > 1
                else None,
                dedicated_master_enabled=sizes.dedicated_masters,
                dedicated_master_count=_DEDICATED if sizes.dedicated_masters else None,
                dedicated_master_type="m7g.medium.search" if sizes.dedicated_masters else None,
            ),
            ebs_options=domain.EBSOptionsProperty(
                ebs_enabled=True, volume_type="gp3", volume_size=sizes.volume_gib
            ),
            vpc_options=domain.VPCOptionsProperty(
                subnet_ids=network.private_subnet_ids[:zones],
                security_group_ids=[network.stores.security_group_id],
            ),
            encryption_at_rest_options=domain.EncryptionAtRestOptionsProperty(
                enabled=True, kms_key_id=self.key.key_id
            ),
            node_to_node_encryption_options=domain.NodeToNodeEncryptionOptionsProperty(enabled=True),
            domain_endpoint_options=domain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            access_policies={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        # Whoever in this account has a policy that allows it: roles get theirs by `grant`.
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:{self.partition}:iam::{self.account}:root"},
                        "Action": [f"es:ESHttp{method}" for method in _METHODS],
                        "Resource": f"{self._arn}/*",
                    }
                ],
            },
            log_publishing_options={
                kind: domain.LogPublishingOptionProperty(
                    enabled=True, cloud_watch_logs_log_group_arn=log.log_group_arn
                )
                for kind in _LOGS
            },
        )
        created.add_resource_dependency(self._policy(log))
        created.apply_removal_policy(self.removal_policy)
        return created

    def _log(self) -> logs.LogGroup:
        return self.log_group("DomainLogs", f"/mercato/{self.config.name}/opensearch")

    def _policy(self, log: logs.LogGroup) -> logs.CfnResourcePolicy:
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "es.amazonaws.com"},
                    "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                    "Resource": log.log_group_arn,
                    "Condition": {"StringEquals": {"aws:SourceAccount": self.account}},
                }
            ],
        }
        return logs.CfnResourcePolicy(
            self,
            "DomainLogsPolicy",
            policy_name=self.name("opensearch"),
            policy_document=self.to_json_string(document),
        )
