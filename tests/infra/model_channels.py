"""Small channels to train each model on, and hyperparameters with which that takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn import channels
from mercato_models.fraud import payments
from mercato_models.fraud.simulator import World, simulate
from mercato_models.price import channels as price_channels
from mercato_models.price.simulator import Chain
from mercato_models.price.simulator import simulate as simulate_prices
from tests.integration.recommend_channel import write_channel

_START = pd.Timestamp("2017-01-01")
_TOWN = World(customers=300, terminals=500, days=165, radius=12.0, terminals_a_day=1, customers_a_day=1)


def _recommend(folder: Path) -> dict[str, str]:
    write_channel(folder)
    return {"rounds": "20", "threads": "1"}


def _fraud(folder: Path) -> dict[str, str]:
    payments.write(folder, simulate(_TOWN)[0])
    return {"rounds": "30", "learning-rate": "0.3"}


def _churn(folder: Path) -> dict[str, str]:
    """Households that come ever more rarely, some of them not again."""
    columns = BASKET_LINES.c
    generator = np.random.default_rng(0)
    gaps = [generator.exponential(generator.uniform(2, 30), 200).cumsum() for _ in range(300)]
    days = [times[times < generator.choice([150, 365])] for times in gaps]
    owners = np.repeat(np.arange(len(days)), [len(times) for times in days])
    lines = pd.DataFrame(
        {
            columns.household_id: owners,
            columns.basket_id: np.arange(len(owners)),
            columns.store_id: generator.integers(1, 4, len(owners)),
            columns.sales_value: generator.gamma(2, 10, len(owners)),
            columns.retail_disc: generator.random(len(owners)),
            columns.coupon_disc: 0.0,
            columns.coupon_match_disc: 0.0,
            columns.basket_time: _START + pd.to_timedelta(np.concatenate(days), unit="D"),
        }
    )
    channels.write(folder, lines, datetime.now(UTC))
    return {"rounds": "20", "step-days": "14"}


def _price(folder: Path) -> dict[str, str]:
    chain = Chain(categories=4, stores=4, weeks=40)
    folder.mkdir(parents=True, exist_ok=True)
    simulate_prices(0, chain).panel.to_parquet(folder / price_channels.FILE, index=False)
    return {"rounds": "30", "learning-rate": "0.2"}


CHANNELS: Mapping[str, Callable[[Path], dict[str, str]]] = {
    "recommend": _recommend,
    "churn": _churn,
    "fraud": _fraud,
    "price": _price,
}
