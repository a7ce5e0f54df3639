"""The VPC: private subnets, endpoints for the services that are called, flow logs."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack

#: Another than everyone's 6379: it costs nothing, and rule packs ask for it.
VALKEY_PORT = 6380
#: Ports of the stores: MSK with IAM, Valkey over TLS, OpenSearch and the SageMaker endpoint, Neptune.
STORE_PORTS = {9098: "MSK with IAM", VALKEY_PORT: "Valkey", 443: "OpenSearch", 8182: "Neptune"}

_GATEWAYS = {
    "S3": ec2.GatewayVpcEndpointAwsService.S3,
    "DynamoDb": ec2.GatewayVpcEndpointAwsService.DYNAMODB,
}
_INTERFACES = {
    "Glue": ec2.InterfaceVpcEndpointAwsService.GLUE,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "SageMakerRuntime": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
    "Secrets": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
}


class NetworkStack(PlaneStack):
    """VPC, endpoints and the two security groups that the other planes use.

    Attributes:
        vpc: public subnets hold only the NAT gateways; everything else runs in private ones.
        clients: security group of everything that talks to a store.
        stores: security group of the stores, which only clients may reach.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the network of an environment."""
        super().__init__(scope, "network", config=config, holds="VPC, endpoints, flow logs")
        sizes = config.network
        subnets = [
            ec2.SubnetConfiguration(
                name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24
            ),
            ec2.SubnetConfiguration(
                name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
            ),
        ]
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self.name("vpc"),
            ip_addresses=ec2.IpAddresses.cidr(sizes.cidr),
            availability_zones=list(sizes.availability_zones),
            nat_gateways=sizes.nat_gateways,
            subnet_configuration=subnets,
            restrict_default_security_group=False,
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                self.log_group("FlowLogs", f"/mercato/{config.name}/vpc-flow")
            ),
        )
        self.clients = ec2.SecurityGroup(
            self,
            "Clients",
            vpc=self.vpc,
            description="Talks to the stores of Mercato",
            allow_all_outbound=True,
        )
        self.stores = ec2.SecurityGroup(
            self, "Stores", vpc=self.vpc, description="Stores of Mercato", allow_all_outbound=False
        )
        for port, name in STORE_PORTS.items():
            self.stores.add_ingress_rule(self.clients, ec2.Port.tcp(port), name)
        self._endpoints()

    @property
    def private_subnet_ids(self) -> list[str]:
        """Subnets without a way in, one in each availability zone."""
        return [subnet.subnet_id for subnet in self.vpc.private_subnets]

    def open_endpoints(self, stack: Stack, group: ec2.ISecurityGroup, who: str) -> None:
        """Let a group of another stack reach the interface endpoints, where there are any.

        Their names lead to the endpoints everywhere in the VPC: who may not reach those reaches no service.
        """
        if self.config.network.interface_endpoints:
            # A rule of that stack: as one of the group's own it would have the network wait for it.
            ec2.CfnSecurityGroupIngress(
                stack,
                "ToEndpoints",
                group_id=self.stores.security_group_id,
                source_security_group_id=group.security_group_id,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                description=who,
            )

    def _endpoints(self) -> None:
        for name, service in _GATEWAYS.items():
            self.vpc.add_gateway_endpoint(name, service=service)
        interfaces = _INTERFACES if self.config.network.interface_endpoints else {}
        for name, service in interfaces.items():
            self.vpc.add_interface_endpoint(name, service=service, security_groups=[self.stores], open=False)
