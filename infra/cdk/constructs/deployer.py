"""The function that gives approved models their endpoints, and the events that wake it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aws_cdk import ArnFormat
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam

from infra.cdk.constructs.failed import FailedEvents
from infra.cdk.constructs.function import Function
from infra.cdk.stacks.base import PlaneStack
from infra.cdk.stacks.network import NetworkStack
from lambdas.deployer.plan import DIMENSION, Serving

_TRIES = 3
_SCALING_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


class Deployer(Function):
    """The function `mercato-ENV-deployer`."""

    def __init__(
        self, stack: PlaneStack, *, network: NetworkStack, serving: Serving, failed: FailedEvents
    ) -> None:
        """Create the function, its rights and its events.

        Args:
            failed: takes the events that it could not deal with.
        """
        super().__init__(
            stack,
            "deployer",
            network=network,
            environment={"MERCATO_SERVING": stack.to_json_string(asdict(serving))},
            memory_mib=256,
            timeout_seconds=60,
            concurrency=0,
            dead_letters=failed,
        )
        self._plane = stack
        names = [stack.name(model) for model in serving.alarms]
        if not names:
            return
        self._allow_models(names, serving)
        self._allow_scaling(names, serving)
        state = {"ModelPackageGroupName": names, "ModelApprovalStatus": ["Approved", "Rejected"]}
        self._woken_by("Model Package", state)
        self._woken_by("Endpoint", {"EndpointName": names})

    def _woken_by(self, of: str, detail: dict[str, Any]) -> None:
        name = f"{of.lower().replace(' ', '-')}-changed"
        rule = events.CfnRule(
            self,
            f"On-{name}",
            name=self._plane.name(name),
            description=f"{of} of a model that answers at once",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": [f"SageMaker {of} State Change"],
                "detail": detail,
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="deployer",
                    arn=self.arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_retry_attempts=_TRIES),
                )
            ],
        )
        self.invoked_by("events", rule.attr_arn, name)

    def _allow_models(self, names: Sequence[str], serving: Serving) -> None:
        def arns(kind: str, suffix: str = "") -> list[str]:
            return [
                self._plane.format_arn(service="sagemaker", resource=kind, resource_name=f"{name}{suffix}")
                for name in names
            ]

        def may(actions: Sequence[str], *resources: str) -> None:
            self.allow([f"sagemaker:{action}" for action in actions], resources)

        packages, models, configs = (
            arns("model-package", "/*"),
            arns("model", "-*"),
            arns("endpoint-config", "-*"),
        )
        endpoints = arns("endpoint")
        may(("DescribeModelPackage", "ListModelPackages"), *packages)
        # Of a registered version: AWS asks for the right on both.
        may(("CreateModel",), *models, *packages)
        may(("DescribeModel",), *models)
        may(("CreateEndpointConfig", "DescribeEndpointConfig"), *configs)
        may(("CreateEndpoint", "UpdateEndpoint"), *endpoints, *configs)
        may(("DescribeEndpoint", "AddTags", "ListTags"), *endpoints)
        # Application Auto Scaling asks for it of whoever registers an endpoint there.
        may(("UpdateEndpointWeightsAndCapacities",), *endpoints)
        to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        self._allow_if(("iam:PassRole",), [serving.role], to_sagemaker)
        # SageMaker encrypts the disks of an endpoint on behalf of whoever makes it.
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        self._allow_if(("kms:CreateGrant",), [serving.key], for_aws)
        self.allow(["kms:DescribeKey"], [serving.key])

    def _allow_scaling(self, names: Sequence[str], serving: Serving) -> None:
        plane = self._plane
        targets = plane.format_arn(
            service="application-autoscaling", resource="scalable-target", resource_name="*"
        )
        of_endpoints = {
            "StringEquals": {
                "application-autoscaling:service-namespace": "sagemaker",
                "application-autoscaling:scalable-dimension": DIMENSION,
            }
        }
        actions = ("DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget")
        self._allow_if([f"application-autoscaling:{action}" for action in actions], [targets], of_endpoints)

        def alarm(name: str) -> str:
            return plane.format_arn(
                service="cloudwatch",
                resource="alarm",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )

        tracking = [alarm(f"TargetTracking-endpoint/{name}/*") for name in names]
        undoing = [alarm(name) for alarms in serving.alarms.values() for name in alarms]
        self.allow(["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"], tracking)
        self.allow(["cloudwatch:DescribeAlarms"], [*tracking, *undoing])
        linked = plane.format_arn(service="iam", region="", resource="role", resource_name=_SCALING_ROLE)
        for_scaling = {
            "StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
        }
        self._allow_if(("iam:CreateServiceLinkedRole",), [linked], for_scaling)

    def _allow_if(self, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, Any]) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(actions=[*actions], resources=[*resources], conditions=conditions)
        )
