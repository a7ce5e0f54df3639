"""The files of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mercato_models.gate import Verdict
from mercato_models.recommend.evaluation import Evaluation

PREDICTIONS = pa.schema(
    [
        pa.field("household_id", pa.int64(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("product_id", pa.int64(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)


def write_evaluation(
    folder: Path, judged: Evaluation, verdict: Verdict, seconds: Mapping[str, float]
) -> None:
    """Write `metrics.json`, and `recommend.parquet` with every test household's best products."""
    folder.mkdir(parents=True, exist_ok=True)
    report = judged.metrics | {"passes": verdict.passes, "reasons": list(verdict.reasons)}
    report |= {"seconds": dict(seconds)}
    (folder / "metrics.json").write_text(json.dumps(report, indent=2))
    lengths = [len(products) for products in judged.products]
    columns = [
        np.repeat(judged.households, lengths),
        np.concatenate([np.arange(1, length + 1) for length in lengths]),
        np.concatenate(judged.products),
        np.concatenate(judged.scores),
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, PREDICTIONS, strict=True)]
    pq.write_table(pa.table(arrays, schema=PREDICTIONS), folder / "recommend.parquet")
