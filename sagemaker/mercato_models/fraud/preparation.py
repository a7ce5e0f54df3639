"""Features from what callers tell of payments and what the model learned of surprising amounts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercato.online.payments import RECENT
from mercato_models.fraud import state
from mercato_models.fraud.amount_likelihood import AmountLikelihood
from mercato_models.fraud.live import GIVEN, PLAIN
from mercato_models.fraud.state import FEATURES


class Preparation:
    """Makes rows of FEATURES from rows of GIVEN with what a model learned.

    Attributes:
        columns: of the rows that it takes.
    """

    columns = GIVEN

    def __init__(self, folder: Path) -> None:
        """Read what was learned.

        Raises:
            ModelError: the folder does not hold it.
        """
        self._likelihood = AmountLikelihood.load(folder)

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features, one row for each given one."""
        wide = rows.astype(np.float64)
        plain, ages, ratios = np.split(wide, [len(PLAIN), len(PLAIN) + RECENT], axis=1)
        ratio = plain[:, state.AMOUNT_RATIO]
        suspicion = state.suspicion(np.where(ages >= 0, ages, np.inf), ratios, ratio, self._likelihood)
        columns = dict(zip((*PLAIN, *state.SUSPICION), np.hstack([plain, suspicion]).T, strict=True))
        return np.column_stack([columns[name] for name in FEATURES]).astype(np.float32)
