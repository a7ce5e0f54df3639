"""The model at each test day, learned only from labels known then, beside recency alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from mercato_models import checks
from mercato_models import fairness as fair
from mercato_models.artifact import Model
from mercato_models.calibration import expected_error
from mercato_models.churn.channels import HOUSEHOLD
from mercato_models.churn.features import AS_OF, LABEL
from mercato_models.churn.model import known_at, scores
from mercato_models.curves import Curve
from mercato_models.gate import Verdict, above, below
from mercato_models.intervals import Interval, Statistic, bootstrap, paired

PROBABILITY, RECENCY = "probability", "recency"
#: How many are expected to leave for each one who left, among the figures.
EXPECTED = "expected_to_observed"
#: Draws of the interval over households.
RESAMPLES = 1000
#: Share of a day's households, the likeliest to leave, that would be sent an offer.
FLAGGED = 0.1
#: A model must be calibrated at least so well. Where a tenth leave that allows probabilities a third too low,
MAX_ERROR = 0.03
#: so neither may those expected to leave exceed, nor be exceeded by, those who left by more than this factor.
#: 1.15 is within the interval of the demo's own champion: chance would refuse it.
MAX_FACTOR = 1.2


def backtest(train: pd.DataFrame, test: pd.DataFrame, learn: Callable[[pd.DataFrame], Model]) -> pd.DataFrame:
    """`test` with the probability that a model of that day gives: as_of, household, label, recency.

    Raises:
        CheckError: a day has nothing to learn from.
    """
    judged = []
    for day, rows in test.groupby(AS_OF):
        known = known_at(train, float(str(day)))
        if known.empty:
            message = f"empty slice: no label is known by as-of day {day}; give the channel earlier days"
            raise checks.CheckError(message)
        model = learn(known)
        kept = rows[[AS_OF, HOUSEHOLD, LABEL, RECENCY]]
        judged.append(kept.assign(**{PROBABILITY: scores(model, rows)}))
    return pd.concat(judged, ignore_index=True)


def mean_of(judged: pd.DataFrame, column: str, measure: Callable[..., float]) -> Statistic:
    """Mean over days of a measure of the scores in a column."""
    days = [rows.index.to_numpy() for _, rows in judged.groupby(AS_OF)]
    curves = [
        Curve(judged[LABEL].to_numpy()[rows], judged[column].to_numpy(np.float64)[rows]) for rows in days
    ]
    return lambda weights: float(
        np.mean([measure(curve, weights[rows]) for curve, rows in zip(curves, days, strict=True)])
    )


def intervals(judged: pd.DataFrame, columns: Sequence[str]) -> dict[str, Interval]:
    """AUC and average precision of score columns, and the first one's paired gain over each other."""
    units, result = judged[HOUSEHOLD].to_numpy(), {}
    for name, measure in (("auc", Curve.auc), ("average_precision", Curve.average_precision)):
        statistics = {column: mean_of(judged, column, measure) for column in columns}
        first, *others = columns
        for column, statistic in statistics.items():
            result[f"{column}_{name}"] = bootstrap(units, statistic, resamples=RESAMPLES)
        for column in others:
            gain = paired(units, statistics[first], statistics[column], resamples=RESAMPLES)
            result[f"gain_over_{column}_{name}"] = gain
    return result


def metrics(judged: pd.DataFrame) -> dict[str, float]:
    """Every figure by metric name."""
    flat = {"test_rows": float(len(judged)), "base_rate": float(judged[LABEL].mean())}
    flat["calibration_error"] = expected_error(judged[LABEL].to_numpy(), judged[PROBABILITY].to_numpy())
    flat |= expected_to_observed(judged).flat(EXPECTED)
    for name, interval in intervals(judged, [PROBABILITY, RECENCY]).items():
        flat |= interval.flat(name)
    return flat


def expected_to_observed(judged: pd.DataFrame) -> Interval:
    """How many are expected to leave for each one who left."""
    label, probability = (judged[column].to_numpy(np.float64) for column in (LABEL, PROBABILITY))
    return bootstrap(
        judged[HOUSEHOLD].to_numpy(),
        lambda weights: float(weights @ probability / (weights @ label)),
        resamples=RESAMPLES,
    )


def fairness(judged: pd.DataFrame, groups: pd.DataFrame | None) -> list[fair.Ratio]:
    """Whether those who leave are found alike in all groups, were the likeliest of each day sent an offer.

    Args:
        groups: band of each judged row's household by attribute; `None` if nobody is known.
    """
    if groups is None:
        return []
    place = judged.groupby(AS_OF)[PROBABILITY].rank(pct=True)
    flagged = (place > 1 - FLAGGED).to_numpy(int)
    return fair.ratios(judged[LABEL].to_numpy(), flagged, groups, judged[HOUSEHOLD].to_numpy())


def verdict(figures: dict[str, float]) -> Verdict:
    """The gate of a champion: surely better than recency, and calibrated, one by one and in sum."""
    gains = [f"gain_over_{RECENCY}_{measure}_low" for measure in ("auc", "average_precision")]
    gate = Verdict()
    for name in gains:
        gate += above(name, figures[name], 0)
    gate += below("calibration error", figures["calibration_error"], MAX_ERROR)
    sums = "leavers expected to observed"
    return gate + above(sums, figures[EXPECTED], 1 / MAX_FACTOR) + below(sums, figures[EXPECTED], MAX_FACTOR)
