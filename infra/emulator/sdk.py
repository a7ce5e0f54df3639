"""A model's pipeline through SageMaker's SDK, which has an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess

from infra.artifacts.artifact import ROOT
from infra.emulator.account import ACCOUNT, REGION, SECRET
from infra.emulator.servers import EmulatorError

PYTHON = ROOT / ".venv" / "sagemaker" / "bin" / "python"
_GENERATED = ROOT / "infra" / "cdk" / "generated"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipelines"


def start(endpoint: str, model: str, name: str) -> str:
    """Create or update a pipeline and start it; returns the ARN of the execution.

    Raises:
        EmulatorError: the SDK cannot; the message holds the end of what it said.
    """
    parameters = json.loads((_GENERATED / f"pipeline-{model}.json").read_text())["Parameters"]
    asked = [each["Name"] for each in parameters if "DefaultValue" not in each]
    given = [f"--parameter={each}={_ROLE if each == 'RoleArn' else 'local'}" for each in asked]
    done = subprocess.run(
        [str(PYTHON), "-m", "pipelines", "--json", "start", model, "--name", name, "--role", _ROLE, *given],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "PYTHONPATH": str(ROOT / "sagemaker"),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EmulatorError(f"The SDK did not start {name}: {done.stderr[-1000:].strip()}")
    execution: str = json.loads(done.stdout)["execution"]
    return execution
