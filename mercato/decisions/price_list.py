"""Proposals for every product in every store, from the weeks so far and a trained model."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.tables.proposals import PROPOSED, ProposedPrice
from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.price import Guardrails, Priced, propose
from mercato.decisions.wording import product_name
from mercato_models.artefact import Model
from mercato_models.price import demand, elasticity
from mercato_models.price.panel import PANEL

_C, _P = PANEL.c, PRODUCTS.c
_CELL = (_C.product_id, _C.store_id)
#: Weeks that reach back 30 days and more, and those over which a price is usual.
_LOWEST_WEEKS, _USUAL_WEEKS = 5, 8
_DAYS = 7
#: A product that is expected to sell nothing is priced as if it sold this.
_LEAST_UNITS = 1e-3
#: Half a cent: the price of a week is a mean over its checkouts.
_SAME = 0.005
#: Least share of a product's weeks with a sale whose price is that of the sale before. Of goods by weight
#: next to none is: what is known of them is what a piece came to, and that is no price to charge.
_LEAST_STANDING = 0.2


def price_list(
    panel: pd.DataFrame,
    elasticities: pd.DataFrame,
    model: Model,
    *,
    products: pa.Table,
    cost_share: float,
    rules: Guardrails,
    now: datetime,
) -> pd.DataFrame:
    """A proposal, columns as in PROPOSED, for each product and store with an elasticity; most gain first.

    None for what is sold by weight.

    Args:
        panel: checked.
        elasticities: what `mercato_models.price.elasticity.table` makes.
        products: rows of silver.products, which name them.
        cost_share: what a unit costs, as a share of its usual price; the data know no costs.
    """
    c, names = PROPOSED.c, (elasticity.PRODUCT, elasticity.ESTIMATE, elasticity.ERROR)
    columns = [elasticities[name].to_numpy().tolist() for name in names]
    known = {product: (own, error) for product, own, error in zip(*columns, strict=True)}
    newest = int(panel[_C.week].max())
    panel = panel[panel[_C.product_id].isin(_priced(panel).intersection(list(known)))]
    if panel.empty:
        return pd.DataFrame(columns=list(c))
    following = panel[panel[_C.week] == newest].assign(
        **{_C.week: newest + 1, _C.units: 0, _C.displayed: False, _C.mailed: False}
    )
    whole = pd.concat([panel, following]).sort_values(list(PANEL.key), ignore_index=True)
    asked = whole[_C.week] == newest + 1
    expected = model.score(demand.matrix(demand.features(whole)[asked]))
    cells = whole.loc[asked, list(_CELL)].to_numpy().tolist()
    prices = {cell: weeks.to_numpy() for cell, weeks in panel.groupby(list(_CELL))[_C.price]}
    named = _names(products)
    made = []
    for (product, store), units in zip(cells, expected.tolist(), strict=True):
        stands = _stands(prices[product, store], units, *known[product], cost_share)
        name = named.get(product) or product_name(None, None, product)
        row = {c.product_id: product, c.product_name: name, c.store_id: store, c.week: newest + 1}
        made.append(row | _proposed(stands, rules) | {c.model_version: model.version, c.proposed_at: now})
    found = pd.DataFrame(made)[list(c)]
    return found.sort_values([c.gain, *_CELL], ascending=[False, True, True], ignore_index=True)


def _priced(panel: pd.DataFrame) -> pd.Index[int]:
    """Products whose price is one, and not what a piece came to."""
    sold = panel[panel[_C.units] > 0].sort_values(list(PANEL.key))
    change = sold.groupby(list(_CELL))[_C.price].diff().abs().dropna()
    standing = (change <= _SAME).groupby(sold[_C.product_id]).mean()
    return standing.index[standing >= _LEAST_STANDING]


def proposals(found: pd.DataFrame) -> list[ProposedPrice]:
    """The rows of a list."""
    rows = pa.Table.from_pandas(found, PROPOSED.arrow_schema, preserve_index=False)
    return [ProposedPrice(**row) for row in rows.to_pylist()]


def _names(products: pa.Table) -> dict[int, str]:
    """By each product's newest description."""
    described = [_P.product_id, _P.product_type, _P.category]
    rows = products.sort_by(_P.event_time).select(described).to_pylist()
    return {
        row[_P.product_id]: product_name(row[_P.product_type], row[_P.category], row[_P.product_id])
        for row in rows
    }


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
