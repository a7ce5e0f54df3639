"""The steps of a pipeline, as the SDK describes them: each starts a script of the model's source."""

from __future__ import annotations

import json

from sagemaker.core.inputs import TransformInput
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    ModelPackageModelCard,
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.training.configs import Compute, InputData, Networking
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.model_trainer import ModelTrainer

from pipelines import parameters as given
from pipelines.models import Model

CHECK, TRAIN, EVALUATE = "CheckData", "Train", "Evaluate"
REGISTER, CREATE, SCORE = "Register", "CreateModel", "ScoreBatch"
#: What the SDK wants to see before a parameter takes its place.
ROLE_ARN = "arn:aws:iam::000000000000:role/RoleArn"
ROWS = "text/csv"
_IN, _OUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
#: Unpacks the source as the container's own toolkit does for training, and starts a script of it.
_START = (
    "mkdir -p /opt/ml/code && cd /opt/ml/code && tar -xzf /opt/ml/processing/input/source/* && "
    'python3 -m pip install --quiet -r requirements.txt && exec python3 "$0" "$@"'
)
#: Written by `evaluate.py`.
JUDGEMENT = PropertyFile(name="Judgement", output_name="evaluation", path="evaluation.json")


def under(*parts: str) -> Join:
    """A folder of this run's output."""
    return Join(on="/", values=[given.OUTPUT, ExecutionVariables.PIPELINE_EXECUTION_ID, *parts])


def check(session: PipelineSession) -> ProcessingStep:
    """Refuses data that nothing can be learned from, before a training job is paid for."""
    arguments = _job(session, "process.py").run(
        inputs=[_source(), _input("data", given.DATA, "ManifestFile")],
        outputs=[_output("channel", under("channel"))],
        arguments=["--data", f"{_IN}/data", "--channel", f"{_OUT}/channel"],
    )
    return ProcessingStep(name=CHECK, step_args=arguments)


def train(session: PipelineSession, model: Model, checked: ProcessingStep) -> TrainingStep:
    """Script mode on a spot instance, tracked in MLflow.

    It takes minutes, so that an interrupted job starts anew rather than from a checkpoint.
    """
    channel = checked.properties.ProcessingOutputConfig.Outputs["channel"].S3Output.S3Uri
    seconds = model.hours * 3600
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=ROLE_ARN,
        base_job_name=model.name,
        training_image=given.IMAGE,
        hyperparameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": given.SOURCE},
        environment={"MLFLOW_TRACKING_URI": given.MLFLOW},
        compute=Compute(
            instance_type=given.TRAINING_INSTANCE,
            instance_count=1,
            volume_kms_key_id=given.KEY,
            enable_managed_spot_training=True,
        ),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=seconds, max_wait_time_in_seconds=2 * seconds
        ),
        networking=Networking(
            subnets=list(given.SUBNETS),
            security_group_ids=[given.SECURITY_GROUP],
            enable_inter_container_traffic_encryption=True,
        ),
        output_data_config=OutputDataConfig(s3_output_path=under("training"), kms_key_id=given.KEY),
    )
    channels = [InputData(channel_name=name, data_source=channel) for name in model.channels]
    return TrainingStep(name=TRAIN, step_args=trainer.train(input_data_config=channels))


def evaluate(session: PipelineSession, model: Model, trained: TrainingStep) -> ProcessingStep:
    """Reads what the training script found of the model, its baselines and its gate."""
    output = [trained.properties.OutputDataConfig.S3OutputPath, trained.properties.TrainingJobName]
    written = Join(on="/", values=[*output, "output", "output.tar.gz"])
    arguments = _job(session, "evaluate.py").run(
        inputs=[_source(), _input("training", written)],
        outputs=[_output("evaluation", under("evaluation"))],
        arguments=[
            *("--training", f"{_IN}/training", "--evaluation", f"{_OUT}/evaluation"),
            *("--metric", model.metric),
        ],
    )
    return ProcessingStep(name=EVALUATE, step_args=arguments, property_files=[JUDGEMENT])


