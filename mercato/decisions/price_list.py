"""Proposals for every product in every store, from the weeks so far and a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mercato.contracts.tables.proposals import HALF_A_CENT, PROPOSED, Cell, ProposedPrice
from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.price import Guardrails, Priced, Proposal, propose
from mercato.decisions.price_evaluation import evaluate
from mercato.decisions.price_standing import Shop, Standing
from mercato.decisions.wording import product_name
from mercato_models.artifact import Model
from mercato_models.checks import CheckError
from mercato_models.price import demand, elasticity, weeks
from mercato_models.price.panel import CELL, PANEL

_C, _P, _R = PANEL.c, PRODUCTS.c, PROPOSED.c
_CELL = list(CELL)
#: Newest weeks of which at least one has a sale of what a store still sells.
_SOLD_WEEKS = 13
#: Least share of a product's weeks with a sale whose price is that of the sale before. Of goods by weight
#: next to none is: what is known of them is what a piece came to, and that is no price to charge.
_MIN_STANDING = 0.2


@dataclass(frozen=True)
class Summary:
    """A list in figures. Money in US dollars per week.

    Attributes:
        week: for which it is meant.
        prices: that were looked at.
        moved: of them, those that would be others.
        breaking: those that break a floor, a minimum advertised price or a ceiling as they stand.
        accepted: those that somebody accepted and that are in force.
        limited: those for which a limit was written down.
        counted: those of products whose stock is counted.
        expected_gain: profit, as the proposals expect it.
        judged: what sales at past prices tell of the list (`Evaluation.flat`).
        not_judged: why they tell nothing.
    """

    week: int
    prices: int
    moved: int
    breaking: int
    accepted: int
    limited: int
    counted: int
    expected_gain: float
    judged: Mapping[str, float] | None = None
    not_judged: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def lines(self) -> list[str]:
        """In words."""
        known = (
            (self.breaking, "break a limit as they stand"),
            (self.accepted, "were accepted in the panel"),
            (self.limited, "have a limit written down"),
            (self.counted, "have a counted stock"),
        )
        said = "".join(f", {number:,} {what}" for number, what in known)
        return [
            f"{self.moved:,} of {self.prices:,} prices would move for week {self.week}{said}",
            f"the proposals expect {self.expected_gain:,.2f} USD more profit a week",
            self._judgement(),
        ]

    def _judgement(self) -> str:
        if self.judged is None:
            return f"past sales do not say what they are worth: {self.not_judged}"
        spans = (
            f"{name} {self.judged[name]:+,.2f} ({self.judged[f'{name}_low']:+,.2f} to "
            f"{self.judged[f'{name}_high']:+,.2f})"
            for name in ("profit", "revenue")
        )
        return f"past sales say, USD a week with 95 % intervals: {', '.join(spans)}"


@dataclass(frozen=True)
class PriceList:
    """Proposals, columns as in PROPOSED, most gain first; and the list in figures."""

    rows: pd.DataFrame
    summary: Summary

    @property
    def moved(self) -> pd.DataFrame:
        """Proposals of another price than the present one."""
        return self.rows[self.rows[_R.proposed_price] != self.rows[_R.price]]


def price_list(
    panel: pd.DataFrame,
    elasticities: pd.DataFrame,
    model: Model,
    *,
    shop: Shop,
    cost_share: float,
    rules: Guardrails,
    now: datetime,
) -> PriceList:
    """A proposal for each product and store with an elasticity; none for what is sold by weight.

    Args:
        panel: checked; its newest week may not be over yet.
        elasticities: what `mercato_models.price.elasticity.table` makes.
        cost_share: what a unit costs, as a share of its usual price, where no limit says it; the data know no
            costs.
    """
    week = int(panel[_C.week].max()) + 1
    stands = _stands(panel, elasticities, model, Standing.of(shop, now), cost_share)
    over = weeks.over(panel, now)
    proposed = {cell: propose(each, rules) for cell, each in stands.items()}
    named = _names(shop.products)
    made = [
        {
            _R.product_id: product,
            _R.product_name: named.get(product) or product_name(None, None, product),
            _R.store_id: store,
            _R.week: week,
            **_figures(stands[product, store], proposal),
            _R.model_version: model.version,
            _R.proposed_at: now,
        }
        for (product, store), proposal in proposed.items()
    ]
    rows = pd.DataFrame(made, columns=list(_R))
    rows = rows.sort_values([_R.gain, *_CELL], ascending=[False, True, True], ignore_index=True)
    accepted = {(each.product_id, each.store_id) for each in shop.charged}
    summary = Summary(
        week=week,
        prices=len(rows),
        moved=int((rows[_R.proposed_price] != rows[_R.price]).sum()),
        breaking=sum(bool(each.breaks) for each in proposed.values()),
        accepted=len(accepted & stands.keys()),
        limited=sum(bool(each.minimum_advertised or each.ceiling) for each in stands.values()),
        counted=sum(each.stock is not None for each in stands.values()),
        expected_gain=float(rows[_R.gain].sum()),
        **_judged(over, stands, rules),
    )
    return PriceList(rows, summary)


def _judged(panel: pd.DataFrame, stands: Mapping[Cell, Priced], rules: Guardrails) -> dict[str, Any]:
    try:
        return {"judged": evaluate(panel, stands, rules).flat()}
    except (CheckError, ValueError) as error:
        return {"not_judged": str(error)}


def _stands(
    panel: pd.DataFrame, elasticities: pd.DataFrame, model: Model, known: Standing, cost_share: float
) -> dict[Cell, Priced]:
    """How each product with an elasticity stands in each store."""
    names = (elasticity.PRODUCT, elasticity.ESTIMATE, elasticity.LOW, elasticity.HIGH)
    columns = [elasticities[name].to_numpy().tolist() for name in names]
    answers = {product: (own, low, high) for product, own, low, high in zip(*columns, strict=True)}
    panel = panel[panel[_C.product_id].isin(_priced(panel).intersection(list(answers)))]
    panel = _still_sold(panel)
    if panel.empty:
        return {}
    rows: dict[Any, tuple[NDArray[np.float64], NDArray[np.datetime64]]] = {
        cell: (found[_C.price].to_numpy(), _instants(found[_C.began])) for cell, found in panel.groupby(_CELL)
    }
    charged = {cell: known.price(cell, float(prices[-1])) for cell, (prices, _) in rows.items()}
    return {
        cell: known.stand(cell, *rows[cell], units, answers[cell[0]], cost_share)
        for cell, units in _expected(weeks.over(panel, known.now), model, charged).items()
    }


def _still_sold(panel: pd.DataFrame) -> pd.DataFrame:
    """Rows of what a store sold in the newest weeks; what it took off the shelf needs no price."""
    sold = panel[panel[_C.units] > 0].groupby(_CELL)[_C.week].max()
    newest = sold[sold > panel[_C.week].max() - _SOLD_WEEKS].index
    return panel[panel.set_index(_CELL).index.isin(newest)]


def _instants(times: pd.Series) -> NDArray[np.datetime64]:
    return pd.to_datetime(times, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")


def _expected(panel: pd.DataFrame, model: Model, charged: Mapping[Cell, float]) -> dict[Cell, float]:
    """Units of the week after those, at prices that are charged, with nothing displayed or mailed.

    Args:
        panel: weeks that are over.
    """
    newest = int(panel[_C.week].max())
    last = panel[panel[_C.week] == newest]
    cells = list(zip(*(last[name].to_numpy().tolist() for name in _CELL), strict=True))
    prices = np.array([charged[cell] for cell in cells])
    planned: dict[str, Any] = {
        _C.week: newest + 1,
        _C.began: last[_C.began] + timedelta(weeks=1),
        _C.units: 0,
        _C.price: prices,
        # Other stores tell the plan; a price that was accepted since moves it by as much.
        _C.planned_price: last[_C.planned_price] * prices / last[_C.price],
        _C.displayed: False,
        _C.mailed: False,
    }
    whole = pd.concat([panel, last.assign(**planned)]).sort_values(list(PANEL.key), ignore_index=True)
    asked = (whole[_C.week] == newest + 1).to_numpy()
    units = model.score(demand.matrix(demand.features(whole)[asked]))
    # Both are in the order of the panel's key.
    return dict(zip(sorted(cells), units.tolist(), strict=True))


def _priced(panel: pd.DataFrame) -> pd.Index[int]:
    """Products whose price is one, and not what a piece came to."""
    sold = panel[panel[_C.units] > 0].sort_values(list(PANEL.key))
    change = sold.groupby(_CELL)[_C.price].diff().abs().dropna()
    standing = (change <= HALF_A_CENT).groupby(sold[_C.product_id]).mean()
    return standing.index[standing >= _MIN_STANDING]


def proposals(found: pd.DataFrame) -> list[ProposedPrice]:
    """The rows of a list."""
    rows = pa.Table.from_pandas(found, PROPOSED.arrow_schema, preserve_index=False)
    return [ProposedPrice(**row) for row in rows.to_pylist()]


def _names(products: pa.Table) -> dict[int, str]:
    """By each product's newest description."""
    described = [_P.product_id, _P.product_type, _P.category]
    rows = (
        products.sort_by([(_P.event_time, "ascending"), (_P.event_id, "ascending")])
        .select(described)
        .to_pylist()
    )
    return {
        row[_P.product_id]: product_name(row[_P.product_type], row[_P.category], row[_P.product_id])
        for row in rows
    }


def _figures(stands: Priced, proposal: Proposal) -> dict[str, object]:
    return {
        _R.price: stands.price,
        _R.cost: stands.cost,
        _R.units: stands.units,
        _R.elasticity: stands.elasticity,
        _R.proposed_price: proposal.price,
        _R.gain: proposal.gain,
        _R.least_gain: proposal.least_gain,
        _R.most_gain: proposal.most_gain,
        _R.held_by: ", ".join(proposal.reasons),
    }
