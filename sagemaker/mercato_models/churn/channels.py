"""The file of a churn training job: active households at as-of days, their features and labels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import checks
from mercato_models.churn import NAME
from mercato_models.churn.days import HORIZON_DAYS, over
from mercato_models.churn.features import AS_OF, LABEL, baskets, features, labels
from mercato_models.parquet import readable

_L = BASKET_LINES.c
HOUSEHOLD, _TIME = _L.household_id, _L.basket_time
#: Of gold.basket_lines: what a basket is, and what was paid.
_BASKET, _MONEY = (
    (HOUSEHOLD, _L.basket_id, _L.store_id, _TIME),
    (_L.sales_value, _L.retail_disc, _L.coupon_disc, _L.coupon_match_disc),
)
FILE, TRAIN = "churn.parquet", "train"
#: As-of days of a channel, days since the first basket's day: the first, and how far they are apart.
FIRST_DAY, STEP_DAYS = 84, 7
#: The newest as-of days that a model is judged on, and how far these are apart. On the Complete Journey year
#: they are those of the published evaluation: 280, 294, 308, 322, 336.
JUDGED, JUDGED_STEP_DAYS = 5, 14


def write(channel: Path, lines: pd.DataFrame, now: datetime) -> None:
    """Write the snapshots of every as-of day whose label window is over.

    Args:
        lines: gold.basket_lines.
        now: tells whether the newest day is over.

    Raises:
        CheckError: lines cannot be true, there are too few days, or no household is active at any of them.
    """
    check(lines, pd.Timestamp(now))
    start = lines[_TIME].min().normalize()
    history = baskets(lines, start)
    until = over(history, start, now)
    days = range(FIRST_DAY, until - HORIZON_DAYS + 1, STEP_DAYS)
    channel.mkdir(parents=True, exist_ok=True)
    snapshots(history, days, until).to_parquet(channel / FILE, index=False)


def check(lines: pd.DataFrame, now: pd.Timestamp) -> None:
    """Refuse rows of gold.basket_lines that cannot be true.

    Raises:
        CheckError: columns or values are missing, or a basket is of the future.
    """
    checks.check_columns(lines, [*_BASKET, *_MONEY])
    checks.check_known(lines, _BASKET)
    checks.check_not_future(pd.to_datetime(lines[_TIME], utc=True), now)
    checks.check_missing_or_infinite(lines, _MONEY, known=1.0)


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that a model is judged on."""
    newest = rows[AS_OF].max()
    return rows[rows[AS_OF].isin([newest - number * JUDGED_STEP_DAYS for number in range(JUDGED)])]


def snapshots(history: pd.DataFrame, days: Iterable[int], until: int) -> pd.DataFrame:
    """Rows of several as-of days.

    Args:
        history: what `mercato_models.churn.features.baskets` makes.
        until: how many days are over, as `mercato_models.churn.days.over` tells.

    Raises:
        CheckError: no household is active at any of them, or a label window is not over.
    """
    made = []
    for day in days:
        if day + HORIZON_DAYS > until:
            raise checks.CheckError(
                f"open label window: as-of day {day} + {HORIZON_DAYS} is past the {until} days that are over"
            )
        rows = features(history, day)
        rows.insert(0, AS_OF, day)
        rows[LABEL] = labels(history, rows.index, day)
        made.append(rows.rename_axis(HOUSEHOLD).reset_index())
    joined = pd.concat(made, ignore_index=True) if made else pd.DataFrame()
    checks.check_columns(joined, [AS_OF, HOUSEHOLD, LABEL])
    return joined


def read(channel: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows of a channel and the names of their features.

    Raises:
        CheckError: the file is missing or broken, or its rows cannot be trained on.
    """
    path = channel / FILE
    if not path.is_file():
        raise checks.CheckError(f"{path} is missing: write there what `snapshots` makes")
    with readable(path, NAME):
        rows = pd.read_parquet(path)
    checks.check_columns(rows, [AS_OF, HOUSEHOLD, LABEL])
    checks.check_known(rows, [AS_OF, HOUSEHOLD])
    named = tuple(name for name in rows.columns if name not in (AS_OF, HOUSEHOLD, LABEL))
    checks.check_not_constant(rows[LABEL])
    checks.check_missing_or_infinite(rows, named)
    return rows, named
