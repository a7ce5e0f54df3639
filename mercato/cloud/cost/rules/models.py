"""SageMaker: endpoints that answer, pipelines that train."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import NotStatedError, Resource


def _versions(resource: Resource, _context: Context) -> Iterator[Charge]:
    """The endpoint that an approved version gets."""
    answers = resource.answers_on()
    if answers is not None:
        count, size = answers
        yield Charge(
            what="endpoint instances",
            price="sagemaker.instance",
            size=size,
            fixed=count * HOURS,
            basis=f"{count} of {size}, always on; autoscaling may add more",
        )


def _pipeline(resource: Resource, context: Context) -> Iterator[Charge]:
    """Each step that has instances, by the definition in the template."""
    body = json.loads(_text(resource.get("PipelineDefinition", "PipelineDefinitionBody")))
    defaults = {each["Name"]: each.get("DefaultValue") for each in body.get("Parameters", ())}
    for step in _steps(body.get("Steps", ())):
        for size, count in _sizes(step.get("Arguments", {}), defaults):
            hours = context.usage.training_runs * context.usage.training_step_minutes / 60 * count
            yield Charge(
                what="training runs",
                price="sagemaker.instance",
                size=size,
                fixed=hours,
                basis=f"{step['Name']}: {count:g} of {size}, training_runs of training_step_minutes; no spot",
            )


def _text(definition: Any) -> str:
    """A definition's text; names that only the deploy knows are left out."""
    if isinstance(definition, Mapping) and "Fn::Join" in definition:
        separator, parts = definition["Fn::Join"]
        return str(separator).join(part for part in parts if isinstance(part, str))
    if not isinstance(definition, str):
        raise NotStatedError("its definition is not in the template as text.")
    return definition


def _steps(steps: Any) -> Iterator[Mapping[str, Any]]:
    """All steps, those of conditions included: what is dearer is assumed to happen."""
    for step in steps:
        yield step
        arguments = step.get("Arguments", {})
        if isinstance(arguments, Mapping):
            for branch in ("IfSteps", "ElseSteps"):
                yield from _steps(arguments.get(branch, ()))


def _sizes(value: Any, defaults: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Instance type and count wherever a step's arguments hold both."""
    if isinstance(value, Mapping):
        if "InstanceType" in value:
            size = _resolved(value["InstanceType"], defaults)
            yield str(size), float(_resolved(value.get("InstanceCount", 1), defaults))
        for key, inner in value.items():
            if key not in ("IfSteps", "ElseSteps"):
                yield from _sizes(inner, defaults)


def _resolved(value: Any, defaults: Mapping[str, Any]) -> Any:
    """A value, or the default of the pipeline's parameter that it stands for."""
    if isinstance(value, Mapping):
        return defaults.get(str(value.get("Get", "")).removeprefix("Parameters."))
    return value


RULES = {
    "AWS::SageMaker::ModelPackageGroup": _versions,
    "AWS::SageMaker::Pipeline": _pipeline,
}
