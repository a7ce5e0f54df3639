"""Refuse what cannot be trained on, with the name of the check and the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mercato.errors import MercatoError

#: A feature known in fewer rows than this is taken for broken.
KNOWN_SHARE = 0.5
_SHOWN = 5


class CheckError(MercatoError):
    """Training data fail a check."""


def check_columns(frame: pd.DataFrame, wanted: Sequence[str]) -> None:
    """Refuse an empty slice and missing columns."""
    if missing := [name for name in wanted if name not in frame]:
        raise CheckError(
            f"missing columns: {', '.join(missing)}; {len(frame)} rows have {len(frame.columns)}"
        )
    if frame.empty:
        raise CheckError("empty slice: there is no row to learn from; widen the dates")


def check_known(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse rows that lack one of these, such as a time or an owner."""
    for name in names:
        raise_for_rows(frame[name].isna().to_numpy(), f"unknown {name}")


def check_not_constant(labels: pd.Series) -> None:
    """Refuse labels that are unknown, or all the same."""
    raise_for_rows(labels.isna().to_numpy(), f"unknown label in {labels.name}")
    if labels.nunique() < 2:
        value = float(labels.iloc[0])
        raise CheckError(f"constant label: all {len(labels)} rows have {labels.name} = {value:g}")


def check_missing_or_infinite(
    frame: pd.DataFrame, features: Sequence[str], known: float = KNOWN_SHARE
) -> None:
    """Refuse infinite values, and features known in a share of rows below `known`."""
    values = frame[list(features)].to_numpy(np.float64)
    raise_for_rows(np.isinf(values).any(axis=1), "infinite features")
    for name, share in zip(features, 1 - np.isnan(values).mean(axis=0), strict=True):
        if share < known:
            rows = np.isnan(values[:, list(features).index(name)])
            raise_for_rows(rows, f"NaN flood in {name}, known in {share:.1%} of the rows")


def check_not_future(times: pd.Series, now: pd.Timestamp) -> None:
    """Refuse timestamps later than `now`."""
    raise_for_rows((times > now).to_numpy(), f"future timestamps in {times.name}, later than {now}")


def raise_for_rows(bad: np.ndarray, message: str) -> None:
    """Refuse the rows where `bad`, naming the first of them."""
    if bad.any():
        rows = np.flatnonzero(bad)
        shown = ", ".join(map(str, rows[:_SHOWN])) + (" ..." if len(rows) > _SHOWN else "")
        raise CheckError(f"{message}: {len(rows)} of {len(bad)} rows ({shown})")
