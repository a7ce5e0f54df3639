"""What the ranker sees of each candidate: one float32 row, NaN where something is unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercato.contracts.durations import DAY_SECONDS, HOUR_SECONDS
from mercato.contracts.tables.features import PRODUCT_STATS
from mercato_models.recommend import occasions
from mercato_models.recommend.candidates import SOURCES, Candidates
from mercato_models.recommend.catalogue import STATS, Catalogue
from mercato_models.recommend.context import PROFILE, Context
from mercato_models.recommend.habits import HABITS, habits
from mercato_models.recommend.history import History
from mercato_models.recommend.returns import RETURNS
from mercato_models.recommend.trends import SIZES, TRENDS

_STATS = PRODUCT_STATS.c
_STATS_SHOWN = (_STATS.baskets_4w, _STATS.baskets_52w, _STATS.last_price, _STATS.discount_share_4w)

#: Habits with the product's type that are shown.
_TYPE_HABITS = (
    "own_decayed_30d", "own_share_last_6", "own_days_since_last", "own_baskets_since_last",
    "own_gap_ratio", "own_gap_score", "own_rate_any", "own_rate_alike", "own_fill", "own_fill_alike",
    "own_gap_survival",
)  # fmt: skip
_TYPE = tuple(name.replace("own_", "type_") for name in _TYPE_HABITS)
_PAIR = (
    "together", "recent", "session", "session_best", "viewed",
    "together_rank", "recent_rank", "store_popularity", "popularity", "store_lift",
    "display", "mailer",
)  # fmt: skip
_PRODUCT = (*_STATS_SHOWN, "trend", "repeat_share", "baskets_per_household", "price_ratio")
_TIMES = ("product_slot_lift", "product_weekday_lift")
_HOUSEHOLD = (
    *(f"household_{name}" for name in PROFILE),
    "history_baskets", "history_basket_size", "last_basket_size", "history_gap_days", "days_since_basket",
    "history_repeat_share", "store_share", "last_basket_here", "size_here", "size_at_this_time",
    "size_alike", "smallness_alike", "occasions_alike",
    "hour", "weekday", "cart_size", "viewed_size",
)  # fmt: skip

#: Columns of the feature matrix, in order. The model stores them and refuses others.
FEATURES: tuple[str, ...] = (
    *HABITS,
    *_TYPE,
    *_PAIR,
    *_PRODUCT,
    *TRENDS,
    *_TIMES,
    *RETURNS,
    *SIZES,
    *_HOUSEHOLD,
    *(f"from_{source}" for source in SOURCES),
)


def build(context: Context, catalogue: Catalogue, proposed: Candidates) -> NDArray[np.float32]:
    """Candidates x FEATURES."""
    rows = proposed.rows
    matrix = np.empty((len(rows), len(FEATURES)), np.float32)
    own = _own(proposed)
    bought, ago = (own[:, HABITS.index(name)] for name in ("own_count", "own_baskets_since_last"))
    blocks = (
        own,
        _types(context, catalogue, proposed),
        _pairs(context, catalogue, proposed),
        _products(catalogue, rows),
        catalogue.trends[rows],
        catalogue.occasions.at(rows, context.time),
        catalogue.returns.at(rows, bought, ago + 1),
        catalogue.occasions.sizes[rows],
        np.broadcast_to(_household(context), (len(rows), len(_HOUSEHOLD))),
        (proposed.sources[:, None] >> np.arange(len(SOURCES), dtype=np.uint8)) & 1,
    )
    start = 0
    for block in blocks:
        matrix[:, start : start + block.shape[1]] = block
        start += block.shape[1]
    return matrix


def _own(proposed: Candidates) -> NDArray[np.float32]:
    """The habits, NaN for products never bought but for their count, which is 0."""
    values = proposed.habits.of(proposed.rows)
    values[np.isnan(values[:, 0]), 0] = 0
    return values


def _types(context: Context, catalogue: Catalogue, proposed: Candidates) -> NDArray[np.float32]:
    """The household's habits with each product's type, NaN for types never bought."""
    past = context.history.grouped(catalogue.types(proposed.lines))
    of_types = habits(past, past.products, context.time, context.store_id)
    return of_types.of(catalogue.types(proposed.rows))[:, [HABITS.index(name) for name in _TYPE_HABITS]]


def _pairs(context: Context, catalogue: Catalogue, proposed: Candidates) -> NDArray[np.float64]:
    rows = proposed.rows
    together, recent = proposed.together[rows], proposed.recent[rows]
    viewed = np.isin(rows, catalogue.rows(context.viewed)) if context.viewed else np.zeros(len(rows))
    everywhere = _popularity(catalogue, None, rows)
    unknown = context.store_id not in catalogue.popular
    store = np.full(len(rows), np.nan) if unknown else _popularity(catalogue, context.store_id, rows)
    displays, mailers = _promotions(context, catalogue, rows)
    return np.stack(
        [
            together,
            recent,
            proposed.session[rows],
            proposed.session_best[rows],
            viewed,
            _rank(together),
            _rank(recent),
            store,
            everywhere,
            store / (everywhere + 1e-4),
            displays,
            mailers,
        ],
        axis=1,
    )


def _popularity(catalogue: Catalogue, store_id: int | None, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Score relative to the store's first product, 0 off its list."""
    popular = catalogue.popular_in(store_id)
    dense = np.zeros(len(catalogue))
    if len(popular.rows):
        dense[popular.rows] = popular.scores / max(float(popular.scores[0]), 1e-9)
    return dense[rows]


