"""What a model that scores everybody is asked now: rows of its features from the lake as it stands."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.lake.tables import Lake
from mercato_models import datasets
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.churn import scoring
from mercato_models.price import channels, demand, weeks
from mercato_models.price.panel import PANEL


def _churn(lake: Lake, model: Model, now: datetime) -> Floats32:
    """Households that are active at the end of the newest day that is over."""
    return scoring.active(lake.read_arrow(BASKET_LINES).to_pandas(), model, now).rows


def _price(lake: Lake, _model: Model, now: datetime) -> Floats32:
    """Products in their stores, in the newest week that is over, as it was priced and promoted."""
    with tempfile.TemporaryDirectory() as scratch:
        datasets.write("price", lake, Path(scratch))
        panel = weeks.over(channels.read(Path(scratch)), now)
    newest = panel[PANEL.c.week] == panel[PANEL.c.week].max()
    return demand.matrix(demand.features(panel)[newest])


OF_LAKE: Mapping[str, Callable[[Lake, Model, datetime], Floats32]] = {"churn": _churn, "price": _price}
