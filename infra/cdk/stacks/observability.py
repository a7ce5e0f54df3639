"""A dashboard, alarms that page only for what shops feel, a budget; Prometheus and Grafana where wanted."""

from __future__ import annotations

from collections import defaultdict

from aws_cdk import SecretValue
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.artifacts.models import MODELS
from infra.cdk.config import Config
from infra.cdk.constructs.alarms import SEVERITIES, Severity, watches
from infra.cdk.constructs.broker_metrics import BrokerMetrics
from infra.cdk.constructs.failed import FailedEvents
from infra.cdk.constructs.function import Function
from infra.cdk.constructs.grafana import Grafana
from infra.cdk.constructs.panels import rows
from infra.cdk.constructs.watched import Watched
from infra.cdk.stacks.base import PlaneStack, log_group_arn
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack
from mercato.cloud.template import ENVIRONMENT


class ObservabilityStack(PlaneStack):
    """How people learn how it goes."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        streaming: StreamingStack,
        watched: Watched,
    ) -> None:
        """Create the dashboard and the alarms of an environment."""
        super().__init__(scope, "observability", config=config, holds="dashboard, alarms, budget")
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.name("overview"))
        for row in rows(watched, self.account):
            dashboard.add_widgets(*row)
        self._failures(watched)
        self.topic = self._topic()
        self._alarms(watched)
        for address in config.observability.emails:
            sns.CfnSubscription(
                self, f"To-{address}", topic_arn=self.topic.topic_arn, protocol="email", endpoint=address
            )
        if config.observability.pagerduty:
            self._pagerduty(network)
        if config.observability.budget_usd:
            self._budget()
        prometheus = (
            BrokerMetrics(self, network=network, streaming=streaming).workspace
            if config.observability.prometheus
            else None
        )
        if config.observability.grafana:
            Grafana(self, prometheus=prometheus)

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Pages", topic_name=self.name("pages"), master_key=self.key, enforce_ssl=True)
        senders = [iam.ServicePrincipal(f"{each}.amazonaws.com") for each in ("cloudwatch", "budgets")]
        mine = {"StringEquals": {"aws:SourceAccount": self.account}}
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                principals=senders,
                resources=["*"],
                conditions=mine,
            )
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"], principals=senders, resources=[topic.topic_arn], conditions=mine
            )
        )
        return topic

    def _failures(self, watched: Watched) -> None:
        """Rules of what failed; each counts what it matches, and that metric is all that is wanted of it."""
        log = self.log_group("FailedJobs", f"/aws/events/{watched.failed_jobs}")
        document = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    resources=[log.log_group_arn],
                )
            ]
        )
        # CDK's own name for it is the same in every environment, and an account has one of a name.
        logs.CfnResourcePolicy(
            self,
            "FailedJobsPolicy",
            policy_name=self.name("failed-jobs"),
            policy_document=self.to_json_string(document),
        )
        jobs = {
            "source": ["aws.glue", "aws.states"],
            "detail-type": ["Glue Job State Change", "Step Functions Execution Status Change"],
            "detail": {
                "$or": [
                    {
                        "jobName": [{"prefix": self.name("")}],
                        "state": ["FAILED", "TIMEOUT", "ERROR"],
                    },
                    {
                        "stateMachineArn": [{"suffix": f":{self.name('nightly')}"}],
                        "status": ["FAILED", "TIMED_OUT"],
                    },
                ]
            },
        }
        training = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "pipelineArn": [{"suffix": f":pipeline/{self.name(model)}"} for model in MODELS],
                "currentPipelineExecutionStatus": ["Failed"],
            },
        }
        for construct_id, name, description, pattern in (
            (
                "FailedJobsRule",
                watched.failed_jobs,
                "A Glue job, or a run of them, that did not end well",
                jobs,
            ),
            ("FailedTrainingRule", watched.failed_training, "A training pipeline that failed", training),
        ):
            events.CfnRule(
                self,
                construct_id,
                name=name,
                description=description,
                event_pattern=pattern,
                targets=[events.CfnRule.TargetProperty(id="log", arn=log_group_arn(log))],
            )

    def _alarms(self, watched: Watched) -> None:
        """An alarm for each thing to watch, and one for each plane, which alone pages."""
        planes: dict[str, list[cloudwatch.IAlarm]] = defaultdict(list)
        severities: dict[str, set[Severity]] = defaultdict(set)
        for watch in watches(watched, self.config.observability, self.account):
            alarm = cloudwatch.Alarm(
                self,
                watch.name,
                alarm_name=self.name(watch.name),
                alarm_description=watch.description,
                metric=watch.metric,
                threshold=watch.threshold,
                evaluation_periods=watch.periods,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING
                if watch.must_report
                else cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            planes[watch.plane].append(alarm)
            severities[watch.plane].add(watch.severity)
        for plane, alarms in planes.items():
            # One of warnings alone is to wake nobody.
            severity = min(severities[plane], key=SEVERITIES.index)
            composite = cloudwatch.CompositeAlarm(
                self,
                f"Plane-{plane}",
                composite_alarm_name=self.name(f"plane-{plane}"),
                alarm_description=f"{severity}: Something of {plane} is wrong; its alarms say what.",
                alarm_rule=cloudwatch.AlarmRule.any_of(*alarms),
            )
            for act in (composite.add_alarm_action, composite.add_ok_action):
                act(actions.SnsAction(self.topic))

    def _pagerduty(self, network: NetworkStack) -> None:
        secret = secretsmanager.Secret(
            self,
            "PagerDuty",
            secret_name=self.name("pagerduty"),
            description='Key of the integration: {"routing_key": "..."}',
            encryption_key=self.key,
            secret_string_value=SecretValue.unsafe_plain_text('{"routing_key": ""}'),
            removal_policy=self.removal_policy,
        )
        function = Function(
            self,
            "alerts",
            network=network,
            environment={"MERCATO_PAGERDUTY_SECRET_ARN": secret.secret_arn},
            memory_mib=256,
            timeout_seconds=30,
            concurrency=0,
            dead_letters=FailedEvents(self),
        )
        function.allow(["secretsmanager:GetSecretValue"], [secret.secret_arn])
        function.invoked_by("sns", self.topic.topic_arn)
        sns.CfnSubscription(
            self,
            "ToPagerDuty",
            topic_arn=self.topic.topic_arn,
            protocol="lambda",
            endpoint=function.arn,
        )

    def _budget(self) -> None:
        budget = budgets.CfnBudget
        subscriber = budget.SubscriberProperty(subscription_type="SNS", address=self.topic.topic_arn)
        created = budgets.CfnBudget(
            self,
            "Budget",
            budget=budget.BudgetDataProperty(
                budget_name=self.name("monthly"),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budget.SpendProperty(amount=self.config.observability.budget_usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{ENVIRONMENT}${self.config.name}"]},
            ),
            notifications_with_subscribers=[
                budget.NotificationWithSubscribersProperty(
                    notification=budget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=threshold,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
        # With the policy that lets it publish.
        created.node.add_dependency(self.topic)
