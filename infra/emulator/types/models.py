"""SageMaker, made in moto where moto has it."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, Properties, made, recorded

_MOTO = "Made in moto."


def _definition(properties: Properties) -> Properties:
    body = properties["PipelineDefinition"]
    return {**properties, "PipelineDefinition": body.get("PipelineDefinitionBody", body)}


TYPES: tuple[CloudType, ...] = (
    made(
        "AWS::SageMaker::ModelPackageGroup",
        Make(
            "{answer.ModelPackageGroupArn}",
            {"ModelPackageGroupArn": "{id}", "ModelPackageGroupStatus": "Completed"},
            Call("sagemaker", "create_model_package_group"),
        ),
        Call("sagemaker", "describe_model_package_group", {"ModelPackageGroupName": "{name}"}),
        f"{_MOTO} moto has no call to delete one, so that a group outlives its stack.",
    ),
    made(
        "AWS::SageMaker::Pipeline",
        Make(
            "{PipelineName}",
            {"PipelineName": "{PipelineName}"},
            Call("sagemaker", "create_pipeline"),
            Call("sagemaker", "delete_pipeline", {"PipelineName": "{id}"}),
            _definition,
        ),
        Call("sagemaker", "describe_pipeline", {"PipelineName": "{id}"}),
        f"{_MOTO} An execution is recorded, its steps don't run.",
    ),
    recorded(
        "AWS::SageMaker::MlflowApp",
        "arn:aws:sagemaker:{region}:{account}:mlflow-app/app-{hash}",
        "`mercato up mlflow` runs a real one.",
        Arn="{id}",
        Status="Created",
    ),
)
