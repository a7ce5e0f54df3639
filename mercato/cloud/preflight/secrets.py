"""Secrets whose value only a person has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from mercato.cloud.preflight.finding import Finding, ok, warning
from mercato.cloud.template import Assembly, Resource

_EMPTY: tuple[object, ...] = ("", {}, [], None)


def secrets(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether each holds a value yet. The deploy makes them empty, so that none can stop it."""
    client = session.client("secretsmanager", region_name=assembly.region)
    for resource in assembly.resources:
        if resource.type == "AWS::SecretsManager::Secret" and by_hand(resource):
            name = resource.text("Name")
            fix = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string '...'"
            value = _value(client, name)
            if value is None:
                yield warning(f"secret {name}", f"made by the deploy, without a value: {_use(resource)}", fix)
            elif holds_nothing(value):
                yield warning(f"secret {name}", f"holds no value: {_use(resource)}", fix)
            else:
                yield ok(f"secret {name}", "holds a value")


def by_hand(resource: Resource) -> bool:
    """Whether nothing generates it."""
    return "GenerateSecretString" not in resource.properties


def holds_nothing(value: str) -> bool:
    """Whether a secret's text is empty, or JSON with nothing in it."""
    try:
        return json.loads(value) in _EMPTY
    except ValueError:
        return not value.strip()


def _value(client: Any, name: str) -> str | None:
    try:
        return str(client.get_secret_value(SecretId=name).get("SecretString", ""))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def _use(resource: Resource) -> str:
    described = resource.get("Description", default="")
    return described if isinstance(described, str) else ""
