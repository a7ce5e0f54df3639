"""MSK, its topics and schemas from the contracts, and the session job on Managed Flink."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_msk as msk
from aws_cdk import custom_resources as cr
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.session_job import SessionJob
from infra.cdk.constructs.topic_schema import TopicSchema
from infra.cdk.contracts import TopicSpec, contracts
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.network import NetworkStack

#: MSK Express refuses any other replication factor, and t3 brokers in two zones can hold no more.
_EXPRESS_REPLICAS = 3
_HOUR_MS = 3_600_000


class StreamingStack(PlaneStack):
    """The event log.

    Attributes:
        cluster: MSK cluster; clients authenticate with IAM, over TLS.
    """

    def __init__(self, scope: Construct, *, config: Config, network: NetworkStack) -> None:
        """Create the event log of an environment."""
        super().__init__(scope, "streaming", config=config, holds="MSK, schemas, Flink")
        self.network = network
        self.cluster = self._cluster()
        # MSK makes topics one at a time; each waits for the one before it.
        before: msk.CfnTopic | None = None
        for topic in contracts().topics:
            for created in self._topics(topic):
                if before is not None:
                    created.add_resource_dependency(before)
                before = created
        self._registry()
        job = SessionJob(
            self,
            "Sessions",
            config=config,
            network=network,
            bootstrap=self.bootstrap,
            logs=self.log_group("SessionsLogs", f"/mercato/{config.name}/flink/sessions"),
        )
        self.grant(
            job.role,
            reads=["clickstream.v1"],
            writes=["sessions.v1"],
            groups=["flink-sessions"],
            transactions="flink-sessions*",
        )
        if before is not None:
            job.start(before)

    @property
    def brokers(self) -> list[str]:
        """Names of all brokers: MSK numbers them, and what follows the first label is the same for all."""
        name, cluster_id, cell = (Fn.select(place, Fn.split(".", self.bootstrap)) for place in (1, 2, 3))
        domain = f"{name}.{cluster_id}.{cell}.kafka.{self.region}.{self.url_suffix}"
        return [f"b-{number}.{domain}" for number in range(1, self._broker_count + 1)]

    @property
    def bootstrap(self) -> str:
        """Addresses of the brokers; the cluster itself has no attribute for them."""
        resource = self.node.try_find_child("Bootstrap")
        if not isinstance(resource, cr.AwsCustomResource):
            call = cr.AwsSdkCall(
                service="Kafka",
                action="getBootstrapBrokers",
                parameters={"ClusterArn": self.cluster.ref},
                physical_resource_id=cr.PhysicalResourceId.of(self.name("bootstrap")),
            )
            resource = cr.AwsCustomResource(
                self,
                "Bootstrap",
                on_create=call,
                on_update=call,
                install_latest_aws_sdk=False,
                log_group=self.log_group("BootstrapLogs", f"/mercato/{self.config.name}/bootstrap"),
                policy=cr.AwsCustomResourcePolicy.from_statements(
                    [iam.PolicyStatement(actions=["kafka:GetBootstrapBrokers"], resources=[self.cluster.ref])]
                ),
            )
        return resource.get_response_field("BootstrapBrokerStringSaslIam")

    def grant(
        self,
        grantee: iam.IGrantable,
        *,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
        groups: Iterable[str] = (),
        transactions: str = "",
    ) -> None:
        """Let someone read and write topics, and nothing else of the cluster.

        Args:
            reads: topics.
            writes: topics.
            groups: consumer groups of one who reads; they may end in `*`.
            transactions: ids of one who writes exactly once; they may end in `*`.
        """
        statements = [
            (["Connect", "DescribeCluster", "WriteDataIdempotently"], [self.cluster.ref]),
            (["DescribeTopic", "ReadData"], [self._arn("topic", name) for name in reads]),
            (["DescribeTopic", "WriteData"], [self._arn("topic", name) for name in writes]),
            (["DescribeGroup", "AlterGroup"], [self._arn("group", name) for name in groups]),
        ]
        if transactions:
            ids = [self._arn("transactional-id", transactions)]
            statements.append((["DescribeTransactionalId", "AlterTransactionalId"], ids))
        for actions, resources in statements:
            if resources:
                grantee.grant_principal.add_to_principal_policy(
                    iam.PolicyStatement(
                        actions=[f"kafka-cluster:{action}" for action in actions], resources=resources
                    )
                )

    def _arn(self, kind: str, name: str) -> str:
        """ARN of something inside the cluster, whose name is unique without the id that MSK adds."""
        return self.format_arn(
            service="kafka", resource=kind, resource_name=f"{self.name('events')}/*/{name}"
        )

    @property
    def _broker_count(self) -> int:
        return self.config.streaming.brokers_per_zone * len(self.config.network.availability_zones)

    @property
    def _replicas(self) -> int:
        zones = len(self.config.network.availability_zones)
        return _EXPRESS_REPLICAS if self.config.streaming.kind == "express" else zones

    def _cluster(self) -> msk.CfnCluster:
        sizes = self.config.streaming
        express = sizes.kind == "express"
        zones = self.network.private_subnet_ids
        settings = {
            "auto.create.topics.enable": "false",
            **({} if express else {"default.replication.factor": str(self._replicas)}),
        }
        configuration = msk.CfnConfiguration(
            self,
            "Configuration",
            name=self.name("events"),
            kafka_versions_list=[sizes.kafka_version],
            server_properties="\n".join(f"{key}={value}" for key, value in settings.items()),
        )
        storage = msk.CfnCluster.StorageInfoProperty(
            ebs_storage_info=msk.CfnCluster.EBSStorageInfoProperty(volume_size=sizes.volume_gib)
        )
        cluster = msk.CfnCluster(
            self,
            "Events",
            cluster_name=self.name("events"),
            kafka_version=sizes.kafka_version,
            number_of_broker_nodes=self._broker_count,
            broker_node_group_info=msk.CfnCluster.BrokerNodeGroupInfoProperty(
                instance_type=f"{'express' if express else 'kafka'}.{sizes.broker_type}",
                client_subnets=zones,
                # Lambda's event sources put on the brokers' own groups, so they must be a client's too.
                security_groups=[
                    self.network.stores.security_group_id,
                    self.network.clients.security_group_id,
                ],
                storage_info=None if express else storage,
            ),
            configuration_info=msk.CfnCluster.ConfigurationInfoProperty(
                arn=configuration.attr_arn, revision=configuration.attr_latest_revision_revision
            ),
            client_authentication=msk.CfnCluster.ClientAuthenticationProperty(
                sasl=msk.CfnCluster.SaslProperty(iam=msk.CfnCluster.IamProperty(enabled=True)),
                unauthenticated=msk.CfnCluster.UnauthenticatedProperty(enabled=False),
            ),
            encryption_info=msk.CfnCluster.EncryptionInfoProperty(
                encryption_at_rest=msk.CfnCluster.EncryptionAtRestProperty(
                    data_volume_kms_key_id=self.key.key_arn
                ),
                encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(
                    client_broker="TLS", in_cluster=True
                ),
            ),
            enhanced_monitoring=sizes.monitoring,
            open_monitoring=_jmx_exporter() if self.config.observability.prometheus else None,
            logging_info=msk.CfnCluster.LoggingInfoProperty(
                broker_logs=msk.CfnCluster.BrokerLogsProperty(
                    cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(
                        enabled=True,
                        log_group=self.log_group(
                            "BrokerLogs", f"/mercato/{self.config.name}/msk"
                        ).log_group_name,
                    )
                )
            ),
        )
        cluster.apply_removal_policy(self.removal_policy)
        return cluster

    def _topics(self, topic: TopicSpec) -> Iterable[msk.CfnTopic]:
        retention = {"retention.ms": self.config.streaming.retention_hours * _HOUR_MS}
        policy: dict[str, Any] = {"cleanup.policy": "compact"} if topic.compact else retention
        # No limit of its own: the broker's is for a batch of a producer's, a contract's for one event.
        yield self._topic(topic.name, topic.partitions, policy)
        # What was refused waits for a person: it stays longer than what was accepted.
        yield self._topic(topic.quarantine, 1, {"retention.ms": 4 * retention["retention.ms"]})

    def _topic(self, name: str, partitions: int, settings: dict[str, Any]) -> msk.CfnTopic:
        lines = "\n".join(f"{key}={value}" for key, value in settings.items())
        created = msk.CfnTopic(
            self,
            f"Topic-{name}",
            cluster_arn=self.cluster.ref,
            topic_name=name,
            partition_count=partitions,
            replication_factor=self._replicas,
            configs=base64.b64encode(lines.encode()).decode(),
        )
        created.apply_removal_policy(self.removal_policy)
        return created

    def _registry(self) -> None:
        registry = glue.CfnRegistry(
            self, "Registry", name=self.name("events"), description="JSON Schema of every topic"
        )
        for topic in contracts().topics:
            TopicSchema(self, f"Schema-{topic.name}", registry=registry, topic=topic)


def _jmx_exporter() -> msk.CfnCluster.OpenMonitoringProperty:
    """Kafka's own metrics; what its exporter of the machine's would tell is in CloudWatch already."""
    return msk.CfnCluster.OpenMonitoringProperty(
        prometheus=msk.CfnCluster.PrometheusProperty(
            jmx_exporter=msk.CfnCluster.JmxExporterProperty(enabled_in_broker=True)
        )
    )
