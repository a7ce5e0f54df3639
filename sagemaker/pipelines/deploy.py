"""A pipeline into an account, and a run of it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines import parameters as given
from pipelines.build import pipeline, session
from pipelines.models import Model


def start(model: Model, name: str, role: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update a pipeline and start it.

    Args:
        name: of the pipeline in the account.
        role: ARN of the role under which the pipeline and its steps run.
        parameters: values by name; `RoleArn` and `TrainingInstanceType` have their own.

    Returns:
        ARNs of the pipeline and of its execution.

    Raises:
        ValueError: a parameter is unknown, or one without a default has no value.
    """
    values = {given.ROLE.name: role, given.TRAINING_INSTANCE.name: model.instance_type, **parameters}
    known = {parameter.name: parameter for parameter in given.ALL}
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"no parameter is named {', '.join(unknown)}; there are {', '.join(known)}")
    needed = [name for name, parameter in known.items() if parameter.default_value is None]
    if missing := [name for name in needed if name not in values]:
        raise ValueError(f"no value for {', '.join(missing)}: give --parameter NAME=VALUE")
    built = pipeline(model, name, session())
    created = built.upsert(role_arn=role)
    execution = built.start(parameters=values)
    return {"pipeline": created["PipelineArn"], "execution": execution.arn}
