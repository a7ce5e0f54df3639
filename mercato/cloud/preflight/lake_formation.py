"""Whether Lake Formation leaves the Glue catalogue to IAM, as a new account's does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercato.cloud.preflight.finding import Finding, ok, warning
from mercato.cloud.template import Assembly

_CHECK = "Lake Formation"
_ANYBODY = "IAM_ALLOWED_PRINCIPALS"
_DEFAULTS = ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")


def lake_formation(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether who has the right by IAM has it for new databases and tables.

    The jobs go by S3's paths and are none the worse without it (docs/adr/0022).
    """
    if not assembly.counts.get("AWS::Glue::Database"):
        return
    client = session.client("lakeformation", region_name=assembly.region)
    settings = client.get_data_lake_settings()["DataLakeSettings"]
    if all(_ANYBODY in map(_principal, settings.get(kind, ())) for kind in _DEFAULTS):
        yield ok(_CHECK, "leaves new databases and tables to IAM")
        return
    role = f"cdk-hnb659fds-cfn-exec-role-{assembly.account}-{assembly.region}"
    yield warning(
        _CHECK,
        "grants decide on new databases and tables here: CloudFormation needs the one to make databases, "
        "and who asks Athena those to read",
        "as a data lake administrator: aws lakeformation grant-permissions --permissions CREATE_DATABASE "
        """--resource '{"Catalog": {}}' --principal """
        f"DataLakePrincipalIdentifier=arn:aws:iam::{assembly.account}:role/{role}",
    )


def _principal(default: dict[str, Any]) -> str:
    return str(default["Principal"]["DataLakePrincipalIdentifier"])
