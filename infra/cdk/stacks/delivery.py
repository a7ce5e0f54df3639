"""Who may deploy from GitHub: workflows of one repository, one environment of it, as long as a run lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cdk.config import Config
from infra.cdk.stacks.base import PlaneStack

_ISSUER = "token.actions.githubusercontent.com"
#: Roles of CDK's own bootstrap, which do what a deploy does.
_BOOTSTRAP = ("deploy", "file-publishing", "lookup")
_QUALIFIER = "hnb659fds"
#: As long as the workflow's job may take: a cluster, its topics one after another and an Airflow alone take
#: more than half an hour each.
_SESSION = Duration.hours(4)
#: What the preflight asks of the account (`mercato.cloud.preflight`); these take no resource.
_LOOKING = (
    "ce:ListCostAllocationTags",
    "cloudformation:DescribeStacks",
    "ec2:DescribeAddresses",
    "ec2:DescribeVpcs",
    "kafka:ListClusters",
    "lakeformation:GetDataLakeSettings",
    "lambda:GetAccountSettings",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
)


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
            max_session_duration=_SESSION,
            assumed_by=iam.WebIdentityPrincipal(
                provider,
                {"StringEquals": {f"{_ISSUER}:aud": "sts.amazonaws.com", f"{_ISSUER}:sub": subject}},
            ),
        )
        regions = sorted({config.region, "us-east-1"})
        bootstrap = [
            f"arn:{self.partition}:iam::{self.account}:role/"
            f"cdk-{_QUALIFIER}-{kind}-role-{self.account}-{region}"
            for kind in _BOOTSTRAP
            for region in regions
        ]
        for actions, resources in (
            (["sts:AssumeRole"], bootstrap),
            ([*_LOOKING], ["*"]),
            (["ssm:GetParameter"], [*self._parameters(regions)]),
            (["iam:GetRole"], [self._linked_roles()]),
            (["cloudformation:GetTemplate"], [self._stacks(region) for region in regions]),
            (["lambda:GetFunctionConcurrency"], [self._functions()]),
            # Whether somebody has put a value there; the value itself is nobody's here.
            (["secretsmanager:DescribeSecret"], [self._secrets()]),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _parameters(self, regions: Sequence[str]) -> Iterator[str]:
        """The version of CDK's own stack, and AWS's public list of what a region has."""
        for region in regions:
            ours, everyones = (
                f"arn:{self.partition}:ssm:{region}:{of}:parameter" for of in (self.account, "")
            )
            yield f"{ours}/cdk-bootstrap/{_QUALIFIER}/version"
            yield f"{everyones}/aws/service/global-infrastructure/*"

    def _linked_roles(self) -> str:
        return self.format_arn(service="iam", region="", resource="role", resource_name="aws-service-role/*")

    def _stacks(self, region: str) -> str:
        return self.format_arn(
            service="cloudformation", region=region, resource="stack", resource_name=f"{self.name('')}*"
        )

    def _functions(self) -> str:
        return self.format_arn(
            service="lambda",
            resource="function",
            resource_name=f"{self.name('')}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _secrets(self) -> str:
        return self.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{self.name('')}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
