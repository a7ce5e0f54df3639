"""Logs, CloudWatch, Managed Prometheus and Grafana, budgets."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, Properties, made, native, recorded


def _budget(properties: Properties) -> Properties:
    """The API wants the subscribers beside the notification, and limits as text."""
    given = properties["Budget"]
    limit = given.get("BudgetLimit")
    shown = {"BudgetLimit": {**limit, "Amount": str(limit["Amount"])}} if limit else {}
    notifications = properties.get("NotificationsWithSubscribers", [])
    return {"Budget": {**given, **shown}, "NotificationsWithSubscribers": notifications}


TYPES: tuple[CloudType, ...] = (
    native(
        "AWS::Logs::LogGroup",
        Call(
            "logs", "describe_log_groups", {"logGroupNamePrefix": "{id}"}, "logGroups[?logGroupName=='{id}']"
        ),
    ),
    native(
        "AWS::Logs::LogStream",
        Call("logs", "describe_log_streams", {"logGroupName": "{LogGroupName}"}, "logStreams"),
    ),
    native("AWS::Logs::ResourcePolicy", Call("logs", "describe_resource_policies", {}, "resourcePolicies")),
    made(
        "AWS::CloudWatch::Alarm",
        Make(
            "{AlarmName || join('-', [stack, logical])}",
            {"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
            Call(
                "cloudwatch",
                "put_metric_alarm",
                {"AlarmName": "{AlarmName || join('-', [stack, logical])}"},
            ),
            Call("cloudwatch", "delete_alarms", {"AlarmNames": ["{id}"]}),
        ),
        Call("cloudwatch", "describe_alarms", {"AlarmNames": ["{id}"]}, "MetricAlarms"),
        "Expressions over several metrics are dropped; services put no metrics of their own.",
        faked=True,
    ),
    made(
        "AWS::CloudWatch::CompositeAlarm",
        Make(
            "{AlarmName || join('-', [stack, logical])}",
            {"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
            Call(
                "cloudwatch",
                "put_composite_alarm",
                {"AlarmName": "{AlarmName || join('-', [stack, logical])}"},
            ),
            Call("cloudwatch", "delete_alarms", {"AlarmNames": ["{id}"]}),
        ),
        Call(
            "cloudwatch",
            "describe_alarms",
            {"AlarmNames": ["{id}"], "AlarmTypes": ["CompositeAlarm"]},
            "CompositeAlarms",
        ),
    ),
    native("AWS::CloudWatch::Dashboard", Call("cloudwatch", "get_dashboard", {"DashboardName": "{id}"})),
    made(
        "AWS::APS::Workspace",
        Make(
            "{answer.arn}",
            {
                "Arn": "{id}",
                "WorkspaceId": "{answer.workspaceId}",
                "PrometheusEndpoint": (
                    "https://aps-workspaces.{region}.amazonaws.com/workspaces/{answer.workspaceId}/"
                ),
            },
            Call("amp", "create_workspace"),
            Call("amp", "delete_workspace", {"workspaceId": "{name}"}),
        ),
        Call("amp", "describe_workspace", {"workspaceId": "{name}"}),
        "Made in moto; takes no samples.",
        faked=True,
    ),
    recorded("AWS::APS::RuleGroupsNamespace", "{Workspace}/{Name}", "Works nothing out.", Arn="{id}"),
    recorded("AWS::APS::Scraper", "s-{hash}", "Nothing is scraped.", ScraperId="{id}", Arn="{id}"),
    recorded(
        "AWS::Grafana::Workspace",
        "g-{hash}",
        "No Grafana runs.",
        Id="{id}",
        Endpoint="{id}.grafana-workspace.{region}.amazonaws.com",
        Status="ACTIVE",
        GrafanaVersion="{GrafanaVersion}",
    ),
    made(
        "AWS::Budgets::Budget",
        Make(
            "{Budget.BudgetName || join('-', [stack, logical])}",
            {},
            Call("budgets", "create_budget", {"AccountId": "{account}"}),
            Call("budgets", "delete_budget", {"AccountId": "{account}", "BudgetName": "{id}"}),
            _budget,
        ),
        Call("budgets", "describe_budget", {"AccountId": "{account}", "BudgetName": "{id}"}),
        "Nothing costs anything.",
    ),
)
