"""A model's pipeline as the SageMaker SDK wrote it, with what this deployment says as its defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import aws_sagemaker as sagemaker

from infra.cdk.constructs.shipped import runs
from infra.cdk.stacks.base import PlaneStack
from mercato.errors import MercatoError

#: Steps that are paid for, and arguments that hold further steps.
_JOBS = {"Processing", "Training", "Transform"}
_WAYS = {"IfSteps", "ElseSteps"}
_GENERATED = Path(__file__).parents[1] / "generated"


class PipelineError(MercatoError):
    """A pipeline cannot be deployed as it is configured."""


class TrainingPipeline(sagemaker.CfnPipeline):
    """The pipeline `mercato-ENV-MODEL`."""

    def __init__(self, stack: PlaneStack, model: str, *, role: str, defaults: Mapping[str, str]) -> None:
        """Create the pipeline of a model.

        Args:
            role: ARN under which it runs.
            defaults: values of its parameters by name.

        Raises:
            PipelineError: the pipeline has no such parameter, or one is left without a value.
        """
        document = with_defaults(json.loads((_GENERATED / f"pipeline-{model}.json").read_text()), defaults)
        document["Steps"] = tagged(document["Steps"], stack.told_by)
        super().__init__(
            stack,
            f"Pipeline-{model}",
            pipeline_name=stack.name(model),
            pipeline_display_name=stack.name(model),
            pipeline_description=f"Checks data, trains {model}, judges it, registers what passes",
            pipeline_definition={"PipelineDefinitionBody": stack.to_json_string(document)},
            role_arn=role,
        )
        runs(self, f"model-source-{model}")


def tagged(steps: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """The steps, with these tags on the jobs that they start: a pipeline's own are not theirs."""
    made = []
    for step in steps:
        arguments = dict(step["Arguments"])
        if step["Type"] in _JOBS:
            arguments["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        for way in _WAYS & arguments.keys():
            arguments[way] = tagged(arguments[way], tags)
        made.append({**step, "Arguments": arguments})
    return made


def with_defaults(document: dict[str, Any], defaults: Mapping[str, str]) -> dict[str, Any]:
    """A pipeline definition that can be started without any parameter.

    Raises:
        PipelineError: it has no such parameter, or one is left without a value.
    """
    parameters = [
        {**each, "DefaultValue": defaults[each["Name"]]} if each["Name"] in defaults else each
        for each in document["Parameters"]
    ]
    names = [each["Name"] for each in parameters]
    if unknown := sorted(set(defaults) - set(names)):
        raise PipelineError(f"The pipelines have no parameter {', '.join(unknown)}: run `make docs`.")
    if missing := [each["Name"] for each in parameters if "DefaultValue" not in each]:
        raise PipelineError(f"infra/cdk/stacks/models.py gives no default for {', '.join(missing)}.")
    return {**document, "Parameters": parameters}


def image(region: str) -> str:
    """Address of the container that trains and serves.

    Raises:
        PipelineError: the region has none.
    """
    images: dict[str, str] = json.loads((_GENERATED / "images.json").read_text())
    if region not in images:
        raise PipelineError(
            f"region = {region!r} has no SageMaker XGBoost container; allowed: {', '.join(images)}."
        )
    return images[region]
