"""The promotions of the week after the year: without them a shop that goes on from there has none."""

from __future__ import annotations

import numpy as np

from mercato.replay.clock import WEEKS
from mercato.replay.dataset import Placements

#: The week after the year, and the recorded one at the same time of the year before.
_NEXT_WEEK = WEEKS + 1
_YEAR_BEFORE = _NEXT_WEEK - 52


def with_next_week(placements: Placements) -> Placements:
    """Add the week after the last recorded one, planned as it was a year before."""
    begin, end = np.searchsorted(
        placements.packed, np.array([_YEAR_BEFORE, _YEAR_BEFORE + 1]) << Placements.WEEK_AT
    )
    later = (_NEXT_WEEK - _YEAR_BEFORE) << Placements.WEEK_AT
    return Placements(np.concatenate([placements.packed, placements.packed[begin:end] + later]))