def _promotions(
    context: Context, catalogue: Catalogue, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Display and mailer codes, NaN where the store's promotions are unknown."""
    displays, mailers = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    promoted = catalogue.promoted.get(context.store_id or -1)
    if promoted is None:
        return displays, mailers
    for codes, values in ((promoted.displays, displays), (promoted.mailers, mailers)):
        dense = np.zeros(len(catalogue), np.int8)
        dense[promoted.rows] = codes
        values[:] = dense[rows]
    return displays, mailers


def _products(catalogue: Catalogue, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    stats = catalogue.stats[rows].astype(np.float64)

    def column(name: str) -> NDArray[np.float64]:
        figures: NDArray[np.float64] = stats[:, STATS.index(name)]
        return figures

    return np.stack(
        [
            *map(column, _STATS_SHOWN),
            4 * column(_STATS.baskets_1w) / (column(_STATS.baskets_4w) + 1),
            column(_STATS.repeat_households_52w) / (column(_STATS.households_52w) + 2),
            column(_STATS.baskets_52w) / (column(_STATS.households_52w) + 1),
            column(_STATS.last_price) / np.maximum(column(_STATS.mean_price_13w), 0.01),
        ],
        axis=1,
    )


def _household(context: Context) -> NDArray[np.float64]:
    """The same for all candidates: what kind of basket this is going to be."""
    time = context.time
    profile = [np.nan if (v := context.profile.get(name)) is None else float(v) for name in PROFILE]
    return np.array(
        [
            *profile,
            *_baskets(context.history, context.store_id, time),
            np.nan if time is None else time % DAY_SECONDS / HOUR_SECONDS,
            np.nan if time is None else time // DAY_SECONDS % 7,
            len(context.cart),
            len(context.viewed),
        ]
    )


def _baskets(history: History, store_id: int | None, time: float | None) -> list[float]:
    if history.baskets == 0:
        return [0.0, *[np.nan] * 12]
    times, sizes = history.basket_times, history.basket_sizes
    alike = occasions.weights(history, time, store_id)[-1]
    here = None if store_id is None else history.basket_stores == store_id
    apart = None if time is None else np.abs(times % DAY_SECONDS - time % DAY_SECONDS) / HOUR_SECONDS
    near = None if apart is None else np.minimum(apart, 24 - apart) < 3
    return [
        history.baskets,
        float(sizes.mean()),
        float(sizes[-1]),
        (times[-1] - times[0]) / DAY_SECONDS / (history.baskets - 1) if history.baskets > 1 else np.nan,
        np.nan if time is None else max(0.0, (time - times[-1]) / DAY_SECONDS),
        1 - len(np.unique(history.products)) / max(1, len(history.products)),
        np.nan if here is None else float(here.mean()),
        np.nan if here is None else float(here[-1]),
        float(sizes[here].mean()) if here is not None and here.any() else np.nan,
        float(sizes[near].mean()) if near is not None and near.any() else np.nan,
        float(alike @ sizes / alike.sum()),
        float(alike @ (1 / np.maximum(1, sizes)) / alike.sum()),
        float(alike.sum()),
    ]


def _rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the highest, NaN for what is not above zero."""
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    ranks[values <= 0] = np.nan
    return ranks
