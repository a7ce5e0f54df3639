"""The newest approved version of a model onto its endpoint: `lambdas.deployer.handler.handler`."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

from lambdas.deployer.endpoints import Endpoints
from lambdas.deployer.plan import Serving, Step, step, wanted

#: Of an event that tells of a model package; others tell of an endpoint.
_GROUP = "ModelPackageGroupName"

_serving = Serving(**json.loads(os.environ["MERCATO_SERVING"]))
_endpoints = Endpoints(_serving, boto3.client("sagemaker"), boto3.client("application-autoscaling"))


class EndpointUnusableError(Exception):
    """SageMaker lets an endpoint only be deleted."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take the next step for the endpoint that an event of SageMaker (EventBridge) is about.

    A package's group and its endpoint have the same name. Doing it again changes nothing.

    Raises:
        EndpointUnusableError: a person must delete it first.
    """
    detail = event["detail"]
    by_person = _GROUP in detail
    name: str = detail[_GROUP] if by_person else detail["EndpointName"]
    model = name.removeprefix(_serving.prefix)
    if model not in _serving.alarms:
        return {"endpoint": name, "ignored": "it has no endpoint in this deployment"}
    package = _endpoints.approved(name)
    if package is None:
        return {"endpoint": name, "ignored": "no version is approved; what answers goes on to do so"}
    return {"endpoint": name, "package": package, "step": _go(name, model, package, by_person)}


def _go(name: str, model: str, package: str, by_person: bool) -> Step:
    new, endpoint = wanted(_serving, model, package), _endpoints.find(name)
    next_step = step(endpoint, new.name, _endpoints.asked_for(endpoint) if endpoint else None, by_person)
    if next_step is Step.UNUSABLE and endpoint:
        raise EndpointUnusableError(
            f"{name} is {endpoint['EndpointStatus']} ({endpoint.get('FailureReason', 'no reason given')}): "
            f"delete it (aws sagemaker delete-endpoint --endpoint-name {name}), then approve a version again."
        )
    if next_step in (Step.CREATE, Step.UPDATE):
        _endpoints.provide(new)
    if next_step is Step.CREATE:
        _endpoints.create(name, new.name)
    elif next_step is Step.UPDATE and endpoint:
        _endpoints.update(endpoint, new.name, [*_serving.alarms[model]])
    elif next_step in (Step.SCALE, Step.UNDONE):
        _endpoints.scale(name)
    return next_step
