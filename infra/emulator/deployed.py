"""What is deployed, as CloudFormation and each service say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from infra.emulator.account import ACCOUNT, REGION, session
from infra.emulator.types.calls import Caller
from infra.emulator.types.catalog import TYPES
from infra.emulator.types.registration import Fidelity, identified, resource_values


@dataclass(frozen=True)
class Deployed:
    """One resource of a deployed stack.

    Attributes:
        stack: name of its stack.
        logical: its name in the template.
        type: such as `AWS::S3::Bucket`.
        physical_id: what CloudFormation knows it by.
        retained: it stays when its stack goes.
        values: what the templates of its registration may name.
    """

    stack: str
    logical: str
    type: str
    physical_id: str
    retained: bool
    values: dict[str, Any]

    @property
    def fidelity(self) -> Fidelity | None:
        """How real it is; `None` for a type that nobody has looked into."""
        return TYPES[self.type].fidelity if self.type in TYPES else None

    @property
    def must_go(self) -> bool:
        """Whether nothing must describe it once its stack is gone, and a call can tell."""
        known = TYPES.get(self.type)
        if self.retained or known is None or known.describe is None:
            return False
        if known.make and known.make.call and known.make.delete is None:
            # No emulator has the call that deletes it; the page of types says so.
            return False
        return "{id}" in str(known.describe.arguments) or "{name}" in str(known.describe.arguments)

    def exists(self, caller: Caller) -> bool:
        """Whether its service describes it."""
        known = TYPES.get(self.type)
        return bool(known and known.describe and caller.finds(known.describe, self.values))


def caller(endpoint: str) -> Caller:
    """Calls the emulator with the account and region of a local deploy."""
    return Caller(endpoint, ACCOUNT, REGION)


def resources(endpoint: str, prefix: str) -> list[Deployed]:
    """Every resource of the deployed stacks whose name starts so."""
    cloudformation = session().client("cloudformation", endpoint_url=endpoint)
    exports = {each["Name"]: each["Value"] for each in _pages(cloudformation, "list_exports", "Exports")}
    stacks = [
        each["StackName"]
        for each in _pages(cloudformation, "describe_stacks", "Stacks")
        if each["StackName"].startswith(prefix)
    ]
    found = []
    for stack in stacks:
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        # The CLI hands a small template over as YAML.
        template = body if isinstance(body, dict) else yaml.safe_load(body)
        listed = _pages(cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=stack)
        ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
        found += [_resource(stack, name, template["Resources"][name], ids, exports) for name in ids]
    return found


def _resource(
    stack: str, name: str, body: dict[str, Any], ids: dict[str, str], exports: dict[str, str]
) -> Deployed:
    properties = _resolved(body.get("Properties", {}), ids, exports)
    values = resource_values(properties, account=ACCOUNT, region=REGION, stack=stack, logical=name)
    return Deployed(
        stack,
        name,
        body["Type"],
        ids[name],
        body.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate", "Snapshot"},
        identified(values, ids[name]),
    )


def _resolved(value: Any, ids: dict[str, str], exports: dict[str, str]) -> Any:
    """A property with references replaced by physical ids, which services take for ARNs too."""
    if isinstance(value, list):
        return [_resolved(each, ids, exports) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": name}:
            return ids.get(name, name)
        case {"Fn::GetAtt": [name, _]}:
            return ids.get(name, name)
        case {"Fn::ImportValue": name}:
            return exports.get(name) if isinstance(name, str) else None
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(str(_resolved(part, ids, exports)) for part in parts)
        case _:
            return {key: _resolved(each, ids, exports) for key, each in value.items()}


def _pages(client: Any, operation: str, key: str, **parameters: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]
