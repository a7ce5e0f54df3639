"""Own- and cross-price elasticities with their uncertainty, by double machine learning.

What prices and sales are beyond what was to be expected (`mercato_models.price.nuisances`) is regressed per
product: a count regression of units on its own and its mates' surprising prices. Then products inform each
other (empirical Bayes): own elasticities vary about their category's, categories about a common mean, cross
elasticities about another; how much, the data say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from mercato_models import checks
from mercato_models.arrays import Floats, Ints, Mask
from mercato_models.price.nuisances import BLOCK, Expected, Settings, expect
from mercato_models.price.panel import PANEL
from mercato_models.price.panel_arrays import MATES, PanelArrays
from mercato_models.price.poisson import dispersion_of, fit_poisson
from mercato_models.price.pooling import Estimates, pooled

PRODUCT, ESTIMATE, LOW, HIGH, ERROR = PANEL.c.product_id, "estimate", "low", "high", "error"
#: In the rows of cross elasticities the product whose price moves the other's sales; and their file.
MATE, CROSS = "mate_id", "cross_elasticities.parquet"
#: Weekly units over all stores below which a real product's sales are too few to tell.
MIN_UNITS = 10
#: Information taken for granted: where the rows say nothing, the variance is large, not infinite.
_GRANTED = 1e-4
#: Columns of a product's regression: 1, its own price, then its mates' prices.
_OWN = 1


@dataclass(frozen=True, slots=True)
class Elasticities:
    """Own-price elasticities, an element per product, and cross ones, products x MATES.

    Attributes:
        product_ids, mates: as in `PanelArrays`.
        alone: of the product's own rows, before products inform each other.
        blocks: of weeks, on whose differences the errors rest.
    """

    product_ids: Ints
    mates: Ints
    own: Floats
    own_error: Floats
    cross: Floats
    cross_error: Floats
    alone: Floats
    blocks: int

    @property
    def reach(self) -> float:
        """Half the width of a 95 % interval, in standard errors."""
        return float(t.ppf(0.975, max(1, self.blocks - 1)))

    @property
    def low(self) -> Floats:
        """Lower end of the own elasticities' 95 % intervals."""
        return self.own - self.reach * self.own_error

    @property
    def high(self) -> Floats:
        """Upper end of the own elasticities' 95 % intervals."""
        return self.own + self.reach * self.own_error

    @property
    def cross_low(self) -> Floats:
        """Lower end of the cross elasticities' 95 % intervals."""
        return self.cross - self.reach * self.cross_error

    @property
    def cross_high(self) -> Floats:
        """Upper end of the cross elasticities' 95 % intervals."""
        return self.cross + self.reach * self.cross_error


def telling(panel: pd.DataFrame) -> pd.DataFrame:
    """Rows of the products that sell enough for an elasticity of their own.

    Raises:
        CheckError: none does.
    """
    rows, week = panel.groupby(PRODUCT), PANEL.c.week
    weekly = rows[PANEL.c.units].sum() / (panel[week].max() - rows[week].min() + 1)
    kept = panel[panel[PRODUCT].isin(weekly.index[weekly >= MIN_UNITS])]
    if kept.empty:
        message = f"empty slice: no product sells {MIN_UNITS} units a week; replay more of the year"
        raise checks.CheckError(message)
    return kept.reset_index(drop=True)


def estimate(panel: pd.DataFrame, settings: Settings | None = None) -> Elasticities:
    """Estimate every product of a panel.

    Args:
        panel: what `mercato_models.price.panel.checked` returns.
    """
    arrays = PanelArrays.of(panel)
    return learn(arrays, expect(arrays, settings or Settings()))


