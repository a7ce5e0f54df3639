"""How long things take; a model's scoring beside the library that it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from benchmarks.page import Value
from mercato_models.artifact import Model

_BATCH, _TIMES = 200, 2_000


def percentiles(values: Sequence[float], wanted: Sequence[int] = (50, 95, 99)) -> dict[str, float]:
    """`p50` and so on, in the values' unit, to three places."""
    measured = np.percentile(values, wanted).tolist()
    return {f"p{each}": round(value, 3) for each, value in zip(wanted, measured, strict=True)}


def beside_predict(model: Model, rows: NDArray[np.float32]) -> list[dict[str, Value]]:
    """A row and a batch of 200 at a time, as served and by XGBoost's `predict`, on one thread."""

    def alone(batch: NDArray[np.float32]) -> object:
        return model.booster.predict(xgb.DMatrix(batch, nthread=1), validate_features=False)

    return [
        {"": name, "rows": size, **percentiles(_timed(answer, rows, size), (50, 99))}
        for size in (1, _BATCH)
        for name, answer in (("score as served", model.score), ("XGBoost predict", alone))
    ]


def _timed(answer: Callable[[NDArray[np.float32]], Any], rows: NDArray[np.float32], size: int) -> list[float]:
    """Milliseconds of each answer."""
    taken = []
    for start in np.linspace(0, len(rows) - size, _TIMES).astype(int).tolist():
        batch = rows[start : start + size]
        before = time.perf_counter()
        answer(batch)
        taken.append(1000 * (time.perf_counter() - before))
    return taken
