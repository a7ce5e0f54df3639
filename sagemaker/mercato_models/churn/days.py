"""How churn counts time: in days, fractions included, since midnight of the first basket's day."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

#: Column of a basket's time.
DAY = "day"
#: An active household without a basket in so many days churns.
HORIZON_DAYS = 28


def over(history: pd.DataFrame, start: pd.Timestamp, now: datetime) -> int:
    """How many days are over: up to the newest basket's, which is not while half its baskets may be to come.

    Args:
        history: what `mercato_models.churn.features.baskets` makes.
        start: what its days are counted from.
        now: what tells whether the newest day is over: of a year long gone, like the published one, all are.
    """
    gone = (pd.Timestamp(now) - pd.to_datetime(start, utc=True)) / pd.Timedelta(days=1)
    return int(min(np.floor(history[DAY].max()) + 1, np.floor(gone)))
