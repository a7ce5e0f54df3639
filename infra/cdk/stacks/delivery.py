"""Who may deploy from GitHub: workflows of one repository, one environment of it, for an hour at a time."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack

_ISSUER = "token.actions.githubusercontent.com"
#: Roles of CDK's own bootstrap, which do what a deploy does.
_BOOTSTRAP = ("deploy", "file-publishing", "lookup")


class DeliveryStack(PlaneStack):
    """The role of the workflow `deploy.yml`."""

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the role of an environment."""
        super().__init__(scope, "delivery", config=config, holds="the role that GitHub deploys with")
        settings = config.delivery
        provider = self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=_ISSUER)
        if settings.provider:
            iam.CfnOIDCProvider(
                self, "GitHub", url=f"https://{_ISSUER}", client_id_list=["sts.amazonaws.com"]
            )
        # GitHub lets a workflow say this only when the environment's own rules let it run.
        subject = f"repo:{settings.repository}:environment:{config.name}"
        role = iam.Role(
            self,
            "Deployer",
            role_name=self.name("deployer"),
            description=f"Deploys {config.name} from {settings.repository}",
            max_session_duration=Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(
                provider,
                {"StringEquals": {f"{_ISSUER}:aud": "sts.amazonaws.com", f"{_ISSUER}:sub": subject}},
            ),
        )
        qualifier = "hnb659fds"
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[
                    f"arn:{self.partition}:iam::{self.account}:role/"
                    f"cdk-{qualifier}-{kind}-role-{self.account}-{region}"
                    for kind in _BOOTSTRAP
                    for region in sorted({config.region, "us-east-1"})
                ],
            )
        )
