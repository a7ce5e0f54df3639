"""How often schedules come due."""

from __future__ import annotations

import pytest

from mercato.cloud.cost.schedule import DAYS, runs
from mercato.cloud.template import NotStatedError


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("rate(1 hour)", 730),
        ("rate(15 minutes)", 4 * 730),
        ("rate(2 days)", DAYS / 2),
        ("cron(0 * * * ? *)", 730),
        ("cron(0/15 * * * ? *)", 4 * 730),
        ("cron(5/20 6,18 * * ? *)", 3 * 2 * DAYS),
        ("cron(0 3 * * ? *)", DAYS),
        ("cron(0 3 ? * MON-FRI *)", 5 * DAYS / 7),
        ("cron(0 3 ? * MON,thu *)", 2 * DAYS / 7),
        ("cron(0 3 L * ? *)", 1),
        ("cron(0 3 ? * 2-6 *)", 5 * DAYS / 7),
        ("cron(0 3 1 * ? *)", 1),
    ],
)
def test_times_a_month(expression: str, times: float) -> None:
    assert runs(expression) == pytest.approx(times)


def test_what_is_no_schedule_is_named() -> None:
    with pytest.raises(NotStatedError, match="tomorrow"):
        runs("tomorrow")
