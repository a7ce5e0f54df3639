"""The rule packs that every template must pass, and the rules that don't hold here, each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from constructs import IConstruct

from infra.cdk.checkov import skip
from infra.cdk.config import Config
from infra.cdk.constructs.gateway import route_id
from infra.cdk.wildcards import EMPTIERS, FUNCTIONS, SHIPS, wildcards
from lambdas.scopes import ADMIN_ROUTES, PEOPLE, ROUTES

_SOLUTIONS = "AwsSolutions::AwsSolutions-"
_STANDARDS = (
    "NIST.800.53.R5::NIST.800.53.R5-",
    "HIPAA.Security::HIPAA.Security-",
    "PCI.DSS.321::PCI.DSS.321-",
)


@dataclass(frozen=True)
class Acknowledged:
    """A rule that does not hold for a construct and what is in it.

    Attributes:
        path: of the construct, below the app; a stack's alone for the whole stack.
        rules: names without their pack, and Checkov's.
        reason: why that is right.
    """

    path: str
    rules: tuple[str, ...]
    reason: str


#: Where CDK keeps the functions that it deploys with.
_BOOTSTRAP = "streaming/AWS679f53fac002430cb0da5b7982bd2287"
_BASIC_EXECUTION = (
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
)
_PROVIDER_RULES = (
    *("LambdaConcurrency", "LambdaDLQ", "LambdaInsideVPC"),
    *("CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117"),
)

ACKNOWLEDGED = (
    Acknowledged(
        "network/Vpc",
        ("VPCDefaultSecurityGroupClosed",),
        "Nothing uses the default group: every resource names one of its own.",
    ),
    Acknowledged(
        "network/Vpc",
        ("VPCNoUnrestrictedRouteToIGW",),
        "Only the NAT gateways are in the public subnets, and what they let out may go anywhere.",
    ),
    *(
        Acknowledged(
            path,
            ("S3BucketReplicationEnabled",),
            "Versions keep the data; a second region is the retailer's choice, at twice the cost.",
        )
        for path in ("lake", "airflow/Bucket", "models/Bucket")
    ),
    Acknowledged(
        "airflow/Group",
        ("EC2RestrictedCommonPorts",),
        "MWAA asks for a group that lets its own members in, on every port; nobody else is a member.",
    ),
    Acknowledged(
        "processing/Workers",
        ("EC2RestrictedCommonPorts",),
        "Glue asks for a group that lets its own members in, on every port; nobody else is a member.",
    ),
    Acknowledged(
        "lake/AccessLogs",
        ("S1", "S3DefaultEncryptionKMS", "S3BucketLoggingEnabled", "CKV_AWS_18"),
        "S3 delivers access logs only to buckets with its own encryption, and a log of logs never ends.",
    ),
    Acknowledged(
        "processing/Vpc",
        ("W3010",),
        "The zone is the configured one of the subnet beside it.",
    ),
    *(
        Acknowledged(
            path,
            ("IAMNoInlinePolicy",),
            "A grant made where stacks are composed belongs to one role and lives and dies with it.",
        )
        for path in (
            "network",
            "streaming",
            "features",
            "processing",
            "intake",
            "decisions",
            "graph",
            "observability",
            "schedule",
            "search",
            "delivery",
            "airflow",
            "models",
        )
    ),
    Acknowledged(
        "features/Secret",
        ("SMG4", "SecretsManagerRotationEnabled"),
        "ElastiCache is told of the password by the stack: it changes with a deploy.",
    ),
    Acknowledged(
        "features/Store",
        ("AEC4", "ElastiCacheRedisClusterAutomaticBackup"),
        "`features` of the configuration says how many; all can be materialised anew from the lake.",
    ),
    Acknowledged(
        "features/Store",
        ("AEC6",),
        "Its one user has a password and a list of rights, which is more than AUTH.",
    ),
    Acknowledged(
        "search/Domain",
        ("OS3",),
        "It is in private subnets, and whoever asks signs with a role that may.",
    ),
    Acknowledged(
        "search/Domain",
        ("OS4",),
        "`search.dedicated_masters` says; two small nodes need none.",
    ),
    Acknowledged(
        "search/Domain",
        ("CKV_AWS_317",),
        "Audit logs are of OpenSearch's own users; here are none, and IAM says who may.",
    ),
    Acknowledged(
        "observability",
        ("CloudWatchAlarmAction",),
        "Only the alarm of a whole plane tells people; those it is made of say what is wrong.",
    ),
    Acknowledged(
        "observability/PagerDuty",
        ("SMG4", "SecretsManagerRotationEnabled"),
        "PagerDuty gives out the key of the integration, and people put it in.",
    ),
    Acknowledged(
        "intake/FeedTokens",
        ("SMG4", "SecretsManagerRotationEnabled"),
        "Whoever runs the feed gives out its token, and says when it changes.",
    ),
    Acknowledged(
        "edge/Distribution",
        ("CFR1",),
        "Where a retailer sells is not ours to know.",
    ),
    Acknowledged(
        "edge/Distribution",
        ("CFR3", "CKV_AWS_86"),
        "API Gateway logs every request that comes through, and the firewall every one that does not.",
    ),
    Acknowledged(
        "edge/Distribution",
        ("CFR4", "CKV_AWS_174"),
        "CloudFront's own name has its own certificate; `decisions.domain` is TLS 1.2 or newer.",
    ),
    Acknowledged(
        "identity/People",
        ("COG8",),
        "Nobody can sign up, and everybody needs a second factor; the plus tier is the retailer's choice.",
    ),
    *(
        Acknowledged(path, ("L1",), "Bundles are built for Python 3.13 and tested on it.")
        for path in FUNCTIONS
    ),
    *(
        Acknowledged(
            path,
            ("LambdaConcurrency", "CKV_AWS_115"),
            "A share of the account's limit is kept for it where `concurrency` says how much.",
        )
        for path in FUNCTIONS
    ),
    *(
        Acknowledged(path, ("LambdaDLQ", "CKV_AWS_116"), "Whoever calls it waits for the answer.")
        for path in ("decisions/Api", "decisions/Collector", "decisions/Admin")
    ),
    *(
        Acknowledged(
            f"{path}/Role",
            ("CKV_AWS_111",),
            "Lambda's network interfaces have no names before they exist, and X-Ray's traces never any.",
        )
        for path in FUNCTIONS
    ),
    *(
        Acknowledged(
            path,
            ("CKV_AWS_173",),
            "CDK's own function; its one variable says where the certificates of Lambda's system are.",
        )
        for path in SHIPS
    ),
    *(
        Acknowledged(
            f"decisions/HttpApi/{route_id(method, route)}",
            ("APIG4",),
            "Nothing of a household or a shop is there: what the API is, whether it is well, how to sign in.",
        )
        for method, route, scope in (*ROUTES, *ADMIN_ROUTES)
        if scope is None
    ),
    *(
        Acknowledged(
            f"decisions/HttpApi/{route_id(method, route)}",
            ("APIG4",),
            "A browser sends no token with a page: the function asks for the session of a person first.",
        )
        for method, route, scope in ADMIN_ROUTES
        if scope == PEOPLE
    ),
    Acknowledged(
        "decisions/SignIn/Key",
        ("SMG4", "SecretsManagerRotationEnabled"),
        "A new key signs everybody out; whoever wants that puts one there.",
    ),
    *(
        Acknowledged(
            path,
            (*_PROVIDER_RULES, "L1", _BASIC_EXECUTION),
            "CDK's own provider: runs during a deploy alone, is retried by it, and calls AWS's API only.",
        )
        for path in (_BOOTSTRAP, *SHIPS, *EMPTIERS)
    ),
)


def check(app: App, config: Config) -> None:
    """Have the packs look at every stack when the app is synthesized; a finding fails it."""
    listed = (Acknowledged(path, (f"IAM5[{what}]",), why) for path, what, why in wildcards(config))
    for each in (*ACKNOWLEDGED, *listed):
        construct = _find(app, each.path)
        if construct is not None:
            Validations.of(construct).acknowledge(
                *(Acknowledgment(id=rule, reason=each.reason) for rule in _ids(each.rules))
            )
            skip(construct, [rule for rule in each.rules if _is_checkov(rule)], each.reason)
    Validations.of(app).add_plugins(
        AwsSolutionsChecks(app), NIST80053R5Checks(app), HIPAASecurityChecks(app), PCIDSS321Checks(app)
    )


def _find(app: App, path: str) -> IConstruct | None:
    """The construct of that path; `None` where this environment has none."""
    construct: IConstruct | None = app
    for name in path.split("/"):
        construct = construct.node.try_find_child(name) if construct else None
    return construct


def _is_checkov(rule: str) -> bool:
    return rule.startswith("CKV_")


def _ids(rules: tuple[str, ...]) -> list[str]:
    """Full names: a rule of AwsSolutions or CloudFormation has a number, one of a standard none."""
    ids = []
    for rule in rules:
        if _is_checkov(rule):
            continue
        numbered = re.match(r"[A-Z]+\d+(\[|$)", rule)
        packs = ("CloudFormation-Validate::",) if rule.startswith("W") else (_SOLUTIONS,)
        ids += [f"{pack}{rule}" for pack in (packs if numbered else _STANDARDS)]
    return ids
