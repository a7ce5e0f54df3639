"""What is expected of a household: whether it stays away, and what it spends."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mercato.contracts.tables.base import Table


class HouseholdOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """An active household just after the day that `event_timestamp` ends.

    `churn_probability` is that of no basket in the next 28 days; `expected_spend` is of the next 180 days, in
    US dollars; `reasons` are codes of what speaks for its leaving, the strongest first.
    """

    household_id: int
    event_timestamp: datetime
    churn_probability: float
    expected_spend: float
    reasons: list[str]
    model_version: str


OUTLOOK = Table("online.household_outlook", HouseholdOutlook, ("household_id",), "Who may leave.")
