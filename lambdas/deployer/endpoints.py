"""SageMaker's registry and endpoints: the calls, without the decisions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.deployer.plan import ASKED_FOR, Serving, Wanted, policy, target, update
from mercato.cloud.registry import newest_approved


class Endpoints:
    """The endpoints of a deployment.

    Args:
        sagemaker: boto3's client.
        scaling: boto3's client of Application Auto Scaling.
    """

    def __init__(self, serving: Serving, sagemaker: Any, scaling: Any) -> None:
        self._serving = serving
        self._sagemaker = sagemaker
        self._scaling = scaling

    def approved(self, group: str) -> str | None:
        """ARN of a group's newest approved version, `None` if there is none."""
        return newest_approved(self._sagemaker, group)

    def find(self, name: str) -> dict[str, Any] | None:
        """An endpoint as SageMaker describes it, `None` if there is none."""
        return _found(lambda: self._sagemaker.describe_endpoint(EndpointName=name))

    def asked_for(self, endpoint: dict[str, Any]) -> str | None:
        """Configuration that an endpoint was last asked to take."""
        tags = self._sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        return next((tag["Value"] for tag in tags if tag["Key"] == ASKED_FOR), None)

    def provide(self, wanted: Wanted) -> None:
        """Make the model and the configuration that an endpoint is to take; those that are there stay."""
        name, client = wanted.name, self._sagemaker
        if _found(lambda: client.describe_model(ModelName=name)) is None:
            client.create_model(**wanted.model)
        if _found(lambda: client.describe_endpoint_config(EndpointConfigName=name)) is None:
            client.create_endpoint_config(**wanted.config)

    def create(self, name: str, config: str) -> None:
        """Make an endpoint."""
        self._sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=self._tags(config))

    def update(self, endpoint: dict[str, Any], config: str, alarms: list[str]) -> None:
        """Move an endpoint to another configuration."""
        name = endpoint["EndpointName"]
        before = self._sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        if before["ProductionVariants"][0]["InstanceType"] != self._serving.instance_type:
            self._unscale(name)
        self._sagemaker.add_tags(ResourceArn=endpoint["EndpointArn"], Tags=self._tags(config))
        self._sagemaker.update_endpoint(**update(endpoint, config, alarms))

    def scale(self, name: str) -> None:
        """Have an endpoint follow its traffic; doing it again changes nothing."""
        serving = self._serving
        self._scaling.register_scalable_target(
            **target(name), MinCapacity=serving.min_instances, MaxCapacity=serving.max_instances
        )
        self._scaling.put_scaling_policy(**policy(name, serving.per_minute))

    def _tags(self, config: str) -> list[dict[str, str]]:
        return [
            {"Key": key, "Value": value} for key, value in {**self._serving.tags, ASKED_FOR: config}.items()
        ]

    def _unscale(self, name: str) -> None:
        """SageMaker changes the instance type of no endpoint that scales; afterwards it scales again."""
        try:
            self._scaling.deregister_scalable_target(**target(name))
        except self._scaling.exceptions.ObjectNotFoundException:
            return


def _found(describe: Any) -> dict[str, Any] | None:
    """What a call describes; SageMaker has no error of its own for what is not there."""
    try:
        described: dict[str, Any] = describe()
    except ClientError as error:
        if "could not find" in error.response["Error"]["Message"].lower():
            return None
        raise
    return described
