"""What is expected of every active household now, by a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.outlook import OUTLOOK
from mercato_models import checks
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.churn.channels import check
from mercato_models.churn.days import over
from mercato_models.churn.features import baskets, features
from mercato_models.churn.value import expected_spend
from mercato_models.reasons import contributions

_TIME = BASKET_LINES.c.basket_time
PROBABILITY, SPEND = OUTLOOK.c.churn_probability, OUTLOOK.c.expected_spend
SHARES, VALUES = "contributions", "values"


@dataclass(frozen=True, slots=True)
class Active:
    """Households that are active at the end of the newest day that is over.

    Attributes:
        history: their baskets, and everybody else's (`mercato_models.churn.features.baskets`).
        as_of: that end, in days since the first basket's day began.
        households: by id, as in the rows.
        rows: a model's features, a row each.
    """

    history: pd.DataFrame
    as_of: float
    households: pd.Index[int]
    rows: Floats32


def active(lines: pd.DataFrame, model: Model, now: datetime) -> Active:
    """What a model is asked of gold.basket_lines as they stand; arguments and errors as those of `score`."""
    check(lines, pd.Timestamp(now))
    start = lines[_TIME].min().normalize()
    history = baskets(lines, start)
    as_of = float(over(history, start, now))
    known = features(history, as_of)
    checks.check_columns(known, model.features)
    rows = np.ascontiguousarray(known[list(model.features)].to_numpy(np.float32))
    return Active(history, as_of, known.index, rows)


def score(lines: pd.DataFrame, model: Model, now: datetime) -> tuple[pd.Timestamp, pd.DataFrame]:
    """The end of the newest day that is over, and a row per household active then, by household_id.

    Args:
        lines: gold.basket_lines.
        model: a churn model.
        now: tells whether the newest basket's day is over. Were one that began this night taken for whole,
            all would seem to have been away for most of a day longer than they were.

    Returns:
        PROBABILITY of no basket in the next 28 days; expected SPEND in the next 180 days, US dollars; SHARES,
        what each feature adds to the log odds, and its VALUES, both by feature.

    Raises:
        CheckError: lines cannot be true, no household is active, or the model was made of other features.
    """
    found = active(lines, model, now)
    said = {
        PROBABILITY: model.score(found.rows),
        SPEND: expected_spend(found.history, found.as_of).reindex(found.households),
        SHARES: _by_feature(model, contributions(model, found.rows)),
        VALUES: _by_feature(model, found.rows),
    }
    end = lines[_TIME].min().normalize() + pd.Timedelta(days=found.as_of)
    return end, pd.DataFrame(said, found.households)


def _by_feature(model: Model, rows: Floats32) -> list[dict[str, float]]:
    return [dict(zip(model.features, row, strict=True)) for row in rows.tolist()]
