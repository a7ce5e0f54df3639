"""Whether frauds are found, and honest payments let pass, alike for all groups of card holders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mercato_models import fairness
from mercato_models.fairness import ALARMED, FLAGGED, FOUND, Ratio
from mercato_models.fraud.payments import SCORED

_C = SCORED.c


def ratios(
    scored: pa.Table,
    stopped: NDArray[np.bool_],
    households: NDArray[np.int64],
    groups: pd.DataFrame | None,
) -> list[Ratio]:
    """Least ratios between two groups of the shares of payments, of frauds and of honest payments stopped.

    Honest payments are not stopped alike: the larger an amount, the less suspicious a payment that is worth a
    review. Nothing is gated by them (ADR 15).

    Args:
        scored: payments of the test, rows of SCORED.
        stopped: which of them are reviewed or declined.
        households: whose card each is; the intervals draw these.
        groups: band of each household by attribute; `None` if nobody is known.
    """
    if groups is None:
        return []
    label = scored[_C.label].to_numpy().astype(int)
    return fairness.ratios(label, stopped.astype(int), groups, households, measured=(FLAGGED, FOUND, ALARMED))