def learn(arrays: PanelArrays, expected: Expected, learned: Mask | None = None) -> Elasticities:
    """Estimate every product of a panel.

    Args:
        learned: rows to learn from; all by default. A product without any learns from the others.
    """
    learned = np.ones(len(arrays), np.bool_) if learned is None else learned
    residual = arrays.log_price - expected.log_price
    beside = arrays.beside(residual)
    columns = np.column_stack([np.ones(len(arrays)), residual, beside])
    fits = [
        _alone(columns[rows], arrays.units[rows], expected.log_units[rows], arrays.week[rows])
        for rows in (each[learned[each]] for each in arrays.rows_by_product)
    ]
    means, covariances, excess = zip(*fits, strict=True)
    # A product's own excess is too noisy to trust: with it, those that seem sure by chance would lead.
    scale = float(np.nanmedian(excess))
    category = np.zeros(len(arrays.product_ids), np.int64)
    category[arrays.product] = arrays.category
    alone = Estimates(np.array(means), scale * np.array(covariances))
    shared = pooled(alone, category, arrays.mates >= 0)
    deviations = np.sqrt(np.einsum("pii->pi", shared.covariances))
    return Elasticities(
        arrays.product_ids,
        arrays.mates,
        shared.means[:, 0],
        deviations[:, 0],
        shared.means[:, 1:],
        deviations[:, 1:],
        alone.means[:, 0],
        len(np.unique(arrays.week[learned] // BLOCK)),
    )


def _alone(columns: Floats, units: Ints, offset: Floats, week: Ints) -> tuple[Floats, Floats, float]:
    """Elasticities of one product (1 + MATES), their covariance were weeks independent, and by how much the
    variance of its own one is larger because they are not."""
    if not len(units):
        return np.zeros(MATES + 1), np.eye(MATES + 1) / _GRANTED, np.nan
    used = np.concatenate([[0], np.flatnonzero(columns.std(axis=0) > 0)])
    matrix = columns[:, used]
    first = fit_poisson(matrix, units, offset)
    fit = fit_poisson(matrix, units, offset, dispersion=dispersion_of(units, first.means, len(used)))
    bread = _inverse(fit.information)
    share = 1 / (1 + fit.dispersion * fit.means)
    scores = matrix * ((units - fit.means) * share)[:, None]
    robust = _left_out(matrix, scores, fit.means * share, week // BLOCK)
    mean, covariance = np.zeros(MATES + 2), np.eye(MATES + 2) / _GRANTED
    mean[used], covariance[np.ix_(used, used)] = fit.weights, bread
    own = np.flatnonzero(used == _OWN)
    excess = float((robust[own, own] / bread[own, own]).sum()) if len(own) else np.nan
    return mean[_OWN:], covariance[_OWN:, _OWN:], excess


def _left_out(matrix: Floats, scores: Floats, weights: Floats, block: Ints) -> Floats:
    """Covariance of a fit by leaving out each block of weeks, whose rows may depend on each other.

    Args:
        scores: rows x columns, each row's share in the slope of the likelihood.
        weights: each row's share in the information.
    """
    whole = (matrix * weights[:, None]).T @ matrix
    moved = []
    for number in np.unique(block):
        rows = block == number
        part = (matrix[rows] * weights[rows, None]).T @ matrix[rows]
        moved.append(_inverse(whole - part) @ scores[rows].sum(axis=0))
    moves = np.array(moved)
    result: Floats = moves.T @ moves * (len(moves) - 1) / len(moves)
    return result


def _inverse(information: Floats) -> Floats:
    inverse = np.linalg.inv(information + _GRANTED * np.eye(len(information)))
    return np.asarray((inverse + inverse.T) / 2, np.float64)


def table(estimates: Elasticities) -> pd.DataFrame:
    """Own elasticities as rows: product_id, estimate, low, high, and the standard error."""
    return pd.DataFrame(
        {
            PRODUCT: estimates.product_ids,
            ESTIMATE: estimates.own,
            LOW: estimates.low,
            HIGH: estimates.high,
            ERROR: estimates.own_error,
        }
    )


def cross_table(estimates: Elasticities) -> pd.DataFrame:
    """Cross elasticities as rows: by how many percent the product's sales rise as the mate's price rises by
    one; product_id, mate_id, estimate, low, high."""
    product, place = np.nonzero(estimates.mates >= 0)
    return pd.DataFrame(
        {
            PRODUCT: estimates.product_ids[product],
            MATE: estimates.product_ids[estimates.mates[product, place]],
            ESTIMATE: estimates.cross[product, place],
            LOW: estimates.cross_low[product, place],
            HIGH: estimates.cross_high[product, place],
        }
    )


def summary(estimates: Elasticities) -> dict[str, float]:
    """Figures of all products' elasticities by metric name."""
    cross = cross_table(estimates)
    return {
        "elasticity_products": float(len(estimates.own)),
        "elasticity_median": float(np.median(estimates.own)),
        "elasticity_mean": float(estimates.own.mean()),
        "elasticity_surely_negative": float((estimates.high < 0).mean()),
        "elasticity_median_width": float(np.median(estimates.high - estimates.low)),
        "cross_elasticity_pairs": float(len(cross)),
        "cross_elasticity_mean": float(cross[ESTIMATE].mean()) if len(cross) else 0.0,
        "cross_elasticity_surely_positive": float((cross[LOW] > 0).mean()) if len(cross) else 0.0,
    }
