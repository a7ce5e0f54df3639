"""Secrets whose value only a person has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from mercato.cloud.preflight.finding import Finding, ok, warning
from mercato.cloud.template import Assembly, Resource

#: Stage that Secrets Manager gives to the value before the newest.
_EARLIER = "AWSPREVIOUS"


def secrets(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether somebody has put a value into each; no value is read.

    The deploy makes them empty, so that none can stop it.
    """
    client = session.client("secretsmanager", region_name=assembly.region)
    for resource in assembly.resources:
        if resource.type == "AWS::SecretsManager::Secret" and by_hand(resource):
            name = resource.text("Name")
            fix = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string '...'"
            stages = _stages(client, name)
            if stages is None:
                yield warning(f"secret {name}", f"made by the deploy, without a value: {_use(resource)}", fix)
            elif _EARLIER not in stages:
                yield warning(f"secret {name}", f"nobody has put a value there: {_use(resource)}", fix)
            else:
                yield ok(f"secret {name}", "somebody has put a value there")


def by_hand(resource: Resource) -> bool:
    """Whether nothing generates it."""
    return "GenerateSecretString" not in resource.properties


def _stages(client: Any, name: str) -> set[str] | None:
    """Stages of a secret's versions; `None` if there is no such secret yet."""
    try:
        described = client.describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return {stage for stages in described.get("VersionIdsToStages", {}).values() for stage in stages}


def _use(resource: Resource) -> str:
    described = resource.get("Description", default="")
    return described if isinstance(described, str) else ""
