"""Whether a budget sees the costs that it watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from mercato.cloud.preflight.finding import Finding, ok, warning
from mercato.cloud.template import ENVIRONMENT, Assembly

_CHECK = "cost allocation tag"
#: Where AWS keeps what belongs to billing.
_REGION = "us-east-1"


def tags(session: Any, assembly: Assembly) -> Iterator[Finding]:
    """Whether the tag by which a budget filters is activated; AWS counts nothing by others."""
    if not assembly.counts.get("AWS::Budgets::Budget"):
        return
    fix = (
        "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status "
        f"TagKey={ENVIRONMENT},Status=Active, a day after the first deploy"
    )
    try:
        found = session.client("ce", region_name=_REGION).list_cost_allocation_tags(TagKeys=[ENVIRONMENT])
    except ClientError as error:
        # Only an organization's management account may ask.
        yield warning(
            _CHECK,
            f"this account cannot say whether {ENVIRONMENT} is activated; "
            f"if not, the budget sees no costs: {error}",
            f"with the account that pays: {fix}",
        )
        return
    if any(each["Status"] == "Active" for each in found["CostAllocationTags"]):
        yield ok(_CHECK, f"{ENVIRONMENT} is activated")
    else:
        yield warning(_CHECK, f"{ENVIRONMENT} is not activated: the budget sees no costs", fix)
