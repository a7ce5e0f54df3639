"""A training channel of a made-up town: a household buys its products in every fourth basket."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mercato.contracts.tables.features import (
    HOUSEHOLD_HISTORY,
    HOUSEHOLD_PROFILE,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato_models import demographics
from mercato_models.recommend import channels
from mercato_models.recommend.context import PROFILE
from tests.unit.recommend import world

START = world.NOW - timedelta(days=1)
#: Baskets before the first target: as many that before the test each product was bought equally often.
BEFORE, TARGETS = 13, 4


def write_channel(folder: Path, households: int = 80) -> None:
    """Write every file; each household's last basket is the test."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(1)
    rows = [row for household in range(1, households + 1) for row in _contexts(household, generator)]
    contexts = pa.Table.from_pylist(rows, schema=channels.contexts_schema())
    channels.write(folder, contexts, channels.CONTEXTS)
    for contract, table in (
        (PRODUCT_STATS, world.product_stats(START)),
        (PRODUCT_TRENDS, world.product_trends(START)),
        (PRODUCT_OCCASIONS, world.product_occasions(START)),
        (PRODUCT_RETURNS, world.product_returns(START)),
        (PRODUCT_NEIGHBOURS, world.product_neighbours(START)),
        (STORE_POPULAR, world.store_popular(START)),
        (STORE_PROMOTIONS, world.store_promotions(START)),
    ):
        channels.write(folder, table, contract)
    channels.write_details(folder, world.product_details(START))
    demographics.write(folder, _people(households))


def _people(households: int) -> pd.DataFrame:
    """Three ages, one income, and a size that few tell."""
    ages = ["19-24", "45-54", "65+"]
    return pd.DataFrame(
        {
            demographics.HOUSEHOLD: range(1, households + 1),
            demographics.AGE: [ages[each % 3] for each in range(households)],
            demographics.INCOME: "250K+",
            demographics.SIZE: ["1" if each < 5 else None for each in range(households)],
        }
    )


def _contexts(household: int, generator: np.random.Generator) -> list[dict[str, object]]:
    c, h = channels.CONTEXTS.c, HOUSEHOLD_HISTORY.c
    liked = generator.choice(world.PRODUCTS, 16, replace=False)
    baskets = [sorted(liked[b % 4 :: 4].tolist()) for b in range(BEFORE + TARGETS)]
    times = [world.NOW + timedelta(hours=20 * i + household / 60) for i in range(-BEFORE, TARGETS)]
    rows: list[dict[str, object]] = []
    for last in range(BEFORE, BEFORE + TARGETS):
        past = range(last)
        lines = [product for b in past for product in baskets[b]]
        rows.append(
            {
                c.household_id: household,
                c.store_id: world.STORE,
                c.event_timestamp: times[last].astimezone(UTC),
                c.truth: baskets[last],
                c.split: channels.TEST if last == BEFORE + TARGETS - 1 else channels.TRAIN,
                h.basket_times: [int(times[b].timestamp()) for b in past],
                h.basket_stores: [world.STORE] * last,
                h.basket_sizes: [4] * last,
                h.products: lines,
                h.quantities: [1] * len(lines),
                h.values: [2.5] * len(lines),
                **{name: _profile_value(name) for name in PROFILE},
            }
        )
    return rows


def _profile_value(name: str) -> int | float:
    whole = pa.types.is_integer(HOUSEHOLD_PROFILE.arrow_schema.field(name).type)
    return 3 if whole else 0.5


def truth_of_tests(folder: Path) -> dict[int, set[int]]:
    """The test households' last baskets."""
    c = channels.CONTEXTS.c
    rows = channels.read_contexts(folder).to_pylist()
    return {row[c.household_id]: set(row[c.truth]) for row in rows if row[c.split] == channels.TEST}