def register(session: PipelineSession, model: Model, trained: TrainingStep) -> ModelStep:
    """A version in the model package group, with its figures and its card."""
    builder = _builder(session, trained)
    figures = MetricsSource(content_type="application/json", s3_uri=under("evaluation", "evaluation.json"))
    arguments = builder.register(
        model_package_group_name=given.GROUP,
        content_types=[ROWS],
        response_types=[ROWS],
        inference_instances=["ml.m5.large", "ml.m5.xlarge", "ml.c5.large"],
        transform_instances=["ml.m5.large", "ml.m5.xlarge"],
        approval_status=given.APPROVAL,
        model_metrics=ModelMetrics(model_statistics=figures),
        model_card=ModelPackageModelCard(model_card_status="Draft", model_card_content=card(model)),
    )
    return ModelStep(name=REGISTER, step_args=arguments)


def create(session: PipelineSession, trained: TrainingStep) -> ModelStep:
    """The model as batch transform asks for it."""
    return ModelStep(name=CREATE, step_args=_builder(session, trained).build())


def score(session: PipelineSession, created: ModelStep) -> TransformStep:
    """A score for each CSV row of a folder."""
    transformer = Transformer(
        model_name=created.properties.ModelName,
        instance_count=1,
        instance_type=given.INSTANCE,
        strategy="MultiRecord",
        assemble_with="Line",
        accept=ROWS,
        output_path=under("scores"),
        output_kms_key=given.KEY,
        volume_kms_key=given.KEY,
        sagemaker_session=session,
    )
    rows = TransformInput(data=given.BATCH, content_type=ROWS, split_type="Line")
    arguments = transformer.transform(rows.data, content_type=rows.content_type, split_type=rows.split_type)
    return TransformStep(name=SCORE, step_args=arguments)


def card(model: Model) -> str:
    """What the model package's card says before a person has read its figures."""
    return json.dumps(
        {
            "model_overview": {"model_creator": "Mercato"},
            "intended_uses": {
                "purpose_of_model": model.holds,
                "intended_uses": model.purpose,
                "factors_affecting_model_efficiency": "Households or stores unlike those it learned from",
            },
            "business_details": {"business_problem": model.purpose},
        },
        sort_keys=True,
    )


def _builder(session: PipelineSession, trained: TrainingStep) -> ModelBuilder:
    """The container's toolkit fetches the source, and asks its `inference.py` for scores."""
    return ModelBuilder(
        sagemaker_session=session,
        role_arn=ROLE_ARN,
        image_uri=given.IMAGE,
        s3_model_data_url=trained.properties.ModelArtifacts.S3ModelArtifacts,
        env_vars={"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": given.SOURCE},
        network=Networking(subnets=list(given.SUBNETS), security_group_ids=[given.SECURITY_GROUP]),
        # Its default makes the SDK upload source that there is none of.
        dependencies={},
    )


def _job(session: PipelineSession, script: str) -> Processor:
    return Processor(
        sagemaker_session=session,
        role=given.ROLE,
        image_uri=given.IMAGE,
        entrypoint=["bash", "-euc", _START, script],
        instance_count=1,
        instance_type=given.INSTANCE,
        max_runtime_in_seconds=3600,
        volume_kms_key=given.KEY,
        output_kms_key=given.KEY,
        network_config=NetworkConfig(
            enable_network_isolation=True,
            encrypt_inter_container_traffic=True,
            subnets=list(given.SUBNETS),
            security_group_ids=[given.SECURITY_GROUP],
        ),
    )


def _source() -> ProcessingInput:
    return _input("source", given.SOURCE)


def _input(name: str, uri: object, kind: str = "S3Prefix") -> ProcessingInput:
    place = ProcessingS3Input(s3_uri=uri, local_path=f"{_IN}/{name}", s3_data_type=kind, s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=place)


def _output(name: str, uri: object) -> ProcessingOutput:
    place = ProcessingS3Output(s3_uri=uri, local_path=f"{_OUT}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)
