"""Which products are worth scoring: a few hundred out of tens of thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.tables.features import PRODUCT_STATS
from mercato_models.recommend.catalogue import STATS, Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.habits import HABITS, Habits, habits

#: How many products each generator may propose.
LIMITS: Mapping[str, int] = {
    "own": 500,
    "together": 120,
    "recent": 50,
    "session": 80,
    "popular": 100,
    "popular_everywhere": 50,
    "promoted": 60,
}
#: Generators; a candidate's `sources` has the bit of each one that found it, in this order.
SOURCES = tuple(LIMITS)

#: Newest baskets whose companions are proposed as "recent".
RECENT = 3

_POPULARITY = STATS.index(PRODUCT_STATS.c.baskets_4w)
_DECAYED = HABITS.index("own_decayed_100d")
_OVERDUE = HABITS.index("own_gap_score")
#: Spread of the bell around the household's own rhythm, in its deviations.
_RHYTHM = 3.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """Products to score, and what was learned on the way.

    Attributes:
        rows: catalogue rows, ascending, each once, none that is in the cart.
        sources: bits of SOURCES.
        lines: catalogue row of each line of the history, -1 for products it does not list.
        habits: the household's habit with each product that it bought.
        together, recent, session, session_best: for every catalogue row, how strongly it goes
            with the history, the newest baskets, the session, and its best companion in the session.
    """

    rows: NDArray[np.int64]
    sources: NDArray[np.uint8]
    lines: NDArray[np.int64]
    habits: Habits
    together: NDArray[np.float64]
    recent: NDArray[np.float64]
    session: NDArray[np.float64]
    session_best: NDArray[np.float32]

    def names(self, position: int) -> tuple[str, ...]:
        """Names of the generators that found a candidate."""
        bits = int(self.sources[position])
        return tuple(name for bit, name in enumerate(SOURCES) if bits >> bit & 1)


def candidates(context: Context, catalogue: Catalogue) -> Candidates:
    """Propose products for a context; a household without a history gets what is popular and promoted."""
    history = context.history
    lines = catalogue.rows(history.products)
    own = habits(history, lines, context.time, context.store_id)
    weight = own.values[:, _DECAYED]
    together = catalogue.affinity(own.rows, weight / max(1.0, float(weight.sum())))
    newest = lines[int(history.basket_sizes[:-RECENT].sum()) :]
    newest = newest[newest >= 0]
    recent = catalogue.affinity(newest, np.full(len(newest), 1 / max(1, len(newest))))
    cart = _known(catalogue, context.cart)
    touched = np.unique(np.concatenate([cart, _known(catalogue, context.viewed)]))
    session = catalogue.affinity(touched, np.ones(len(touched)))
    popular = catalogue.popular_in(context.store_id).rows
    proposals = {
        "own": own.rows[_top(_promise(own), LIMITS["own"])],
        "together": _top(together, LIMITS["together"]),
        "recent": _top(recent, LIMITS["recent"]),
        "session": np.union1d(_top(session, LIMITS["session"]), touched),
        "popular": popular[: LIMITS["popular"]],
        "popular_everywhere": catalogue.popular_in(None).rows[: LIMITS["popular_everywhere"]],
        "promoted": _promoted(context, catalogue),
    }
    sources = np.zeros(len(catalogue), np.uint8)
    for bit, source in enumerate(SOURCES):
        sources[proposals[source]] |= np.uint8(1 << bit)
    sources[cart] = 0
    rows = np.flatnonzero(sources)
    return Candidates(
        rows, sources[rows], lines, own, together, recent, session, catalogue.strongest(touched.tolist())
    )


def _promise(own: Habits) -> NDArray[np.float32]:
    """Decayed count, raised up to twofold for products that are due by the household's own rhythm."""
    due = np.exp(-((np.nan_to_num(own.values[:, _OVERDUE], nan=2 * _RHYTHM) / _RHYTHM) ** 2))
    promise: NDArray[np.float32] = own.values[:, _DECAYED] * (1 + due)
    return promise


def _promoted(context: Context, catalogue: Catalogue) -> NDArray[np.int64]:
    """Products promoted in the store now, most bought first."""
    promoted = catalogue.promoted.get(context.store_id or -1)
    if promoted is None:
        return np.empty(0, np.int64)
    bought = catalogue.stats[promoted.rows, _POPULARITY]
    return promoted.rows[_top(bought, LIMITS["promoted"])]


def _known(catalogue: Catalogue, product_ids: tuple[int, ...]) -> NDArray[np.int64]:
    rows = catalogue.rows(product_ids)
    return rows[rows >= 0]


def _top(scores: NDArray[np.floating], limit: int) -> NDArray[np.int64]:
    """Positions of the highest scores above zero, best first."""
    positions = np.flatnonzero(scores > 0)
    if len(positions) > limit:
        kept = np.argpartition(-scores[positions], limit - 1)[:limit]
        positions = positions[kept]
    return positions[np.argsort(-scores[positions], kind="stable")]
