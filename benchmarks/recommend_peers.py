"""Next-basket recommenders from their papers, over the same histories as the ranker: popularity, personal
frequency, item neighbours, UP-CF (Faggioli, Polato, Aiolli, UMAP 2020), TIFU-KNN (Hu et al., SIGIR 2020),
repeat consumption by time since each purchase (SLRC: Wang et al., WWW 2019) and matrix factors by Spark MLlib
(Hu, Koren, Volinsky, ICDM 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from benchmarks.tuning import Grid
from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.features import HISTORY_BASKETS
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.arrays import Floats, Ints
from mercato_models.recommend.metrics import CUT, order

_L = BASKET_LINES.c
#: scipy's compressed sparse rows.
Matrix = Any
#: Households scored at once.
_ROWS = 256
#: Repeats that all products together count for in what is fitted for one.
_PRIOR = 10.0


@dataclass(frozen=True, slots=True)
class Baskets:
    """The last HISTORY_BASKETS baskets of each household, a line per product and basket.

    Attributes:
        households, products: ids, ascending; lines name them by their places here.
        household, product: of each line.
        ago: of each line, how many baskets of the household follow its basket.
        day: of each line, days since 1970.
        held: baskets of each household.
        asked: day of the basket that each household's list is for.
    """

    households: Ints
    products: Ints
    household: Ints
    product: Ints
    ago: Ints
    day: Floats
    held: Ints
    asked: Floats

    @classmethod
    def of(cls, lines: pa.Table, wanted: pa.Table) -> Baskets:
        """Of rows of gold.basket_lines, and those of the baskets that lists are wanted for."""
        households, household = np.unique(lines[_L.household_id].to_numpy(), return_inverse=True)
        products, item = np.unique(lines[_L.product_id].to_numpy(), return_inverse=True)
        pairs = np.stack([household, lines[_L.basket_seq].to_numpy().astype(np.int64)], axis=1)
        distinct, basket = np.unique(pairs, axis=0, return_inverse=True)
        size = np.bincount(distinct[:, 0])
        ago = (np.cumsum(size)[distinct[:, 0]] - 1 - np.arange(len(distinct)))[basket.ravel()]
        kept = ago < HISTORY_BASKETS
        held = np.minimum(size, HISTORY_BASKETS)
        asked = np.full(len(households), np.nan)
        asked[np.searchsorted(households, wanted[_L.household_id].to_numpy())] = _days(wanted)
        day = _days(lines)[kept]
        return cls(households, products, household[kept], item[kept], ago[kept], day, held, asked)

    def matrix(self, weights: Floats) -> Matrix:
        """Households x products: the sum of lines' weights."""
        shape = (len(self.households), len(self.products))
        return sparse.csr_matrix((weights, (self.household, self.product)), shape=shape)

    @property
    def counts(self) -> Matrix:
        """Households x products: in how many baskets."""
        return self.matrix(np.ones(len(self.household)))


#: From baskets and settings to blocks of scores: households by place, and households x products.
Blocks = Iterator[tuple[slice, Floats]]
Peer = Callable[..., Blocks]


def popular(baskets: Baskets) -> Blocks:
    """Products of most lines."""
    everyone = np.bincount(baskets.product, minlength=len(baskets.products)).astype(np.float64)
    yield from _blocks(baskets, lambda rows: np.tile(everyone, (rows.stop - rows.start, 1)))


def personal(baskets: Baskets) -> Blocks:
    """Products of most of the household's own baskets."""
    counts = baskets.counts
    yield from _blocks(baskets, lambda rows: counts[rows].toarray())


def personal_then_popular(baskets: Baskets) -> Blocks:
    """The same, then popular ones."""
    counts = baskets.counts
    everyone = np.bincount(baskets.product, minlength=len(baskets.products)).astype(np.float64)
    yield from _blocks(baskets, lambda rows: counts[rows].toarray() + everyone / (1 + everyone.max()))


def item_neighbours(baskets: Baskets, neighbours: int) -> Blocks:
    """Own counts times the most similar products, itself the first; by the cosine of their households."""
    counts = baskets.counts
    bought = (counts > 0).astype(np.float64)
    length = np.sqrt(np.asarray(bought.sum(axis=0))).ravel()
    unit = bought @ sparse.diags(1 / np.maximum(length, 1e-9))
    alike = (unit.T @ unit).tocsr()
    nearest = _nearest(alike, neighbours)
    yield from _blocks(baskets, lambda rows: (counts[rows] @ nearest.T).toarray())


