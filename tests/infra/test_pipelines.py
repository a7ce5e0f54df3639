"""The models' pipelines: what is checked in is current, SageMaker's API knows each request, and it starts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from infra.artifacts import models
from infra.artifacts.artifact import ROOT
from infra.emulator import sdk
from infra.emulator.account import REGION, session
from pipelines.models import MODELS
from tests.infra.pipeline_steps import steps
from tests.unit.models.cards import STATEMENTS, card

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GENERATED = ROOT / "infra" / "cdk" / "generated"
OPERATIONS = {
    "CheckData": "CreateProcessingJob",
    "Train": "CreateTrainingJob",
    "Evaluate": "CreateProcessingJob",
    "Register": "CreateModelPackage",
    "CreateModel": "CreateModel",
    "ScoreBatch": "CreateTransformJob",
}
#: Stands for what only a run knows; as long as a role's ARN must be and a subnet's name may be.
UNKNOWN = "known-to-the-run-alone"
#: What a pipeline itself adds to a request.
NAMES = {
    "CreateProcessingJob": "ProcessingJobName",
    "CreateTrainingJob": "TrainingJobName",
    "CreateModel": "ModelName",
    "CreateTransformJob": "TransformJobName",
}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory, unused_port: int) -> Iterator[str]:
    """An emulator that nobody else uses."""
    url = f"http://127.0.0.1:{unused_port}"
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    command = [str(sdk.PYTHON), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(unused_port)]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await(url)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="module")
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await(url: str, patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_what_is_checked_in_is_current(tmp_path: Path) -> None:
    # Whatever is asked of AWS fails.
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "sagemaker"),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    command = [str(sdk.PYTHON), "-m", "pipelines", "--json", "write", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert set(json.loads(done.stdout)) == {"images.json", *(f"pipeline-{model}.json" for model in MODELS)}
    for name in json.loads(done.stdout):
        assert (tmp_path / name).read_text() == (GENERATED / name).read_text(), "run `make docs`"


def test_every_model_with_a_training_script_has_a_pipeline() -> None:
    assert set(MODELS) == set(models.MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_step_is_a_request_that_the_api_knows(model: str) -> None:
    service = boto3.client("sagemaker", region_name=REGION).meta.service_model
    found = steps(model)
    for name, operation in OPERATIONS.items():
        request = _resolved(found[name]) | ({NAMES[operation]: UNKNOWN} if operation in NAMES else {})
        shape = service.operation_model(operation).input_shape
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
        assert _too_long(request, shape) == [], name


@pytest.mark.parametrize("model", MODELS)
def test_models_learn_on_spot_and_wait_for_it_no_longer_than_twice_a_run(model: str) -> None:
    training = steps(model)["Train"]
    assert training["EnableManagedSpotTraining"] is True
    limits = training["StoppingCondition"]
    assert limits["MaxRuntimeInSeconds"] < limits["MaxWaitTimeInSeconds"] <= 2 * limits["MaxRuntimeInSeconds"]


@pytest.mark.parametrize("model", MODELS)
def test_a_pipeline_is_created_updated_and_started(model: str, moto: str) -> None:
    document = json.loads((GENERATED / f"pipeline-{model}.json").read_text())
    name = f"mercato-test-{model}"
    executions = [sdk.start(moto, model, name) for _ in ("create", "update")]
    client = session().client("sagemaker", endpoint_url=moto)
    deployed = client.describe_pipeline(PipelineName=name)
    assert json.loads(deployed["PipelineDefinition"]) == document
    started = client.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert {each["PipelineExecutionArn"] for each in started} == set(executions)
    given = client.list_pipeline_parameters_for_execution(PipelineExecutionArn=executions[-1])
    said = {each["Name"]: each["Value"] for each in given["PipelineParameters"]}
    assert said["RoleArn"] == deployed["RoleArn"]
    assert said["TrainingInstanceType"] == "local"


def _resolved(part: Any) -> Any:
    """A request as a run would send it."""
    if isinstance(part, dict):
        unknown = set(part) & {"Get", "Std:Join", "Std:JsonGet"}
        return UNKNOWN if unknown else {name: _resolved(value) for name, value in part.items()}
    return [_resolved(value) for value in part] if isinstance(part, list) else part


def _too_long(value: Any, shape: Any) -> list[str]:
    """Texts and lists above the API's limit, which botocore leaves to the service."""
    limit = shape.metadata.get("max")
    found = [f"{shape.name}: {value}"] if limit and hasattr(value, "__len__") and len(value) > limit else []
    if shape.type_name == "structure":
        found += [text for name in value for text in _too_long(value[name], shape.members[name])]
    elif shape.type_name == "list":
        found += [text for each in value for text in _too_long(each, shape.member)]
    return found


CARD = """
import json, sys
from sagemaker.core.model_card import ModelCardContent
content = json.load(sys.stdin)
known = ModelCardContent.model_validate(content)
def unknown(given, kept, at=""):
    if isinstance(given, dict):
        for key, value in given.items():
            if key not in kept:
                raise SystemExit(f"{at}.{key} is no field of a model card")
            unknown(value, kept[key], f"{at}.{key}")
    elif isinstance(given, list):
        for each, held in zip(given, kept, strict=True):
            unknown(each, held, at)
unknown(content, json.loads(known.model_dump_json()))
"""


def test_sagemaker_takes_a_runs_card() -> None:
    content = card(STATEMENTS["churn"]).content()
    command = [str(sdk.PYTHON), "-c", CARD]
    done = subprocess.run(command, input=json.dumps(content), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content["evaluation_details"][0]["figures"] = []
    done = subprocess.run(command, input=json.dumps(content), capture_output=True, text=True, check=False)
    assert "figures is no field of a model card" in done.stderr
