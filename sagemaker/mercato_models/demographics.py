"""What is known of some households beside what they buy: for judging fairness, never a feature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import checks
from mercato_models.parquet import readable

#: In a channel, beside what is learned from; a channel without it is judged by no group.
FILE = "demographics.parquet"
HOUSEHOLD = BASKET_LINES.c.household_id
AGE, INCOME, SIZE = "age", "income", "household_size"
#: Wide bands of the Complete Journey's demographics: few of the households that have any leave.
BANDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    AGE: {
        "under 35": ("19-24", "25-34"),
        "35 to 54": ("35-44", "45-54"),
        "55 and above": ("55-64", "65+"),
    },
    INCOME: {
        "under 50K": ("Under 15K", "15-24K", "25-34K", "35-49K"),
        "50 to 99K": ("50-74K", "75-99K"),
        "100K and above": ("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
    },
    SIZE: {"one": ("1",), "two": ("2",), "three and more": ("3", "4", "5+")},
}


def write(channel: Path, people: pd.DataFrame) -> None:
    """Put demographics into a channel.

    Args:
        people: a row per household with HOUSEHOLD, AGE, INCOME and SIZE.

    Raises:
        CheckError: a value is in no band, or a household has no row of its own.
    """
    check(people)
    channel.mkdir(parents=True, exist_ok=True)
    people[[HOUSEHOLD, *BANDS]].astype(dict.fromkeys(BANDS, "string")).to_parquet(channel / FILE, index=False)


def check(people: pd.DataFrame) -> None:
    """Refuse demographics that are not as `write` takes them; an attribute may be unknown.

    Raises:
        CheckError: a value is in no band, or a household has no row of its own.
    """
    checks.check_columns(people, [HOUSEHOLD, *BANDS])
    checks.check_known(people, [HOUSEHOLD])
    checks.raise_for_rows(people.duplicated(HOUSEHOLD).to_numpy(), f"a second row of the same {HOUSEHOLD}")
    for attribute, bands in BANDS.items():
        known = [value for held in bands.values() for value in held]
        values = people[attribute].astype("string")
        checks.raise_for_rows(
            (values.notna() & ~values.isin(known)).to_numpy(bool),
            f"{attribute} is none of {', '.join(known)}",
        )


def groups(channel: Path, households: pd.Series, model: str) -> pd.DataFrame | None:
    """Band of each row's household by attribute, missing where unknown; `None` if the channel has no file.

    Raises:
        CheckError: the file is broken or lacks a column.
    """
    path = channel / FILE
    if not path.is_file():
        return None
    with readable(path, model):
        people = pd.read_parquet(path)
    checks.check_columns(people, [HOUSEHOLD, *BANDS])
    of = people.drop_duplicates(HOUSEHOLD).set_index(HOUSEHOLD).reindex(households.to_numpy())
    return pd.DataFrame(
        {
            attribute: of[attribute]
            .map({value: band for band, held in bands.items() for value in held})
            .to_numpy()
            for attribute, bands in BANDS.items()
        }
    )
