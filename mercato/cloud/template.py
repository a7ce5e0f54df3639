"""A cloud assembly as `make synth` writes it: stacks and their resources, without CDK."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mercato.errors import MercatoError

#: Metadata of a resource that names the artifacts it runs, as infra/cdk writes it.
_ARTIFACTS = "mercato:artifacts"
#: Tag of a model package group: number and type of the instances on which an approved version will answer.
ANSWERS_ON = "mercato:answers-on"
#: Tag by which a budget tells an environment's costs from others.
ENVIRONMENT = "mercato:environment"
_VERSIONS = "AWS::SageMaker::ModelPackageGroup"
#: Where CloudFront and its firewall are, whatever the region of the rest; their prices hold everywhere.
_EDGE_REGION = "us-east-1"


class AssemblyError(MercatoError):
    """There is no readable cloud assembly."""


class NotStatedError(MercatoError):
    """A template leaves a value open that is needed to size a resource."""


@dataclass(frozen=True)
class Resource:
    """One resource of a template.

    Attributes:
        stack: name of its stack.
        name: its logical name.
        type: such as `AWS::S3::Bucket`.
        properties: as the template has them, intrinsic functions included.
        artifacts: what it runs, by the names in infra/artifacts.
    """

    stack: str
    name: str
    type: str
    properties: Mapping[str, Any]
    artifacts: tuple[str, ...] = ()

    def get(self, *path: str, default: Any = None) -> Any:
        """A property by its path, `default` where the template has none."""
        value: Any = self.properties
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value

    def number(self, *path: str, default: float | None = None) -> float:
        """A number that the template states.

        Raises:
            NotStatedError: it states none, or only the deploy knows it.
        """
        value = self.get(*path, default=default)
        if not isinstance(value, int | float | str) or not str(value).replace(".", "", 1).isdigit():
            raise NotStatedError(f"{'.'.join(path)} is no number in the template.")
        return float(value)

    def text(self, *path: str) -> str:
        """A string that the template states.

        Raises:
            NotStatedError: it states none, or only the deploy knows it.
        """
        value = self.get(*path)
        if not isinstance(value, str):
            raise NotStatedError(f"{'.'.join(path)} is not in the template.")
        return value

    def answers_on(self) -> tuple[int, str] | None:
        """Number and type of the instances of a model's endpoint; `None` of anything else.

        No template has the endpoint: a function makes it when a version of the model is approved.
        """
        if self.type != _VERSIONS:
            return None
        tags = {each["Key"]: each["Value"] for each in self.get("Tags", default=())}
        if ANSWERS_ON not in tags:
            return None
        count, size = tags[ANSWERS_ON].split()
        return int(count), size


@dataclass(frozen=True)
class Assembly:
    """The stacks of an environment.

    Attributes:
        region: AWS region that they are for.
        resources: of all stacks, in the order of the deploy.
        account: that all of them are for; `unknown-account` if the templates name none.
        bootstrap: oldest version of CDK's own stack that can deploy them.
        regions: all that have a stack: `region`, and CloudFront's.
    """

    region: str
    resources: tuple[Resource, ...]
    account: str = "unknown-account"
    bootstrap: int = 0
    regions: tuple[str, ...] = ()

    @cached_property
    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks, in the order of the deploy."""
        return tuple(dict.fromkeys(each.stack for each in self.resources))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many resources there are of each type."""
        return Counter(each.type for each in self.resources)

    def referred(self, resource: Resource, *path: str) -> Resource:
        """The resource of the same stack that a property refers to.

        Raises:
            NotStatedError: the property refers to nothing in its own stack.
        """
        value = resource.get(*path)
        if isinstance(value, Mapping):
            target = value.get("Ref") or value.get("Fn::GetAtt", [None])[0]
            for each in self.resources:
                if (each.stack, each.name) == (resource.stack, target):
                    return each
        raise NotStatedError(f"{'.'.join(path)} refers to nothing in {resource.stack}.")


def read(folder: Path, environment: str) -> Assembly:
    """The cloud assembly in a folder.

    Args:
        environment: whose templates they are; named in the next step of an error.

    Raises:
        AssemblyError: there is none, or its stacks are for several regions beside that of CloudFront.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        stacks = {
            name: artifact
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        resources = [each for name, artifact in stacks.items() for each in _resources(folder, name, artifact)]
        regions = {artifact["environment"].rpartition("/")[2] for artifact in stacks.values()}
        accounts = {artifact["environment"].split("/")[2] for artifact in stacks.values()}
        bootstrap = [each["properties"].get("requiresBootstrapStackVersion", 0) for each in stacks.values()]
    except (OSError, ValueError, KeyError) as error:
        raise AssemblyError(
            f"{folder} has no templates of {environment} ({type(error).__name__}): "
            f"run `make synth ENV={environment}`, or name their folder by --assembly."
        ) from error
    homes = regions - {_EDGE_REGION} or regions
    if len(homes) != 1:
        raise AssemblyError(
            f"{folder} has stacks for {', '.join(sorted(regions)) or 'no region'}: "
            "synthesize those of one region by itself, and name their folder by --assembly."
        )
    (home,) = homes
    return Assembly(home, tuple(resources), min(accounts), max(bootstrap), tuple(sorted(regions)))


def _resources(folder: Path, name: str, artifact: Mapping[str, Any]) -> list[Resource]:
    properties = artifact["properties"]
    template = json.loads((folder / properties["templateFile"]).read_text())
    return resources(properties.get("stackName", name), template)


def resources(stack: str, template: Mapping[str, Any]) -> list[Resource]:
    """The resources of a stack's template."""
    return [
        Resource(
            stack,
            logical_name,
            body["Type"],
            body.get("Properties", {}),
            tuple(body.get("Metadata", {}).get(_ARTIFACTS, ())),
        )
        for logical_name, body in template["Resources"].items()
    ]
