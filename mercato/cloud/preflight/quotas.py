"""Whether the account's quotas leave room for what the templates add."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from mercato.cloud.preflight.finding import Finding, blocking, ok, warning
from mercato.cloud.template import Resource

_SAGEMAKER = "sagemaker"
#: Lambda keeps so much for functions that reserve nothing.
_UNRESERVED = 100
_PIPELINE = "AWS::SageMaker::Pipeline"
_FUNCTION, _RESERVED = "FunctionName", "ReservedConcurrentExecutions"


@dataclass(frozen=True)
class Quota:
    """One quota that a shop's deploy can meet.

    Attributes:
        name: as Service Quotas has it.
        service: code of the service there.
        code: of the quota there; looked up by its name where empty.
        kind: type of resource that counts against it.
        size: how much one resource counts.
        used: how much of it the account uses; boto3 client, and what to do with it. `None` where the quota is
            of something that the stacks have to themselves.
    """

    name: str
    service: str
    code: str
    kind: str
    size: Callable[[Resource], float]
    used: tuple[str, Callable[[Any], float]] | None

    def taken(self, resources: Iterable[Resource]) -> float:
        """How much resources count against it."""
        return sum(self.size(each) for each in resources if each.type == self.kind)


def _one(_resource: Resource) -> float:
    return 1


def _interface(resource: Resource) -> float:
    return float(resource.get("VpcEndpointType") == "Interface")


def _brokers(resource: Resource) -> float:
    return resource.number("NumberOfBrokerNodes")


def _listed(operation: str, key: str) -> Callable[[Any], float]:
    return lambda client: float(len(getattr(client, operation)()[key]))


def _cluster_brokers(client: Any) -> float:
    clusters = client.list_clusters()["ClusterInfoList"]
    return float(sum(each.get("NumberOfBrokerNodes", 0) for each in clusters))


QUOTAS = (
    Quota(
        "VPCs per Region",
        "vpc",
        "L-F678F1CE",
        "AWS::EC2::VPC",
        _one,
        ("ec2", _listed("describe_vpcs", "Vpcs")),
    ),
    Quota(
        "EC2-VPC Elastic IPs",
        "ec2",
        "L-0263D0A3",
        "AWS::EC2::EIP",
        _one,
        ("ec2", _listed("describe_addresses", "Addresses")),
    ),
    Quota(
        "Interface VPC endpoints per VPC",
        "vpc",
        "L-29B6F2EB",
        "AWS::EC2::VPCEndpoint",
        _interface,
        None,
    ),
    Quota(
        "Number of brokers per account",
        "kafka",
        "",
        "AWS::MSK::Cluster",
        _brokers,
        ("kafka", _cluster_brokers),
    ),
)


def quotas(
    session: Any, region: str, resources: Sequence[Resource], held: Sequence[Resource]
) -> Iterator[Finding]:
    """What Service Quotas says of each quota of which a deploy takes more than before.

    Args:
        resources: of all templates.
        held: what those of their stacks that are there already hold; what it updates may grow, and beside it
            may come more.
    """
    values = session.client("service-quotas", region_name=region)
    for quota in QUOTAS:
        needed = quota.taken(resources) - quota.taken(held)
        if needed > 0:
            used = quota.taken(held)
            if quota.used:
                client, use = quota.used
                used = use(session.client(client, region_name=region))
            yield judged(quota.name, quota.service, needed, used, _value(values, quota))


def endpoints(session: Any, region: str, resources: Iterable[Resource]) -> Iterator[Finding]:
    """Whether approved models may start the instances of their endpoints; the deploy starts none.

    Args:
        resources: all, as a stack that is there already may still wait for its first approved version.
    """
    values = session.client("service-quotas", region_name=region)
    for instance, counts in sorted(endpoint_instances(resources).items()):
        # An update starts a second fleet before it ends the first.
        count = sum(counts) + max(counts)
        # One quota for each type, over all endpoints of the account in the region.
        name = f"{instance} for endpoint usage"
        needed = f"{count} needed by approved models, one of which is being updated"
        yield _later(name, count, _by_name(values, _SAGEMAKER, name), needed, "before you approve a model")


def jobs(session: Any, region: str, resources: Iterable[Resource]) -> Iterator[Finding]:
    """Whether the models' pipelines may start their jobs, all at once as every week; the deploy starts none.

    Args:
        resources: all, as a pipeline that is there already may still wait for its first start.
    """
    values = session.client("service-quotas", region_name=region)
    for name, count in sorted(Counter(chain(*map(job_quotas, resources))).items()):
        needed = f"{count} needed where all models are trained at once"
        yield _later(name, count, _by_name(values, _SAGEMAKER, name), needed, "before you train them")


def job_quotas(resource: Resource) -> Iterator[str]:
    """Quotas that a pipeline's jobs count against, one at a time; none of anything else."""
    if resource.type != _PIPELINE:
        return
    body = resource.get("PipelineDefinition", "PipelineDefinitionBody")
    parts = body["Fn::Join"][1] if isinstance(body, Mapping) else [body]
    definition = json.loads("".join(part if isinstance(part, str) else "@" for part in parts))
    given = {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}
    found = {}
    for step in _steps(definition["Steps"]):
        asked = step.get("Arguments", {})
        if step["Type"] == "Training":
            spot = "spot " if asked.get("EnableManagedSpotTraining") else ""
            found[f"{spot}training job"] = asked["ResourceConfig"]
        elif step["Type"] == "Processing":
            found["processing job"] = asked["ProcessingResources"]["ClusterConfig"]
    for kind, machine in found.items():
        instance = machine["InstanceType"]
        if isinstance(instance, Mapping):
            instance = given[instance["Get"].removeprefix("Parameters.")]
        yield f"{instance} for {kind} usage"


