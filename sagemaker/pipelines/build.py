"""A model's pipeline: check the data, train, judge, and register only what passes its gate."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import boto3
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThanOrEqualTo,
    ConditionLessThanOrEqualTo,
    ConditionNot,
)
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline

from pipelines import parameters as given
from pipelines import steps
from pipelines.models import Model

#: The SDK would tell its maker of each call.
_QUIET = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}


class Parametrized(Pipeline):  # type: ignore[misc]
    """A pipeline whose every role is a parameter, also where the SDK takes nothing but a role's name."""

    def definition(self) -> str:
        """The definition as it is sent to SageMaker."""
        return json.dumps(_parametrized(json.loads(super().definition())))


def session() -> PipelineSession:
    """A session that asks nothing of AWS while a pipeline is built."""
    warnings.filterwarnings("ignore", message="Running within a PipelineSession")
    # The role is the deploy's; whether it may do its work is not for the caller to ask of IAM.
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    return PipelineSession(boto_session=boto3.Session(), default_bucket="unused", sagemaker_config=_QUIET)


def pipeline(model: Model, name: str, session: PipelineSession) -> Pipeline:
    """The pipeline of a model under the name that it has in an account."""
    checked = steps.check(session)
    trained = steps.train(session, model, checked)
    judged = steps.evaluate(session, model, trained)
    created = steps.create(session, trained)
    batch = ConditionStep(
        name="HasBatch",
        conditions=[ConditionNot(ConditionEquals(left=given.BATCH, right=given.NO_BATCH))],
        if_steps=[created, steps.score(session, created)],
        else_steps=[],
    )
    gate = ConditionStep(
        name="Gate",
        conditions=[
            ConditionLessThanOrEqualTo(left=_found("gate.failures"), right=0),
            ConditionGreaterThanOrEqualTo(left=_found("metric.value"), right=given.FLOOR),
        ],
        if_steps=[steps.register(session, model, trained), batch],
        else_steps=[FailStep(name="Refused", error_message=f"{model.name} does not pass its gate.")],
    )
    return Parametrized(
        name=name,
        parameters=list(given.ALL),
        steps=[checked, trained, judged, gate],
        sagemaker_session=session,
        pipeline_experiment_config=None,
    )


def _found(path: str) -> JsonGet:
    return JsonGet(step_name=steps.EVALUATE, property_file=steps.JUDGEMENT, json_path=path)


def _parametrized(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _parametrized(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_parametrized(value) for value in part]
    return given.ROLE.expr if part == steps.ROLE_ARN else part
