"""The files of a trained model and of its evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb

from mercato.errors import MercatoError
from mercato_models.recommend.evaluation import Evaluation
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.ranker import single_threaded

_MODEL, _FEATURES, _VERSION = "model.ubj", "features.json", "version"
PREDICTIONS = pa.schema(
    [
        pa.field("household_id", pa.int64(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("product_id", pa.int64(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
    ]
)


class ModelError(MercatoError):
    """A model folder lacks a file, or holds a model for other features."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model read back; `features` are its columns, in order."""

    booster: xgb.Booster
    features: tuple[str, ...]
    version: str


def save(folder: Path, booster: xgb.Booster, version: str) -> None:
    """Write a model folder; the model itself comes last, so a reader never sees half of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FEATURES).write_text(json.dumps(FEATURES))
    (folder / _VERSION).write_text(version)
    written = folder / f"new-{_MODEL}"
    booster.save_model(written)
    written.rename(folder / _MODEL)


def modified(folder: Path) -> int | None:
    """When the folder's model was written, in nanoseconds; `None` if there is none."""
    try:
        return (folder / _MODEL).stat().st_mtime_ns
    except OSError:
        return None


def load(folder: Path) -> Model:
    """Read a model folder.

    Raises:
        ModelError: a file is missing or broken.
    """
    try:
        features = tuple(json.loads((folder / _FEATURES).read_text()))
        booster = xgb.Booster(model_file=folder / _MODEL)
        version = (folder / _VERSION).read_text().strip()
    except (OSError, ValueError, xgb.core.XGBoostError) as error:
        raise ModelError(f"{folder} holds no model ({error}): `mercato train recommend` makes one") from error
    if booster.num_features() != len(features):
        raise ModelError(
            f"{folder}: the model takes {booster.num_features()} columns, {_FEATURES} names {len(features)}"
        )
    single_threaded(booster)
    return Model(booster, features, version)


def write_evaluation(folder: Path, judged: Evaluation, seconds: Mapping[str, float]) -> None:
    """Write `metrics.json`, and `recommend.parquet` with every test household's best products."""
    folder.mkdir(parents=True, exist_ok=True)
    report = judged.metrics | {"passes": judged.passes, "seconds": dict(seconds)}
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
