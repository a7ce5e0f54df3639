"""SageMaker and its scaling, made in moto."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, Properties, made, recorded

_MOTO = "Made in moto."
_NO_MODEL = "Made in moto; answers with nothing that a model said."


def _named(parameter: str) -> str:
    """The name a template gives, or one that AWS would make up."""
    return f"{{{parameter} || join('-', [stack, logical])}}"


def _definition(properties: Properties) -> Properties:
    body = properties["PipelineDefinition"]
    return {**properties, "PipelineDefinition": body.get("PipelineDefinitionBody", body)}


def _target_parts(properties: Properties) -> Properties:
    """A policy may name its target by the target's id, which joins three things."""
    if "ScalingTargetId" not in properties:
        return properties
    resource, dimension, namespace = properties["ScalingTargetId"].split("|")
    parts = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return {**properties, **parts}


_SCALED = {"ServiceNamespace": "{ServiceNamespace}", "ResourceId": "{ResourceId}"}

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
    made(
        "AWS::SageMaker::Model",
        Make(
            "{answer.ModelArn}",
            {"ModelName": _named("ModelName")},
            Call("sagemaker", "create_model", {"ModelName": _named("ModelName")}),
            Call("sagemaker", "delete_model", {"ModelName": "{name}"}),
        ),
        Call("sagemaker", "describe_model", {"ModelName": "{name}"}),
        _MOTO,
    ),
    made(
        "AWS::SageMaker::EndpointConfig",
        Make(
            "{answer.EndpointConfigArn}",
            {"EndpointConfigName": _named("EndpointConfigName")},
            Call(
                "sagemaker",
                "create_endpoint_config",
                {"EndpointConfigName": _named("EndpointConfigName")},
            ),
            Call("sagemaker", "delete_endpoint_config", {"EndpointConfigName": "{name}"}),
        ),
        Call("sagemaker", "describe_endpoint_config", {"EndpointConfigName": "{name}"}),
        _MOTO,
    ),
    made(
        "AWS::SageMaker::Endpoint",
        Make(
            "{answer.EndpointArn}",
            {"EndpointName": _named("EndpointName")},
            Call("sagemaker", "create_endpoint", {"EndpointName": _named("EndpointName")}),
            Call("sagemaker", "delete_endpoint", {"EndpointName": "{name}"}),
        ),
        Call("sagemaker", "describe_endpoint", {"EndpointName": "{name}"}),
        _NO_MODEL,
        faked=True,
    ),
    made(
        "AWS::SageMaker::ModelCard",
        Make(
            "{ModelCardName}",
            {"ModelCardArn": "{answer.ModelCardArn}", "ModelCardVersion": "1"},
            Call("sagemaker", "create_model_card"),
            Call("sagemaker", "delete_model_card", {"ModelCardName": "{id}"}),
        ),
        Call("sagemaker", "describe_model_card", {"ModelCardName": "{id}"}),
        _MOTO,
    ),
    made(
        "AWS::SageMaker::FeatureGroup",
        Make("{FeatureGroupName}", {}, Call("sagemaker", "create_feature_group")),
        Call("sagemaker", "describe_feature_group", {"FeatureGroupName": "{id}"}),
        f"{_MOTO} moto has no call to delete one.",
    ),
    *(
        made(
            f"AWS::SageMaker::{kind}JobDefinition",
            Make(
                "{answer.JobDefinitionArn}",
                {"JobDefinitionArn": "{id}"},
                Call(
                    "sagemaker",
                    f"create_{operation}_job_definition",
                    {"JobDefinitionName": _named("JobDefinitionName")},
                ),
                Call(
                    "sagemaker",
                    f"delete_{operation}_job_definition",
                    {"JobDefinitionName": "{name}"},
                ),
            ),
            Call("sagemaker", f"describe_{operation}_job_definition", {"JobDefinitionName": "{name}"}),
            _MOTO,
        )
        for kind, operation in (
            ("DataQuality", "data_quality"),
            ("ModelQuality", "model_quality"),
            ("ModelBias", "model_bias"),
            ("ModelExplainability", "model_explainability"),
        )
    ),
    recorded(
        "AWS::SageMaker::MonitoringSchedule",
        "arn:aws:sagemaker:{region}:{account}:monitoring-schedule/{MonitoringScheduleName}",
        MonitoringScheduleArn="{id}",
        CreationTime="",
    ),
    recorded(
        "AWS::SageMaker::ModelPackage",
        "arn:aws:sagemaker:{region}:{account}:model-package/{ModelPackageGroupName}/1",
        ModelPackageArn="{id}",
        ModelPackageStatus="Completed",
    ),
    recorded(
        "AWS::SageMaker::MlflowTrackingServer",
        "{TrackingServerName}",
        "`mercato up mlflow` runs a real one.",
        TrackingServerArn="arn:aws:sagemaker:{region}:{account}:mlflow-tracking-server/{TrackingServerName}",
    ),
    recorded(
        "AWS::SageMaker::MlflowApp",
        "arn:aws:sagemaker:{region}:{account}:mlflow-app/app-{hash}",
        "`mercato up mlflow` runs a real one.",
        Arn="{id}",
        Status="Created",
    ),
    made(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        Make(
            "{ResourceId}|{ScalableDimension}|{ServiceNamespace}",
            {"Id": "{id}"},
            Call("application-autoscaling", "register_scalable_target"),
            Call(
                "application-autoscaling",
                "deregister_scalable_target",
                {**_SCALED, "ScalableDimension": "{ScalableDimension}"},
            ),
        ),
        Call(
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": "{ServiceNamespace}"},
        ),
        f"{_MOTO} Nothing scales.",
        faked=True,
    ),
    made(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        Make(
            "{answer.PolicyARN}",
            {"Arn": "{id}"},
            Call("application-autoscaling", "put_scaling_policy"),
            None,
            _target_parts,
        ),
        Call("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
        f"{_MOTO} Nothing scales.",
        faked=True,
    ),
)
