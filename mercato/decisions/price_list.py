"""Proposals for every product in every store, from the weeks so far and a trained model."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table
from mercato.decisions.price import Guardrails, Priced, propose
from mercato_models.artefact import Model
from mercato_models.price import demand, elasticity
from mercato_models.price.panel import PANEL

_C = PANEL.c
_CELL = (_C.product_id, _C.store_id)
#: Weeks that reach back 30 days and more, and those over which a price is usual.
_LOWEST_WEEKS, _USUAL_WEEKS = 5, 8
_DAYS = 7
#: A product that is expected to sell nothing is priced as if it sold this.
_LEAST_UNITS = 1e-3
#: Half a cent: the price of a week is a mean over its checkouts.
_SAME = 0.005


class ProposedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price to charge from next week on. Money per unit or per week, in US dollars."""

    product_id: int
    store_id: int
    week: Annotated[int, Int32]  # for which it is meant
    price: float  # as it stands
    cost: float
    units: float  # expected at the price as it stands
    elasticity: float
    proposed_price: float
    gain: float  # expected weekly profit beyond that at the price as it stands
    least_gain: float  # at the ends of the elasticity's 95 % interval
    most_gain: float
    held_by: str  # guardrails without which it would be another price
    model_version: str
    proposed_at: datetime


PROPOSED = Table(
    "price.proposals", ProposedPrice, ("product_id", "store_id", "week"), "Prices for next week, proposed."
)


def price_list(
    panel: pd.DataFrame,
    elasticities: pd.DataFrame,
    model: Model,
    *,
    cost_share: float,
    rules: Guardrails,
    now: datetime,
) -> pd.DataFrame:
    """A proposal, columns as in PROPOSED, for each product and store with an elasticity; most gain first.

    Args:
        panel: checked.
        elasticities: what `mercato_models.price.elasticity.table` makes.
        cost_share: what a unit costs, as a share of its usual price; the data know no costs.
    """
    c, names = PROPOSED.c, (elasticity.PRODUCT, elasticity.ESTIMATE, elasticity.ERROR)
    columns = [elasticities[name].to_numpy().tolist() for name in names]
    known = {product: (own, error) for product, own, error in zip(*columns, strict=True)}
    panel = panel[panel[_C.product_id].isin(list(known))]
    newest = int(panel[_C.week].max())
    following = panel[panel[_C.week] == newest].assign(
        **{_C.week: newest + 1, _C.units: 0, _C.displayed: False, _C.mailed: False}
    )
    whole = pd.concat([panel, following]).sort_values(list(PANEL.key), ignore_index=True)
    asked = whole[_C.week] == newest + 1
    expected = model.score(demand.matrix(demand.features(whole)[asked]))
    cells = whole.loc[asked, list(_CELL)].to_numpy().tolist()
    prices = {cell: weeks.to_numpy() for cell, weeks in panel.groupby(list(_CELL))[_C.price]}
    made = []
    for (product, store), units in zip(cells, expected.tolist(), strict=True):
        stands = _stands(prices[product, store], units, *known[product], cost_share)
        row = {c.product_id: product, c.store_id: store, c.week: newest + 1}
        made.append(row | _proposed(stands, rules) | {c.model_version: model.version, c.proposed_at: now})
    found = pd.DataFrame(made)[list(c)]
    return found.sort_values([c.gain, *_CELL], ascending=[False, True, True], ignore_index=True)


def _stands(prices: NDArray[np.float64], units: float, own: float, error: float, cost_share: float) -> Priced:
    return Priced(
        price=round(float(prices[-1]), 2),
        cost=cost_share * float(np.median(prices[-_USUAL_WEEKS:])),
        units=max(units, _LEAST_UNITS),
        elasticity=own,
        error=error,
        lowest_30_days=round(float(prices[-_LOWEST_WEEKS:].min()), 2),
        days_unchanged=_DAYS * _unchanged(prices),
    )


def _proposed(stands: Priced, rules: Guardrails) -> dict[str, object]:
    proposal, c = propose(stands, rules), PROPOSED.c
    return {
        c.price: stands.price,
        c.cost: stands.cost,
        c.units: stands.units,
        c.elasticity: stands.elasticity,
        c.proposed_price: proposal.price,
        c.gain: proposal.gain,
        c.least_gain: proposal.least_gain,
        c.most_gain: proposal.most_gain,
        c.held_by: ", ".join(proposal.held),
    }


def _unchanged(prices: NDArray[np.float64]) -> int:
    """Weeks for which the newest price has stood."""
    other = np.flatnonzero(np.abs(prices - prices[-1]) > _SAME)
    return len(prices) - 1 - int(other[-1]) if len(other) else len(prices)
