"""The rule packs that every template must pass, and the rules that don't hold here, each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from constructs import IConstruct

from infra.cdk.config import Config
from infra.cdk.wildcards import wildcards

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
        rules: names without their pack.
        reason: why that is right.
    """

    path: str
    rules: tuple[str, ...]
    reason: str


#: Where CDK keeps the functions that it deploys with.
_BOOTSTRAP = "streaming/AWS679f53fac002430cb0da5b7982bd2287"
_SHIP = "processing/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB"
_BASIC_EXECUTION = (
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
)
_PROVIDER_RULES = ("LambdaConcurrency", "LambdaDLQ", "LambdaInsideVPC")

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
    Acknowledged(
        "lake",
        ("S3BucketReplicationEnabled",),
        "Versions and retention keep the data; a second region is the retailer's choice, at twice the cost.",
    ),
    Acknowledged(
        "lake/AccessLogs",
        ("S1", "S3DefaultEncryptionKMS", "S3BucketLoggingEnabled"),
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
        for path in ("network", "streaming", "processing")
    ),
    *(
        Acknowledged(
            path,
            (*_PROVIDER_RULES, "L1", _BASIC_EXECUTION),
            "CDK's own provider: runs during a deploy alone, is retried by it, and calls AWS's API only.",
        )
        for path in (_BOOTSTRAP, _SHIP)
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
    Validations.of(app).add_plugins(
        AwsSolutionsChecks(app), NIST80053R5Checks(app), HIPAASecurityChecks(app), PCIDSS321Checks(app)
    )


def _find(app: App, path: str) -> IConstruct | None:
    """The construct of that path; `None` where this environment has none."""
    found: IConstruct | None = app
    for name in path.split("/"):
        found = found.node.try_find_child(name) if found else None
    return found


def _ids(rules: tuple[str, ...]) -> list[str]:
    """Full names: a rule of AwsSolutions or CloudFormation has a number, one of a standard none."""
    ids = []
    for rule in rules:
        numbered = re.match(r"[A-Z]+\d+(\[|$)", rule)
        packs = ("CloudFormation-Validate::",) if rule.startswith("W") else (_SOLUTIONS,)
        ids += [f"{pack}{rule}" for pack in (packs if numbered else _STANDARDS)]
    return ids
