"""EC2's network."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, Properties, made, native


def _flow_log(properties: Properties) -> Properties:
    return {**properties, "ResourceIds": [properties["ResourceId"]]}


def _rule(properties: Properties) -> Properties:
    """A rule of its own as one permission of its group."""
    peer = properties.get("SourceSecurityGroupId")
    described = {"Description": properties["Description"]} if "Description" in properties else {}
    sources = {
        "UserIdGroupPairs": [{"GroupId": peer, **described}] if peer else [],
        "IpRanges": [{"CidrIp": properties["CidrIp"], **described}] if "CidrIp" in properties else [],
    }
    permission = {key: properties[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in properties}
    return {
        "GroupId": properties["GroupId"],
        "IpPermissions": [{**permission, **{key: each for key, each in sources.items() if each}}],
    }


def _revoked() -> Call:
    # CloudFormation hands the properties back when a rule goes.
    permission = {
        "IpProtocol": "{IpProtocol}",
        "FromPort": "{FromPort}",
        "ToPort": "{ToPort}",
        "UserIdGroupPairs": [{"GroupId": "{SourceSecurityGroupId}"}],
    }
    arguments = {"GroupId": "{GroupId}", "IpPermissions": [permission]}
    return Call("ec2", "revoke_security_group_ingress", arguments)


_GROUP = Call("ec2", "describe_security_groups", {"GroupIds": ["{GroupId}"]}, "SecurityGroups")

TYPES: tuple[CloudType, ...] = (
    made(
        "AWS::EC2::EIP",
        Make(
            "{answer.PublicIp}",
            {"AllocationId": "{answer.AllocationId}", "PublicIp": "{answer.PublicIp}"},
            Call("ec2", "allocate_address"),
            Call("ec2", "release_address", {"AllocationId": "{attributes.AllocationId}"}),
        ),
        Call("ec2", "describe_addresses", {"PublicIps": ["{id}"]}, "Addresses"),
    ),
    made(
        "AWS::EC2::NatGateway",
        Make(
            "{answer.NatGateway.NatGatewayId}",
            {"NatGatewayId": "{id}"},
            Call("ec2", "create_nat_gateway"),
            Call("ec2", "delete_nat_gateway", {"NatGatewayId": "{id}"}),
        ),
        Call("ec2", "describe_nat_gateways", {"NatGatewayIds": ["{id}"]}, "NatGateways[?State!='deleted']"),
        "No traffic passes through it.",
        faked=True,
    ),
    made(
        "AWS::EC2::FlowLog",
        Make(
            "{answer.FlowLogIds[0]}",
            {"Id": "{id}"},
            Call("ec2", "create_flow_logs"),
            Call("ec2", "delete_flow_logs", {"FlowLogIds": ["{id}"]}),
            _flow_log,
        ),
        Call("ec2", "describe_flow_logs", {"FlowLogIds": ["{id}"]}, "FlowLogs"),
        "Nothing is logged.",
        faked=True,
    ),
    made(
        "AWS::EC2::SecurityGroupIngress",
        Make(
            "sgr-{hash}",
            {"Id": "{id}"},
            Call("ec2", "authorize_security_group_ingress"),
            _revoked(),
            _rule,
        ),
        _GROUP,
        "Kept in its group, with no rule id of its own; nothing is filtered.",
    ),
    native("AWS::EC2::VPC", Call("ec2", "describe_vpcs", {"VpcIds": ["{id}"]}, "Vpcs")),
    native("AWS::EC2::Subnet", Call("ec2", "describe_subnets", {"SubnetIds": ["{id}"]}, "Subnets")),
    native(
        "AWS::EC2::RouteTable",
        Call("ec2", "describe_route_tables", {"RouteTableIds": ["{id}"]}, "RouteTables"),
    ),
    native(
        "AWS::EC2::SubnetRouteTableAssociation",
        Call(
            "ec2",
            "describe_route_tables",
            {"RouteTableIds": ["{RouteTableId}"]},
            "RouteTables[0].Associations",
        ),
    ),
    native(
        "AWS::EC2::Route",
        Call("ec2", "describe_route_tables", {"RouteTableIds": ["{RouteTableId}"]}, "RouteTables[0].Routes"),
    ),
    native(
        "AWS::EC2::InternetGateway",
        Call("ec2", "describe_internet_gateways", {"InternetGatewayIds": ["{id}"]}, "InternetGateways"),
    ),
    native(
        "AWS::EC2::VPCGatewayAttachment",
        Call(
            "ec2",
            "describe_internet_gateways",
            {"InternetGatewayIds": ["{InternetGatewayId}"]},
            "InternetGateways[0].Attachments",
        ),
    ),
    native(
        "AWS::EC2::VPCEndpoint",
        Call("ec2", "describe_vpc_endpoints", {"VpcEndpointIds": ["{id}"]}, "VpcEndpoints"),
        "Calls reach the emulator without it.",
        faked=True,
    ),
    native(
        "AWS::EC2::SecurityGroup",
        Call("ec2", "describe_security_groups", {"GroupIds": ["{id}"]}, "SecurityGroups"),
        "Nothing is filtered.",
    ),
)
