"""All checks of an environment, and how they are shown."""

from __future__ import annotations

import dataclasses
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from mercato.cloud.preflight.account import bootstrap, deployed, identity, linked_roles
from mercato.cloud.preflight.finding import Finding, State
from mercato.cloud.preflight.lake_formation import lake_formation
from mercato.cloud.preflight.quotas import concurrency, endpoints, jobs, quotas
from mercato.cloud.preflight.secrets import secrets
from mercato.cloud.preflight.services import services
from mercato.cloud.preflight.tags import tags
from mercato.cloud.template import Assembly
from mercato.errors import MercatoError

_STYLE = {State.OK: "green", State.WARNING: "yellow", State.BLOCKING: "bold red"}


class PreflightError(MercatoError):
    """AWS did not answer a question that a check asks."""


def inspect(session: Any, assembly: Assembly) -> list[Finding]:
    """Look at everything that a deploy of these templates needs.

    Args:
        session: boto3 session with the credentials of the deploy.
        assembly: its templates.

    Raises:
        PreflightError: AWS refused a question, or could not be reached.
    """
    findings = list(identity(session, assembly))
    if any(each.state is State.BLOCKING for each in findings):
        return findings
    try:
        held, stacks = deployed(session, assembly)
        return [
            *findings,
            *bootstrap(session, assembly),
            *stacks,
            *services(session, assembly),
            *linked_roles(session, assembly),
            *lake_formation(session, assembly),
            *quotas(session, assembly.region, assembly.resources, held),
            *endpoints(session, assembly.region, assembly.resources),
            *jobs(session, assembly.region, assembly.resources),
            *concurrency(session, assembly.region, assembly.resources),
            *secrets(session, assembly),
            *tags(session, assembly),
        ]
    except (BotoCoreError, ClientError) as error:
        raise PreflightError(
            f"AWS did not answer: {error}. Allow the caller to read (the managed policy "
            "ReadOnlyAccess does), or try again."
        ) from error


def blocked(findings: list[Finding]) -> bool:
    """Whether the deploy would fail."""
    return any(each.state is State.BLOCKING for each in findings)


def table(findings: list[Finding], environment: str) -> Table:
    """The report for a person."""
    result = Table(title=f"Before `make deploy ENV={environment}`", title_justify="left")
    for heading in ("", "check", "found", "fix"):
        result.add_column(heading, overflow="fold")
    for each in findings:
        style = _STYLE[each.state]
        result.add_row(f"[{style}]{each.state}[/]", each.check, each.says, each.fix)
    return result


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """The report for a machine."""
    return {"blocking": blocked(findings), "findings": [dataclasses.asdict(each) for each in findings]}
