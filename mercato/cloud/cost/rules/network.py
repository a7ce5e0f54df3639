"""NAT gateways, interface endpoints, public addresses, flow logs."""

from __future__ import annotations

from collections.abc import Iterator

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import Resource


def _nat_gateway(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="NAT gateway", price="vpc.nat-hour", fixed=HOURS, basis="always on")
    yield Charge(
        what="NAT gateway data",
        price="vpc.nat-data",
        varying=context.usage.nat_gb * context.share(resource),
        basis="nat_gb, shared equally",
    )


def _endpoint(resource: Resource, context: Context) -> Iterator[Charge]:
    if resource.get("VpcEndpointType", default="Gateway") == "Gateway":
        return
    zones = len(resource.get("SubnetIds", default=()))
    interfaces = sum(
        each.get("VpcEndpointType") == "Interface"
        for each in context.assembly.resources
        if each.type == resource.type
    )
    yield Charge(
        what="interface endpoint",
        price="vpc.endpoint-hour",
        fixed=HOURS * zones,
        basis=f"always on in {zones} zones",
    )
    yield Charge(
        what="interface endpoint data",
        price="vpc.endpoint-data",
        varying=context.usage.endpoint_gb / interfaces,
        basis="endpoint_gb, shared equally",
    )


def _address(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(what="public IPv4 address", price="vpc.public-address", fixed=HOURS, basis="always held")


def _flow_log(resource: Resource, context: Context) -> Iterator[Charge]:
    yield Charge(
        what="flow logs written",
        price="cloudwatch.logs-written",
        varying=context.usage.flow_log_gb * context.share(resource),
        basis="flow_log_gb",
    )


RULES = {
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _flow_log,
}
