"""Next-basket recommenders from their papers, over the same histories as the ranker: popularity, personal
frequency, item neighbours, UP-CF (Faggioli, Polato, Aiolli, UMAP 2020), TIFU-KNN (Hu et al., SIGIR 2020) and
matrix factors by Spark MLlib (Hu, Koren, Volinsky, ICDM 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from mercato.contracts.tables.features import HISTORY_BASKETS
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.recommend.metrics import CUT, order

_L = BASKET_LINES.c
#: scipy's compressed sparse rows.
Matrix = Any
Floats = NDArray[np.float64]
#: Households scored at once.
_ROWS = 256


@dataclass(frozen=True, slots=True)
class Baskets:
    """The last HISTORY_BASKETS baskets of each household, a line per product and basket.

    Attributes:
        households, products: ids, ascending; lines name them by their places here.
        household, product: of each line.
        ago: of each line, how many baskets of the household follow its basket.
        held: baskets of each household.
    """

    households: NDArray[np.int64]
    products: NDArray[np.int64]
    household: NDArray[np.int64]
    product: NDArray[np.int64]
    ago: NDArray[np.int64]
    held: NDArray[np.int64]

    @classmethod
    def of(cls, lines: pa.Table) -> Baskets:
        """Of gold.basket_lines."""
        households, household = np.unique(lines[_L.household_id].to_numpy(), return_inverse=True)
        products, item = np.unique(lines[_L.product_id].to_numpy(), return_inverse=True)
        pairs = np.stack([household, lines[_L.basket_seq].to_numpy().astype(np.int64)], axis=1)
        distinct, basket = np.unique(pairs, axis=0, return_inverse=True)
        size = np.bincount(distinct[:, 0])
        ago = (np.cumsum(size)[distinct[:, 0]] - 1 - np.arange(len(distinct)))[basket.ravel()]
        kept = ago < HISTORY_BASKETS
        held = np.minimum(size, HISTORY_BASKETS)
        return cls(households, products, household[kept], item[kept], ago[kept], held)

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


def factors(baskets: Baskets, rank: int, confidence: float, seed: int = 0) -> Blocks:
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
    model = ALS(rank=rank, alpha=confidence, implicitPrefs=True, regParam=0.1, maxIter=8, seed=seed).fit(rows)
    users = _factors(model.userFactors, len(baskets.households))
    items = _factors(model.itemFactors, len(baskets.products))
    yield from _blocks(baskets, lambda rows: users[rows] @ items.T)


#: Settings that are tried on second-last baskets.
GRIDS: Mapping[Peer, Mapping[str, tuple[Any, ...]]] = {
    popular: {},
    personal: {},
    personal_then_popular: {},
    item_neighbours: {"neighbours": (50, 200)},
    up_cf: {"recent": (5, 25, 50), "asymmetry": (0.25, 0.5, 0.75), "locality": (1, 5, 10)},
    tifu_knn: {
        "group": (3, 7), "within": (0.9, 1.0), "between": (0.6, 0.8),
        "neighbours": (300, 900), "own": (0.2, 0.5, 0.7),
    },
    factors: {"rank": (16, 64), "confidence": (1.0, 10.0)},
}  # fmt: skip


def settings(peer: Peer) -> list[dict[str, Any]]:
    """Every setting of a peer's grid."""
    grid = GRIDS[peer]
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def lists(baskets: Baskets, blocks: Blocks) -> dict[int, list[int]]:
    """The CUT best products of each household by id, ties by product."""
    found = {}
    for rows, scores in blocks:
        for place, each in zip(range(rows.start, rows.stop), scores, strict=True):
            # Far more than asked for, so that ties at the edge are all there.
            edge = np.partition(each, -4 * CUT)[-4 * CUT] if len(each) > 4 * CUT else -np.inf
            few = np.flatnonzero(each >= edge)
            best = few[order(each[few], baskets.products[few])[:CUT]]
            found[int(baskets.households[place])] = baskets.products[best[each[best] > 0]].tolist()
    return found


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
    found = np.zeros((size, len(table["features"].iloc[0])))
    found[table["id"].to_numpy()] = np.stack(table["features"].to_list())
    return found
