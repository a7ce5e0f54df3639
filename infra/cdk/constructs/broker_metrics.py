"""The brokers' own metrics in Managed Prometheus: who reads them there, what is kept, what is worked out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_aps as aps
from aws_cdk import aws_ec2 as ec2

from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack

#: Where MSK's JMX exporter answers on every broker.
EXPORTER_PORT = 11001
RULES = Path(__file__).parents[1] / "metrics" / "rules.yaml"
#: Kept of some thousand series of a broker, by metric and its label `name`: each sample is paid for.
KEPT = {
    "kafka_server_BrokerTopicMetrics_OneMinuteRate": ("MessagesInPerSec", "BytesInPerSec", "BytesOutPerSec"),
    "kafka_server_KafkaRequestHandlerPool_OneMinuteRate": ("RequestHandlerAvgIdlePercent",),
    "kafka_network_SocketServer_Value": ("NetworkProcessorAvgIdlePercent",),
    "kafka_server_ReplicaManager_Value": ("UnderReplicatedPartitions", "UnderMinIsrPartitionCount"),
    "kafka_network_RequestMetrics_99thPercentile": ("TotalTimeMs",),
}


class BrokerMetrics:
    """A workspace, the collector that fills it from every broker, and the rules over it.

    Attributes:
        workspace: of Managed Prometheus.
    """

    def __init__(self, stack: PlaneStack, *, network: NetworkStack, streaming: StreamingStack) -> None:
        """Create them in a stack."""
        log = stack.log_group("PrometheusLogs", f"/aws/vendedlogs/{stack.name('prometheus')}")
        # With a key of ours no managed collector could write into it; AWS's own encrypts it.
        self.workspace = aps.CfnWorkspace(
            stack,
            "Prometheus",
            alias=stack.name("brokers"),
            logging_configuration=aps.CfnWorkspace.LoggingConfigurationProperty(
                log_group_arn=log.log_group_arn
            ),
        )
        self.workspace.apply_removal_policy(stack.removal_policy)
        aps.CfnRuleGroupsNamespace(
            stack,
            "PrometheusRules",
            name="mercato",
            workspace=self.workspace.attr_arn,
            data=RULES.read_text(),
        )
        aps.CfnScraper(
            stack,
            "Scraper",
            alias=stack.name("brokers"),
            source=aps.CfnScraper.SourceProperty(
                vpc_configuration=aps.CfnScraper.VpcConfigurationProperty(
                    security_group_ids=[_group(stack, network).security_group_id],
                    subnet_ids=network.private_subnet_ids,
                )
            ),
            destination=aps.CfnScraper.DestinationProperty(
                amp_configuration=aps.CfnScraper.AmpConfigurationProperty(
                    workspace_arn=self.workspace.attr_arn
                )
            ),
            scrape_configuration=aps.CfnScraper.ScrapeConfigurationProperty(
                configuration_blob=Fn.base64(stack.to_json_string(scrape(streaming.brokers)))
            ),
        )


def scrape(brokers: list[str]) -> dict[str, Any]:
    """What the collector asks, and what it keeps of the answers, as Prometheus' own configuration."""
    kept = "|".join(f"{metric};({'|'.join(names)})" for metric, names in KEPT.items())
    return {
        "global": {"scrape_interval": "60s", "scrape_timeout": "15s"},
        "scrape_configs": [
            {
                "job_name": "brokers",
                "dns_sd_configs": [{"names": brokers, "type": "A", "port": EXPORTER_PORT}],
                "relabel_configs": [{"source_labels": ["__meta_dns_name"], "target_label": "broker"}],
                "metric_relabel_configs": [
                    {"source_labels": ["__name__", "name"], "regex": kept, "action": "keep"}
                ],
            }
        ],
    }


def _group(stack: PlaneStack, network: NetworkStack) -> ec2.SecurityGroup:
    """The collector's group, which reaches the brokers' exporters and nothing else."""
    group = ec2.SecurityGroup(
        stack,
        "ScraperGroup",
        vpc=network.vpc,
        description="Reads the metrics of the brokers",
        allow_all_outbound=False,
    )
    what = "JMX exporter of the brokers"
    group.add_egress_rule(
        ec2.Peer.security_group_id(network.stores.security_group_id), ec2.Port.tcp(EXPORTER_PORT), what
    )
    ec2.CfnSecurityGroupIngress(
        stack,
        "ExporterIngress",
        group_id=network.stores.security_group_id,
        source_security_group_id=group.security_group_id,
        ip_protocol="tcp",
        from_port=EXPORTER_PORT,
        to_port=EXPORTER_PORT,
        description=what,
    )
    return group
