"""The files of a trained model: the booster, its columns, its calibration and its version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from mercato.errors import MercatoError
from mercato_models.calibration import Calibration

_MODEL, _FEATURES, _CALIBRATION, _VERSION = "model.ubj", "features.json", "calibration.json", "version"


class ModelError(MercatoError):
    """A model folder lacks a file, or holds a model for other features."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model read back; `features` are its columns, in order."""

    booster: xgb.Booster
    features: tuple[str, ...]
    version: str
    calibration: Calibration | None = None

    def score(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """One score per row of `rows` (rows x features), a probability if the model is calibrated."""
        scores: NDArray[np.float32] = self.booster.inplace_predict(rows, validate_features=False)
        return scores if self.calibration is None else self.calibration(scores)


def save(
    folder: Path,
    booster: xgb.Booster,
    features: Sequence[str],
    version: str,
    calibration: Calibration | None = None,
) -> None:
    """Write a model folder; the model itself comes last, so a reader never sees half of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FEATURES).write_text(json.dumps(list(features)))
    (folder / _CALIBRATION).write_text(json.dumps(calibration and asdict(calibration)))
    (folder / _VERSION).write_text(version)
    written = folder / f"new-{_MODEL}"
    booster.save_model(written)
    written.rename(folder / _MODEL)


def publish(source: Path, target: Path) -> None:
    """Copy a model folder to where a scorer reads it; the model itself comes last, as in `save`."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.name != _MODEL:
            shutil.copyfile(path, target / path.name)
    written = target / f"new-{_MODEL}"
    shutil.copyfile(source / _MODEL, written)
    written.rename(target / _MODEL)


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
        fitted = json.loads((folder / _CALIBRATION).read_text())
        booster = xgb.Booster(model_file=folder / _MODEL)
        version = (folder / _VERSION).read_text().strip()
        calibration = fitted and Calibration(**fitted)
    except (OSError, ValueError, TypeError, xgb.core.XGBoostError) as error:
        raise ModelError(
            f"{folder} holds no model ({_fault(error)}): `{_command(folder)}` makes one"
        ) from error
    if booster.num_features() != len(features):
        raise ModelError(
            f"{folder}: the model takes {booster.num_features()} columns, {_FEATURES} names {len(features)}"
        )
    single_threaded(booster)
    return Model(booster, features, version, calibration)


def _fault(error: Exception) -> str:
    """What is wrong, without the number of the system's error."""
    if isinstance(error, OSError) and error.strerror:
        return f"{Path(str(error.filename)).name}: {error.strerror}"
    return str(error)


def _command(folder: Path) -> str:
    """What makes a folder's model; where a home keeps its models, each has its name."""
    return f"mercato train {folder.name}" if folder.parent.name == "models" else "mercato train"


def single_threaded(booster: xgb.Booster) -> None:
    """Score on one thread: a few hundred rows are too few to share."""
    booster.set_param({"nthread": 1})