def _steps(steps: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """With those that depend on a condition."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from _steps(step.get("Arguments", {}).get(branch, ()))


def concurrency(session: Any, region: str, resources: Iterable[Resource]) -> Iterator[Finding]:
    """Whether the concurrency that functions reserve is left; a new account has ten in all.

    Args:
        resources: all of the templates; what those that are there have reserved already is theirs again.
    """
    functions = [each for each in resources if each.type == "AWS::Lambda::Function"]
    reserved = sum(each.number(_RESERVED, default=0) for each in functions)
    client = session.client("lambda", region_name=region)
    limit = client.get_account_settings()["AccountLimit"]
    # A function without a name in the template is CDK's own, and reserves nothing.
    ours = sum(_reserved(client, each.text(_FUNCTION)) for each in functions if each.get(_FUNCTION))
    left = limit["UnreservedConcurrentExecutions"] + ours - (_UNRESERVED if reserved else 0)
    says = f"{reserved:.0f} reserved, {max(left, 0):.0f} left of {limit['ConcurrentExecutions']}"
    if reserved > left:
        fix = (
            "ask Service Quotas for more (lambda, L-B99A9384), or lower concurrency in the environment's file"
        )
        yield blocking("quota: Lambda concurrent executions", says, fix)
    else:
        yield ok("quota: Lambda concurrent executions", says)


def _reserved(client: Any, function: str) -> float:
    """What a function has reserved; nothing, if it is not there yet."""
    try:
        return float(client.get_function_concurrency(FunctionName=function).get(_RESERVED, 0))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return 0


def judged(name: str, service: str, needed: float, used: float, value: float | None) -> Finding:
    """Compare what is needed and used with the quota's value; `None` if nobody could tell it."""
    check = f"quota: {name}"
    if value is None:
        return _untold(name, service, f"{needed:.0f} more needed, {used:.0f} in use")
    says = f"{needed:.0f} more needed, {used:.0f} of {value:.0f} in use"
    if used + needed > value:
        return blocking(check, says, f"ask Service Quotas for {used + needed:.0f} ({service}, {name})")
    return ok(check, says)


def endpoint_instances(resources: Iterable[Resource]) -> Mapping[str, list[int]]:
    """By type of instance, how many the endpoint of each model starts with."""
    counts: dict[str, list[int]] = defaultdict(list)
    for count, instance in filter(None, (each.answers_on() for each in resources)):
        counts[instance].append(count)
    return counts


def _later(name: str, count: int, value: float | None, needed: str, when: str) -> Finding:
    """Whether what starts after the deploy may start, of which the account has one quota for each type."""
    if value is None:
        return _untold(name, _SAGEMAKER, needed)
    if count > value:
        fix = f"ask Service Quotas for {count} or more ({_SAGEMAKER}, {name}) {when}"
        return warning(f"quota: {name}", f"{needed}, {value:.0f} allowed", fix)
    return ok(f"quota: {name}", f"{needed}, {value:.0f} allowed in the whole account")


def _untold(name: str, service: str, needed: str) -> Finding:
    return warning(
        f"quota: {name}",
        f"{needed}; Service Quotas does not say how many are allowed",
        f"look it up in the console of Service Quotas, under {service}",
    )


def _value(client: Any, quota: Quota) -> float | None:
    if not quota.code:
        return _by_name(client, quota.service, quota.name)
    for operation in (client.get_service_quota, client.get_aws_default_service_quota):
        try:
            return float(operation(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]["Value"])
        except ClientError:
            # Never raised in this account: the default is in the other call. Unknown there too: no answer.
            continue
    return None


def _by_name(client: Any, service: str, name: str) -> float | None:
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        try:
            for page in client.get_paginator(operation).paginate(ServiceCode=service):
                for each in page["Quotas"]:
                    if re.fullmatch(re.escape(name), each["QuotaName"], re.IGNORECASE):
                        return float(each["Value"])
        except ClientError:
            # As above: what was never raised may be in the second list alone.
            continue
    return None
