"""What is expected of every active household now, by a trained model."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.outlook import OUTLOOK
from mercato_models import checks
from mercato_models.artefact import Model
from mercato_models.churn.channels import check
from mercato_models.churn.days import over
from mercato_models.churn.features import baskets, features
from mercato_models.churn.value import expected_spend
from mercato_models.reasons import contributions

_TIME = BASKET_LINES.c.basket_time
PROBABILITY, SPEND, SHARES = OUTLOOK.c.churn_probability, OUTLOOK.c.expected_spend, "contributions"


def score(lines: pd.DataFrame, model: Model, now: datetime) -> tuple[pd.Timestamp, pd.DataFrame]:
    """The end of the newest day that is over, and a row per household active then, by household_id.

    Args:
        lines: gold.basket_lines.
        model: a churn model.
        now: tells whether the newest basket's day is over. Were one that began this night taken for whole,
            all would seem to have been away for most of a day longer than they were.

    Returns:
        PROBABILITY of no basket in the next 28 days; expected SPEND in the next 180 days, US dollars; SHARES,
        the features with what each adds to the log odds.

    Raises:
        CheckError: lines can't be true, no household is active, or the model was made of other features.
    """
    check(lines, pd.Timestamp(now))
    start = lines[_TIME].min().normalize()
    history = baskets(lines, start)
    as_of = float(over(history, start, now))
    known = features(history, as_of)
    checks.check_columns(known, model.features)
    rows = np.ascontiguousarray(known[list(model.features)].to_numpy(np.float32))
    spend = expected_spend(history, as_of).reindex(known.index)
    shares = [list(zip(model.features, row, strict=True)) for row in contributions(model, rows).tolist()]
    scored = pd.DataFrame({PROBABILITY: model.score(rows), SPEND: spend, SHARES: shares}, known.index)
    return start + pd.Timedelta(days=as_of), scored
