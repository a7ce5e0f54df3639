"""Managed Grafana: a workspace for people of IAM Identity Center, which may read metrics and nothing else."""

from __future__ import annotations

from aws_cdk import aws_aps as aps
from aws_cdk import aws_grafana as grafana
from aws_cdk import aws_iam as iam

from infra.cdk.stacks.base import PlaneStack

_VERSION = "10.4"
_CLOUDWATCH = ("DescribeAlarmsForMetric", "GetMetricData", "ListMetrics")
_PROMETHEUS = ("DescribeWorkspace", "GetLabels", "GetMetricMetadata", "GetSeries", "QueryMetrics")


class Grafana:
    """A workspace and its role."""

    def __init__(self, stack: PlaneStack, *, prometheus: aps.CfnWorkspace | None) -> None:
        """Create them in a stack; the role reads Managed Prometheus where there is one."""
        role = iam.Role(
            stack,
            "GrafanaRole",
            description="What Managed Grafana reads for its dashboards",
            assumed_by=iam.ServicePrincipal(
                "grafana.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        role.add_to_policy(_allow("cloudwatch", _CLOUDWATCH, "*"))
        sources = ["CLOUDWATCH"]
        if prometheus is not None:
            sources.append("PROMETHEUS")
            role.add_to_policy(_allow("aps", ("ListWorkspaces",), "*"))
            role.add_to_policy(_allow("aps", _PROMETHEUS, prometheus.attr_arn))
        workspace = grafana.CfnWorkspace(
            stack,
            "Grafana",
            name=stack.name("grafana"),
            description=f"Dashboards of Mercato {stack.config.name}",
            account_access_type="CURRENT_ACCOUNT",
            authentication_providers=["AWS_SSO"],
            permission_type="CUSTOMER_MANAGED",
            role_arn=role.role_arn,
            data_sources=sources,
            grafana_version=_VERSION,
            plugin_admin_enabled=False,
        )
        workspace.apply_removal_policy(stack.removal_policy)


def _allow(service: str, actions: tuple[str, ...], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[f"{service}:{each}" for each in actions], resources=[resource])