def up_cf(baskets: Baskets, recent: int, asymmetry: float, locality: float) -> Blocks:
    """User-wise popularity over recent baskets, of households by their asymmetric cosine.

    Args:
        recent: r, baskets over which popularity is taken.
        asymmetry: alpha; 0.5 is the cosine.
        locality: q, the power to which similarities are raised.
    """
    newest = (baskets.ago < recent).astype(np.float64)
    share = baskets.matrix(newest / np.minimum(recent, baskets.held)[baskets.household])
    bought = (baskets.counts > 0).astype(np.float64)
    size = np.asarray(bought.sum(axis=1)).ravel()

    def scores(rows: slice) -> Floats:
        shared = (bought[rows] @ bought.T).toarray()
        alike = shared / (size[rows, None] ** asymmetry * size[None, :] ** (1 - asymmetry))
        return np.asarray((share.T @ (alike**locality).T).T)

    yield from _blocks(baskets, scores)


def tifu_knn(
    baskets: Baskets, group: int, within: float, between: float, neighbours: int, own: float
) -> Blocks:
    """Personalised item frequencies with decay within groups of baskets and between them, and neighbours'.

    Args:
        group: m, baskets of a group.
        within, between: r_b and r_g.
        own: alpha, the share of the household's own vector.
    """
    last = baskets.held[baskets.household] - 1 - baskets.ago
    groups = np.ceil(baskets.held / group)[baskets.household]
    # The oldest group is the one that is not full.
    place = (last + groups * group - baskets.held[baskets.household]).astype(np.int64)
    weight = within ** (group - 1 - place % group) * between ** (groups - 1 - place // group)
    first = groups * group - baskets.held[baskets.household]
    full = np.where(place // group == 0, group - first, group)
    vectors = baskets.matrix(weight / full / groups)
    square = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()

    def scores(rows: slice) -> Floats:
        apart = square[None, :] + square[rows, None] - 2 * (vectors[rows] @ vectors.T).toarray()
        apart[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = np.inf
        nearest = np.argpartition(apart, neighbours, axis=1)[:, :neighbours]
        row = np.repeat(np.arange(len(nearest)), neighbours)
        picked = sparse.csr_matrix(
            (np.full(nearest.size, 1 / neighbours), (row, nearest.ravel())), shape=apart.shape
        )
        return np.asarray((own * vectors[rows] + (1 - own) * (picked @ vectors)).toarray())

    yield from _blocks(baskets, scores)


def slrc(baskets: Baskets, half_life: float, rhythm: float, everyone: float) -> Blocks:
    """Repeat consumption: each purchase excites the next, at once and again after the product's own interval.

    The parts of a product's intensity are fitted by moments, drawn towards those of all products, rather than
    by the paper's gradients; popularity stands for its matrix factors.

    Args:
        half_life: of the short-term effect, days.
        rhythm: pi, the share of the effect at the product's interval.
        everyone: weight of popularity.
    """
    number = len(baskets.products)
    order = np.lexsort((baskets.day, baskets.product, baskets.household))
    who, item, day = (column[order] for column in (baskets.household, baskets.product, baskets.day))
    again = np.flatnonzero((np.diff(who) == 0) & (np.diff(item) == 0))
    gap, of = np.diff(day)[again], item[again]
    bought, repeats = np.bincount(item, minlength=number), np.bincount(of, minlength=number)
    total = np.bincount(of, gap, minlength=number)
    mean = (total + _PRIOR * gap.mean()) / (repeats + _PRIOR)
    square = np.bincount(of, (gap - mean[of]) ** 2, minlength=number)
    spread = np.sqrt((square + _PRIOR * gap.var()) / (repeats + _PRIOR))
    excites = (repeats + _PRIOR * len(of) / len(item)) / (bought + _PRIOR)

    since, line = baskets.asked[baskets.household] - baskets.day, baskets.product
    rate = np.log(2) / half_life
    short = rate * np.exp(-rate * since)
    deviation = (since - mean[line]) / spread[line]
    long = np.exp(-(deviation**2) / 2) / (spread[line] * np.sqrt(2 * np.pi))
    own = baskets.matrix(excites[line] * ((1 - rhythm) * short + rhythm * long))
    base = everyone * bought / bought.sum()
    yield from _blocks(baskets, lambda rows: own[rows].toarray() + base)


def factors(baskets: Baskets, rank: int, confidence: float, regularisation: float, seed: int = 0) -> Blocks:
    """Implicit matrix factors of counts, by Spark MLlib's ALS."""
    from pyspark.ml.recommendation import ALS
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]")
    for name in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(name, "false")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    counts = baskets.counts.tocoo()
    rows = spark.createDataFrame(
        pa.table({"user": counts.row, "item": counts.col, "rating": counts.data}).to_pandas()
    )
    model = ALS(
        rank=rank, alpha=confidence, implicitPrefs=True, regParam=regularisation, maxIter=8, seed=seed
    ).fit(rows)
    users = _factors(model.userFactors, len(baskets.households))
    items = _factors(model.itemFactors, len(baskets.products))
    yield from _blocks(baskets, lambda rows: users[rows] @ items.T)


#: Settings that are tried on second-last baskets.
GRIDS: Mapping[Peer, Grid] = {
    popular: {},
    personal: {},
    personal_then_popular: {},
    item_neighbours: {"neighbours": (2, 5, 20, 50, 200)},
    up_cf: {
        "recent": (2, 5, 10, 25, 50), "asymmetry": (0.0, 0.25, 0.5, 0.75, 1.0), "locality": (1, 2, 5, 10, 20),
    },
    tifu_knn: {
        "group": (2, 3, 5, 7, 10, 25, 50), "within": (0.7, 0.8, 0.9, 1.0),
        "between": (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0), "neighbours": (10, 25, 50, 100, 300, 900),
        "own": (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9),
    },
    slrc: {
        "half_life": (14.0, 31.0, 63.0, 126.0, 189.0, 365.0, 730.0),
        "rhythm": (0.01, 0.03, 0.1, 0.2, 0.3, 0.6), "everyone": (0.01, 0.03, 0.1, 0.2, 0.3, 1.0),
    },
    factors: {"rank": (16, 32, 64, 128), "confidence": (0.1, 1.0, 10.0), "regularisation": (0.01, 0.1, 1.0)},
}  # fmt: skip


def lists(baskets: Baskets, blocks: Blocks) -> dict[int, list[int]]:
    """The CUT best products of each household by id, ties by product."""
    by_household = {}
    for rows, scores in blocks:
        for place, each in zip(range(rows.start, rows.stop), scores, strict=True):
            by_household[int(baskets.households[place])] = best(each, baskets.products)
    return by_household


def best(scores: Floats, products: Ints) -> list[int]:
    """The CUT products of the highest scores above zero, ties by product."""
    # Far more than asked for, so that ties at the edge are all there.
    edge = np.partition(scores, -4 * CUT)[-4 * CUT] if len(scores) > 4 * CUT else -np.inf
    few = np.flatnonzero(scores >= edge)
    first = few[order(scores[few], products[few])[:CUT]]
    listed: list[int] = products[first[scores[first] > 0]].tolist()
    return listed


def _days(lines: pa.Table) -> Floats:
    """When each line was bought, days since 1970."""
    times = lines[_L.basket_time].to_numpy().astype("datetime64[s]").astype(np.float64)
    return np.asarray(times / DAY_SECONDS)


def _blocks(baskets: Baskets, scores: Callable[[slice], Floats]) -> Blocks:
    for start in range(0, len(baskets.households), _ROWS):
        rows = slice(start, min(start + _ROWS, len(baskets.households)))
        yield rows, scores(rows)


def _nearest(alike: Matrix, neighbours: int) -> Matrix:
    """The largest entries of each row."""
    kept = np.zeros(alike.nnz, bool)
    for start, end in zip(alike.indptr[:-1], alike.indptr[1:], strict=True):
        values = alike.data[start:end]
        most = np.argpartition(-values, neighbours)[:neighbours] if len(values) > neighbours else slice(None)
        kept[start:end][most] = True
    row = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    return sparse.csr_matrix((alike.data[kept], (row[kept], alike.indices[kept])), shape=alike.shape)


def _factors(frame: Any, size: int) -> Floats:
    table = frame.toPandas()
    result = np.zeros((size, len(table["features"].iloc[0])))
    result[table["id"].to_numpy()] = np.stack(table["features"].to_list())
    return result
