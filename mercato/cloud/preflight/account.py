"""The account: whose it is, whether CDK can deploy there, and what is deployed there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mercato.cloud.preflight.finding import Finding, blocking, ok, warning
from mercato.cloud.template import Assembly, Resource, resources

_VERSION = "/cdk-bootstrap/hnb659fds/version"
_NO_ACCOUNT = "unknown-account"
#: It has resources that were in use: to delete it would be the worst way out.
_STUCK = "UPDATE_ROLLBACK_FAILED"
#: Of a stack that was begun and holds nothing.
_EMPTY = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")
_LEFTOVERS = ("ROLLBACK_FAILED", "DELETE_FAILED")
_FAILED = ("ROLLBACK_COMPLETE", "CREATE_FAILED", *_LEFTOVERS, _STUCK)


def identity(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether the credentials are there, and of the account and region that the templates are for."""
    try:
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield blocking(
            "identity", f"no usable credentials: {error}", "aws sso login, or set AWS_PROFILE; then try again"
        )
        return
    account = caller["Account"]
    yield ok("identity", caller["Arn"])
    if assembly.account == _NO_ACCOUNT:
        yield warning(
            "account",
            f"the templates name no account; they would go to {account}",
            'put account = "..." into the environment\'s file, and make synth again',
        )
    elif assembly.account != account:
        yield blocking(
            "account",
            f"the templates are for {assembly.account}, the credentials of {account}",
            "use credentials of that account, or change account in the environment's file and make synth",
        )
    else:
        yield ok("account", account)
    if session.region_name not in {None, assembly.region}:
        yield warning(
            "region",
            f"the templates are for {assembly.region}, the shell for {session.region_name}",
            f"export AWS_REGION={assembly.region}, so that what you look up is what you deployed",
        )
    else:
        yield ok("region", assembly.region)


def bootstrap(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether CDK's own stack is there and new enough, in every region."""
    for region in assembly.regions:
        account = "ACCOUNT" if assembly.account == _NO_ACCOUNT else assembly.account
        fix = f"cdk bootstrap aws://{account}/{region}"
        version = _bootstrapped(session, region)
        if version is None:
            yield blocking("bootstrap", f"{region} is not bootstrapped", fix)
        elif version < assembly.bootstrap:
            yield blocking("bootstrap", f"version {version}; the templates want {assembly.bootstrap}", fix)
        else:
            yield ok("bootstrap", f"{region} has version {version}; {assembly.bootstrap} or newer is wanted")


def _bootstrapped(session: Any, region: str) -> int | None:
    try:
        parameter = session.client("ssm", region_name=region).get_parameter(Name=_VERSION)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return None
    return int(parameter["Parameter"]["Value"])


def deployed(session: Any, assembly: Assembly) -> tuple[list[Resource], list[Finding]]:
    """What the assembly's stacks that are there already hold, and what is wrong with them."""
    present: dict[str, Mapping[str, Any]] = {}
    held: list[Resource] = []
    for region in assembly.regions:
        client = session.client("cloudformation", region_name=region)
        for page in client.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if (name := stack["StackName"]) not in assembly.stacks:
                    continue
                present[name] = stack
                if stack["StackStatus"] not in _EMPTY:
                    held += resources(name, client.get_template(StackName=name)["TemplateBody"])
    findings = [
        blocking("stacks", f"{name} is in {stack['StackStatus']}", recovery(stack))
        for name, stack in present.items()
        if stack["StackStatus"] in _FAILED
    ]
    new = len(assembly.stacks) - len(present)
    return held, findings or [ok("stacks", f"{len(present)} there already, {new} to make")]


def recovery(stack: Mapping[str, Any]) -> str:
    """How to get a stack out of a state in which no deploy can touch it.

    Args:
        stack: as CloudFormation describes it.
    """
    name, state = stack["StackName"], stack["StackStatus"]
    if state == _STUCK:
        return f"aws cloudformation continue-update-rollback --stack-name {name}, once you know why it failed"
    # CDK protects a stack before it makes it, and cannot delete it then.
    unprotect = (
        "aws cloudformation update-termination-protection --no-enable-termination-protection "
        f"--stack-name {name} && "
        if stack.get("EnableTerminationProtection")
        else ""
    )
    left = "; empty the buckets first that it could not delete" if state in _LEFTOVERS else ""
    return (
        f"{unprotect}aws cloudformation delete-stack --stack-name {name}, once you know why it failed{left}"
    )


def linked_roles(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Roles that a service must have in the account before CloudFormation may use it."""
    iam = session.client("iam")
    for kind, (service, role) in _LINKED.items():
        if not assembly.counts.get(kind):
            continue
        try:
            iam.get_role(RoleName=role)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            yield blocking(
                "service-linked role",
                f"{kind} in a VPC needs {role}",
                f"aws iam create-service-linked-role --aws-service-name {service}",
            )
        else:
            yield ok("service-linked role", role)


#: Services that don't make their role by themselves when a stack first needs it.
_LINKED = {
    "AWS::OpenSearchService::Domain": (
        "opensearchservice.amazonaws.com",
        "AWSServiceRoleForAmazonOpenSearchService",
    ),
}
