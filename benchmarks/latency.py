"""How long a model takes to score, beside the library that it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from benchmarks.page import Value
from mercato_models.artefact import Model

_BATCH, _TIMES = 200, 2_000


def percentiles(seconds: Sequence[float]) -> dict[str, Value]:
    """Milliseconds at the median and the 99th percentile."""
    p50, p99 = (1000 * np.percentile(seconds, [50, 99])).tolist()
    return {"p50": p50, "p99": p99}


def beside_predict(model: Model, rows: NDArray[np.float32]) -> list[dict[str, Value]]:
    """A row and a batch of 200 at a time, as served and by XGBoost's `predict`, on one thread."""

    def alone(batch: NDArray[np.float32]) -> object:
        return model.booster.predict(xgb.DMatrix(batch, nthread=1), validate_features=False)

    return [
        {"": name, "rows": size, **percentiles(_timed(answer, rows, size))}
        for size in (1, _BATCH)
        for name, answer in (("score as served", model.score), ("XGBoost predict", alone))
    ]


def _timed(answer: Callable[[NDArray[np.float32]], Any], rows: NDArray[np.float32], size: int) -> list[float]:
    taken = []
    for start in np.linspace(0, len(rows) - size, _TIMES).astype(int).tolist():
        batch = rows[start : start + size]
        before = time.perf_counter()
        answer(batch)
        taken.append(time.perf_counter() - before)
    return taken
