"""What a run of any of the pipelines is told; the deploy writes the defaults."""

from __future__ import annotations

from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString

#: No rows to score in a batch.
NO_BATCH = "none"

ROLE = ParameterString(name="RoleArn")
IMAGE = ParameterString(name="ImageUri")
#: The `sourcedir.tar.gz` of the artifact `model-source-MODEL`.
SOURCE = ParameterString(name="SourceUri")
#: Manifest that names the files which the training script's channel holds.
DATA = ParameterString(name="DataUri")
#: Folder under which the run writes; without a slash at its end.
OUTPUT = ParameterString(name="OutputUri")
KEY = ParameterString(name="KmsKeyArn")
SUBNETS = (ParameterString(name="SubnetA"), ParameterString(name="SubnetB"))
SECURITY_GROUP = ParameterString(name="SecurityGroupId")
GROUP = ParameterString(name="ModelPackageGroup")
#: ARN of an MLflow app or tracking server; empty: runs are not tracked.
MLFLOW = ParameterString(name="MlflowArn", default_value="")
TRAINING_INSTANCE = ParameterString(name="TrainingInstanceType")
INSTANCE = ParameterString(name="InstanceType", default_value="ml.m5.large")
APPROVAL = ParameterString(name="ApprovalStatus", default_value="PendingManualApproval")
#: Least value of the model's metric, beside what its gate asks for.
FLOOR = ParameterFloat(name="MetricFloor", default_value=0.0)
#: Folder with CSV rows of features to score once the model is registered.
BATCH = ParameterString(name="BatchUri", default_value=NO_BATCH)

ALL = (
    ROLE,
    IMAGE,
    SOURCE,
    DATA,
    OUTPUT,
    KEY,
    *SUBNETS,
    SECURITY_GROUP,
    GROUP,
    MLFLOW,
    TRAINING_INSTANCE,
    INSTANCE,
    APPROVAL,
    FLOOR,
    BATCH,
)
