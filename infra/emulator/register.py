"""Teaches ministack's CloudFormation the types of the catalog (private API of the pinned version)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import msk
from ministack.services.cloudformation import provisioners, stacks

from infra.emulator.account import session
from infra.emulator.types import custom
from infra.emulator.types.calls import Caller
from infra.emulator.types.registration import CloudType, Make, Properties, identified, resource_values

Created = tuple[str, dict[str, Any]]

#: What ministack makes by a call but deletes by none.
_FORGET: dict[str, Callable[[str], object]] = {
    "AWS::MSK::Configuration": lambda physical_id: msk._configurations.pop(physical_id, None),
}


def register(types: dict[str, CloudType], endpoint: str) -> None:
    """Give ministack a handler for each type that it does not make by itself.

    Args:
        types: by name.
        endpoint: where this very ministack will answer: handlers call its other services there.
    """
    ours = {name: _handler(name, each.make, endpoint) for name, each in types.items() if each.make}
    ours[custom.BUCKET_DEPLOYMENT] = _bucket_deployment(endpoint)
    ours[custom.EMPTIED_BUCKET] = _emptied_bucket(endpoint)
    provisioners._RESOURCE_HANDLERS.update(ours)
    blocking: Callable[[str], bool] = stacks._runs_on_worker_thread
    # A handler that calls the server it runs in must leave the event loop free to answer.
    stacks._runs_on_worker_thread = lambda name: name in ours or blocking(name)


@functools.cache
def _caller(endpoint: str, account: str, region: str) -> Caller:
    return Caller(endpoint, account, region)


def _handler(name: str, make: Make, endpoint: str) -> dict[str, Any]:
    attributes_of: dict[str, dict[str, Any]] = {}

    def caller() -> Caller:
        return _caller(endpoint, get_account_id(), get_region())

    def values(properties: Properties, stack: str, logical: str) -> dict[str, Any]:
        return resource_values(
            properties, account=get_account_id(), region=get_region(), stack=stack, logical=logical
        )

    def create(logical: str, properties: Properties, stack: str) -> Created:
        physical_id, attributes = caller().make(make, properties, values(properties, stack, logical))
        attributes_of[physical_id] = attributes
        return physical_id, attributes

    def delete(physical_id: str, properties: Properties) -> None:
        if name in _FORGET:
            _FORGET[name](physical_id)
        else:
            known = identified(values(properties, "", ""), physical_id)
            known["attributes"] = attributes_of.pop(physical_id, {})
            for call in filter(None, (make.stop, make.delete)):
                caller().delete(call, known)

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical: str | None = None
    ) -> Created:
        # Names are taken until the old one is gone.
        delete(physical_id, old)
        return create(logical or physical_id, new, stack)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _s3(endpoint: str) -> Any:
    return session(get_account_id(), get_region()).client("s3", endpoint_url=endpoint)


def _emptied_bucket(endpoint: str) -> dict[str, Any]:
    def create(_logical: str, properties: Properties, _stack: str) -> Created:
        return properties["BucketName"], {}

    def update(_id: str, _old: Properties, new: Properties, stack: str) -> Created:
        return create("", new, stack)

    def delete(_id: str, properties: Properties) -> None:
        custom.empty(_s3(endpoint), properties["BucketName"])

    return {"create": create, "update": update, "delete": delete}


def _bucket_deployment(endpoint: str) -> dict[str, Any]:
    def create(_logical: str, properties: Properties, _stack: str) -> Created:
        keys = custom.unpack(_s3(endpoint), properties)
        bucket = properties["DestinationBucketName"]
        return custom.physical_id(properties), {
            "SourceObjectKeys": keys,
            "DestinationBucketArn": f"arn:aws:s3:::{bucket}",
        }

    def update(_id: str, _old: Properties, new: Properties, stack: str) -> Created:
        return create("", new, stack)

    def delete(_id: str, properties: Properties) -> None:
        custom.remove(_s3(endpoint), properties)

    return {"create": create, "update": update, "delete": delete}
