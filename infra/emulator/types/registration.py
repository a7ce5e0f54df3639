"""What the emulator knows of a CloudFormation type: how it is made, found and deleted, and how real it is.

Values are templates: `{Name}` is a property of the resource, `{id}` its physical id, `{answer.A.B}` a
path (JMESPath) into what the API answered when it was made; also `{account}`, `{region}`, `{stack}`,
`{logical}`, `{hash}` (twelve digits that differ for each resource) and `{name}`, the
last part of an id that is an ARN. One placeholder alone keeps the
type of what it names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import jmespath

Properties = dict[str, Any]
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Fidelity(StrEnum):
    """How much there is behind a resource."""

    #: An API describes it, by the same boto3 call as on AWS.
    REAL = "real"
    #: It is in its stack, with its properties, and nowhere else.
    RECORDED = "recorded"
    #: An API describes it, but what it does on AWS does not happen.
    FAKED = "faked"


@dataclass(frozen=True)
class Call:
    """One boto3 call.

    Attributes:
        service: boto3's name of the client.
        operation: its method.
        arguments: templates.
        expect: template of a path into the answer that must hold something; any answer will do if empty.
    """

    service: str
    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    expect: str = ""


@dataclass(frozen=True)
class Make:
    """How a type that the emulator's CloudFormation lacks is made.

    Attributes:
        physical_id: template.
        attributes: what `Fn::GetAtt` gives, as templates.
        call: service and operation that make it, `None` if it is only kept; the properties, fitted to
            the operation's parameters, come before `Call.arguments`.
        delete: what undoes it; `None` if there is nothing to undo, or no emulator has the call.
        adapt: changes the properties to what the operation calls them.
        stop: what must come before `delete`.
        settled: code of the error with which the call says that there is nothing to do.
    """

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    call: Call | None = None
    delete: Call | None = None
    adapt: Callable[[Properties], Properties] | None = None
    stop: Call | None = None
    settled: str = ""


@dataclass(frozen=True)
class CloudType:
    """One CloudFormation type.

    Attributes:
        name: such as `AWS::S3::Bucket`.
        fidelity: how real it is.
        describe: finds one; what is only recorded has none.
        make: `None` if the emulator makes it by itself.
        note: what a person should know who relies on it.
    """

    name: str
    fidelity: Fidelity
    describe: Call | None = None
    make: Make | None = None
    note: str = ""


def native(name: str, describe: Call, note: str = "", *, faked: bool = False) -> CloudType:
    """A type that the emulator makes by itself."""
    return CloudType(name, Fidelity.FAKED if faked else Fidelity.REAL, describe, None, note)


def made(name: str, make: Make, describe: Call, note: str = "", *, faked: bool = False) -> CloudType:
    """A type that is made by the call that a person would make with boto3."""
    return CloudType(name, Fidelity.FAKED if faked else Fidelity.REAL, describe, make, note)


def recorded(name: str, physical_id: str, note: str = "", **attributes: str) -> CloudType:
    """A type that no emulator has; `attributes` are named with `__` where AWS has a dot."""
    dotted = {key.replace("__", "."): value for key, value in attributes.items()}
    return CloudType(name, Fidelity.RECORDED, None, Make(physical_id, dotted), note)


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its placeholders replaced."""
    if isinstance(template, Mapping):
        return {key: fill(each, values) for key, each in template.items()}
    if isinstance(template, list | tuple):
        return [fill(each, values) for each in template]
    if not isinstance(template, str):
        return template
    alone = _PLACEHOLDER.fullmatch(template)
    if alone:
        return jmespath.search(alone.group(1), values)
    return _PLACEHOLDER.sub(lambda match: str(jmespath.search(match.group(1), values) or ""), template)


def resource_values(
    properties: Properties, *, account: str, region: str, stack: str, logical: str
) -> dict[str, Any]:
    """What the templates of one resource may name."""
    hashed = int(hashlib.sha256(f"{stack}/{logical}".encode()).hexdigest(), 16) % 10**12
    names = {"account": account, "region": region, "stack": stack, "logical": logical}
    return {**properties, **names, "hash": f"{hashed:012d}"}


def identified(values: Mapping[str, Any], physical_id: str) -> dict[str, Any]:
    """The same of a resource that has been made."""
    return {**values, "id": physical_id, "name": physical_id.rpartition("/")[2]}
