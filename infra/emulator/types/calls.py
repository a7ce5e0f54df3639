"""Makes, finds and deletes resources by the same boto3 calls that a person would make."""

from __future__ import annotations

import threading
from typing import Any

import jmespath
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.emulator.account import session
from infra.emulator.types.fitting import fit
from infra.emulator.types.registration import Call, Make, Properties, fill, identified

_PATIENCE = Config(
    connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 2}, inject_host_prefix=False
)


class Caller:
    """Calls one account and region of the emulator; threads may share it.

    Args:
        endpoint: address of the emulator.
        account: twelve digits.
        region: AWS region.
    """

    def __init__(self, endpoint: str, account: str, region: str) -> None:
        # A client is made once, as that takes longer than its call, and by one thread at a time.
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self._session = session(account, region)
        self._endpoint = endpoint

    def make(self, make: Make, properties: Properties, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Make a resource; gives its physical id and attributes."""
        answer = {}
        if make.call:
            given = _without_system_tags(properties)
            try:
                answer = self._call(make.call, values, make.adapt(given) if make.adapt else given)
            except ClientError as error:
                if error.response["Error"]["Code"] != make.settled:
                    raise
        known = {**values, "answer": answer}
        physical_id = str(fill(make.physical_id, known))
        known = identified(known, physical_id)
        return physical_id, {name: fill(each, known) for name, each in make.attributes.items()}

    def delete(self, call: Call, values: dict[str, Any]) -> None:
        """Delete a resource; one that is gone already is no failure."""
        try:
            self._call(call, values)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if "NotFound" not in code and "Could not find" not in str(error):
                raise

    def finds(self, call: Call, values: dict[str, Any]) -> bool:
        """Whether a resource is there to be described."""
        try:
            answer = self._call(call, values)
        except ClientError:
            return False
        return bool(jmespath.search(fill(call.expect, values), answer)) if call.expect else True

    def _call(
        self, call: Call, values: dict[str, Any], properties: Properties | None = None
    ) -> dict[str, Any]:
        client = self._client(call.service)
        operation = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[call.operation]
        )
        given = {**(properties or {}), **fill(call.arguments, values)}
        parameters = fit(given, operation.input_shape) if operation.input_shape else {}
        answer: dict[str, Any] = getattr(client, call.operation)(**parameters)
        return answer

    def _client(self, service: str) -> Any:
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self._endpoint, config=_PATIENCE
                )
            return self._clients[service]


def _without_system_tags(properties: Properties) -> Properties:
    """CloudFormation tags what it makes by itself with tags that nobody else may set."""
    tags = properties.get("Tags")
    if not isinstance(tags, list):
        return properties
    return {**properties, "Tags": [each for each in tags if not each["Key"].startswith("aws:")]}
