"""What is expected of a household: whether it stays away, and what it spends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.columns import Household


class HouseholdOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """An active household just after the day that `event_timestamp` ends.

    `churn_probability` is that of no basket in the next 28 days; `expected_spend` is of the next 180 days, in
    US dollars; `reasons` are codes of what speaks for its leaving, the strongest first.
    """

    household_id: Household
    event_timestamp: Annotated[datetime, Meta(description="End of the newest day (UTC) that was over.")]
    churn_probability: Annotated[float, Meta(description="Of no basket in the next 28 days.")]
    expected_spend: Annotated[float, Meta(description="In the next 180 days, US dollars.")]
    reasons: Annotated[list[str], Meta(description="Codes of what speaks for its leaving, strongest first.")]
    model_version: Annotated[str, Meta(description="Version of the model that says so.")]


OUTLOOK = Table("online.household_outlook", HouseholdOutlook, ("household_id",), "Who may leave.")
