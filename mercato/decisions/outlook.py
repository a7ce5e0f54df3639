"""What is expected of every active household, in the form in which it is served."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from mercato.contracts.tables.outlook import OUTLOOK
from mercato.decisions.churn import CODES
from mercato_models.artifact import Model
from mercato_models.churn.scoring import PROBABILITY, SHARES, SPEND, VALUES, score


def outlook(lines: pd.DataFrame, model: Model, now: datetime) -> pd.DataFrame:
    """A row per household that is active at the end of the newest day that is over, columns as in OUTLOOK.

    Args:
        lines: gold.basket_lines.
        model: a churn model.
        now: tells whether the newest basket's day is over.

    Raises:
        CheckError: no household is active, or the model was made of other features.
    """
    as_of, found = score(lines, model, now)
    c = OUTLOOK.c
    return pd.DataFrame(
        {
            c.household_id: found.index,
            c.event_timestamp: as_of,
            c.churn_probability: found[PROBABILITY].to_numpy(float),
            c.expected_spend: found[SPEND].to_numpy(float),
            c.reasons: [
                [str(code) for code in CODES.strongest(shares.items(), values)]
                for shares, values in zip(found[SHARES], found[VALUES], strict=True)
            ],
            c.model_version: model.version,
        }
    )
