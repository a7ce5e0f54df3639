"""What comes in beside the shops' calls: landed files, polled feeds, events into the online store."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import SecretValue
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.constructs.failed import FailedEvents
from infra.cdk.constructs.function import Function
from infra.cdk.constructs.kafka_source import read_topic
from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.clients import kafka_environment, store_environment
from infra.cdk.stacks.features import FeaturesStack
from infra.cdk.stacks.lake import LakeStack
from infra.cdk.stacks.network import NetworkStack
from infra.cdk.stacks.streaming import StreamingStack

#: Topics whose events change the online store (`mercato.stream.updates`), and whether what was there before
#: counts: sessions of the past are over.
_FOLLOWED = {
    "clickstream.v1": False,
    "payments.v1": True,
    "payment_decisions.v1": True,
    "payment_outcomes.v1": True,
    "price_decisions.v1": True,
}
_TRIES = 3


class IntakeStack(PlaneStack):
    """Functions that nobody waits for.

    Attributes:
        functions: all of them.
        updater: the one that brings events into the online store.
        failed: queue of what they could not do.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        network: NetworkStack,
        lake: LakeStack,
        streaming: StreamingStack,
        features: FeaturesStack,
    ) -> None:
        """Create the intake of an environment."""
        super().__init__(
            scope, "intake", config=config, holds="landed files, feeds, events into the online store"
        )
        self._network, self._streaming = network, streaming
        self.functions: list[Function] = []
        self.failed = FailedEvents(self)
        kafka = kafka_environment(config, streaming)
        self._landing(lake, kafka)
        if config.intake.feeds:
            self._pollers(kafka)
        self.updater = self._online(features, kafka)

    def _function(self, name: str, environment: Mapping[str, str], *, minutes: int) -> Function:
        function = Function(
            self,
            name,
            network=self._network,
            environment=environment,
            memory_mib=512,
            timeout_seconds=60 * minutes,
            concurrency=self.config.intake.concurrency,
            dead_letters=self.failed,
        )
        self.functions.append(function)
        return function

    def _writes(self, function: Function, topics: list[str]) -> None:
        quarantine = [topic.quarantine for topic in contracts().topics if topic.name in topics]
        self._streaming.grant(function.role, writes=[*topics, *quarantine])

    def _landing(self, lake: LakeStack, environment: Mapping[str, str]) -> None:
        function = self._function("landing", environment, minutes=15)
        self._writes(function, [topic.name for topic in contracts().topics if not topic.derived])
        objects = lake.objects_arn("landing")
        function.allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [objects])
        # Without it S3 answers that a key which is gone is forbidden.
        function.allow(["s3:ListBucket"], [lake.landing.bucket_arn])
        function.allow(["kms:Decrypt", "kms:GenerateDataKey"], [lake.key.key_arn])
        rule = events.CfnRule(
            self,
            "Landed",
            name=self.name("landed"),
            description="A file in the landing bucket",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [lake.bucket_name("landing")]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="landing",
                    arn=function.arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_retry_attempts=_TRIES),
                )
            ],
        )
        function.invoked_by("events", rule.attr_arn)

    def _tokens(self) -> secretsmanager.Secret:
        """Bearer tokens by the name of the feed; people put them in."""
        return secretsmanager.Secret(
            self,
            "FeedTokens",
            secret_name=self.name("feed-tokens"),
            description='Bearer tokens of the feeds, such as {"weather": "..."}',
            encryption_key=self.key,
            secret_string_value=SecretValue.unsafe_plain_text("{}"),
            removal_policy=self.removal_policy,
        )

    def _pollers(self, environment: dict[str, str]) -> None:
        feeds = self.config.intake.feeds
        addresses = {f"MERCATO_{name.upper()}_URL": feed.url for name, feed in feeds.items()}
        tokens = self._tokens()
        secret = {"MERCATO_FEEDS_SECRET_ARN": tokens.secret_arn}
        function = self._function("pollers", environment | addresses | secret, minutes=2)
        function.allow(["secretsmanager:GetSecretValue"], [tokens.secret_arn])
        self._writes(function, [f"{name}.v1" for name in feeds])
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Wakes the pollers",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.arn]))
        for name, feed in feeds.items():
            scheduler.CfnSchedule(
                self,
                f"Look-{name}",
                name=self.name(name.replace("_", "-")),
                description=f"Looks at the feed {name}",
                schedule_expression=f"rate({feed.minutes} minute{'s' if feed.minutes > 1 else ''})",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                kms_key_arn=self.key.key_arn,
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=function.arn,
                    role_arn=role.role_arn,
                    input=json.dumps({"feed": name}),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=_TRIES),
                ),
            )
        role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[self.key.key_arn]))

    def _online(self, features: FeaturesStack, kafka: Mapping[str, str]) -> Function:
        environment = {**kafka, **store_environment(self.config, features)}
        function = self._function("features", environment, minutes=1)
        features.grant(function.role)
        # Of what cannot be merged.
        quarantine = [topic.quarantine for topic in contracts().topics if topic.name in _FOLLOWED]
        self._streaming.grant(function.role, writes=quarantine)
        for topic, from_the_start in _FOLLOWED.items():
            read_topic(
                function,
                self._streaming,
                topic=topic,
                group=f"online-{topic}",
                from_the_start=from_the_start,
            )
        return function
