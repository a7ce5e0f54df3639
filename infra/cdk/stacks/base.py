"""What every stack has: a name, a key, log groups, and a policy for what outlives it."""

from __future__ import annotations

from functools import cached_property

from aws_cdk import ArnFormat, Environment, RemovalPolicy, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cdk.config import Config
from mercato.cloud.template import ENVIRONMENT


class PlaneStack(Stack):
    """One plane of the platform.

    Attributes:
        config: configuration of the environment.
        plane: short name, such as `lake`.
    """

    def __init__(self, scope: Construct, plane: str, *, config: Config, holds: str, region: str = "") -> None:
        """Create an empty stack.

        Args:
            plane: short name; the stack is called `mercato-ENV-PLANE`.
            holds: one line for the console.
            region: another than the configured one.
        """
        super().__init__(
            scope,
            plane,
            stack_name=f"mercato-{config.name}-{plane}",
            env=Environment(account=config.account or None, region=region or config.region),
            # Only the edge lives elsewhere, and only where the rest is not in its region.
            cross_region_references=config.region != "us-east-1",
            description=f"Mercato {config.name}: {holds}",
            termination_protection=config.retain,
        )
        self.config = config
        self.plane = plane
        for key, value in self.told_by.items():
            Tags.of(self).add(key, value)

    @property
    def told_by(self) -> dict[str, str]:
        """Tags by which the costs of what is made here are told from others."""
        return {ENVIRONMENT: self.config.name, "mercato:plane": self.plane}

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of stateful resources when the stack goes.

        Those of a first deploy that failed go in any case: they hold nothing, and the next try needs their
        names.
        """
        kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        return kept if self.config.retain else RemovalPolicy.DESTROY

    @cached_property
    def key(self) -> kms.Key:
        """The plane's own key, so that one leaked grant opens one plane."""
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/mercato-{self.config.name}-{self.plane}",
            description=f"Data and logs of Mercato's {self.plane} plane",
            enable_key_rotation=True,
            removal_policy=self.removal_policy,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=[
                    "kms:Encrypt*",
                    "kms:Decrypt*",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:Describe*",
                ],
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": self.format_arn(
                            service="logs", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME
                        )
                    }
                },
            )
        )
        return key

    def name(self, suffix: str) -> str:
        """A physical name that is unique in the account and region."""
        return f"mercato-{self.config.name}-{suffix}"

    def log_group(self, construct_id: str, name: str) -> logs.LogGroup:
        """An encrypted log group that is kept as long as the configuration says."""
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=name,
            retention=_RETENTION[self.config.observability.log_days],
            encryption_key=self.key,
            removal_policy=self.removal_policy,
        )


def log_group_arn(group: logs.ILogGroup) -> str:
    """ARN of a log group for services that refuse the `:*` with which its own attribute ends.

    A token cannot be cut: the name is put into an ARN instead.
    """
    return group.stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=group.log_group_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
