"""Step Functions' way to run a Glue job to its end, which ministack lacks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

_RUN_JOB = "arn:aws:states:::glue:startJobRun"
_GLUE = "arn:aws:states:::aws-sdk:glue"
_OVER = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR"}


def register() -> None:
    """Teach it to ministack; a private interface of it, so its version is pinned."""
    from ministack.services import stepfunctions

    def run_job(_resource: str, given: Mapping[str, Any]) -> Any:
        call = stepfunctions._invoke_aws_sdk_integration
        started = call(f"{_GLUE}:startJobRun", dict(given))
        asked = {"JobName": given["JobName"], "RunId": started["JobRunId"]}
        while (run := call(f"{_GLUE}:getJobRun", asked)["JobRun"])["JobRunState"] not in _OVER:
            time.sleep(0.1)
        if run["JobRunState"] != "SUCCEEDED":
            raise stepfunctions._ExecutionError(
                "States.TaskFailed", run.get("ErrorMessage", "the job failed")
            )
        return run

    stepfunctions._SERVICE_DISPATCH[_RUN_JOB] = run_job
