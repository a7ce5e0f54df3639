"""Baskets and snapshots that cannot be true are refused, with the check and the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercato_models.checks import CheckError
from mercato_models.churn import channels
from mercato_models.churn.channels import HOUSEHOLD
from mercato_models.churn.features import AS_OF, LABEL, baskets, labels
from mercato_models.churn.scoring import score
from tests.unit.churn.visits import NOW, START, L, visits

TOMORROW = (NOW + pd.Timedelta(days=1)).tz_localize(None)
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def lines() -> pd.DataFrame:
    return visits(households=30, each=20)


def test_what_is_written_is_read(lines: pd.DataFrame, tmp_path: Path) -> None:
    channels.write(tmp_path, lines, NOW)
    rows, named = channels.read(tmp_path)
    assert {AS_OF, channels.HOUSEHOLD, LABEL}.isdisjoint(named)
    assert len(rows) > 100


def test_a_label_window_is_over_when_its_last_day_is(tmp_path: Path) -> None:
    """In the night those who had not come yet on a window's last day were all written as leaving."""
    lines = visits(households=30, each=60)
    night = START + pd.Timedelta(days=146, hours=5.5)
    newest = {}
    for later in (-6.0, 0.0, 18.0, 18.5):
        now = night + pd.Timedelta(hours=later)
        known = lines[lines[L.basket_time] <= now]
        channels.write(tmp_path, known, now.tz_localize("UTC"))
        rows = pd.read_parquet(tmp_path / channels.FILE)
        newest[later] = int(rows[AS_OF].max())
        last = rows[rows[AS_OF] == newest[later]]
        true = labels(baskets(lines, START), pd.Index(last[HOUSEHOLD]), newest[later])
        assert last[LABEL].tolist() == true.tolist()
    assert newest == {-6.0: 112, 0.0: 112, 18.0: 112, 18.5: 119}
    # A year that ended long ago, in the middle of the night or not, is over to its last day.
    channels.write(tmp_path, lines[lines[L.basket_time] <= night], pd.Timestamp.now("UTC"))
    assert pd.read_parquet(tmp_path / channels.FILE)[AS_OF].max() == 119


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda of: of.assign(
                **{L.basket_time: of[L.basket_time].where(of[L.household_id] != 3, TOMORROW)}
            ),
            r"future timestamps in basket_time, later than .*: 20 of 600 rows \(60, 61",
        ),
        (lambda of: of.assign(**{L.basket_time: pd.NaT}), r"unknown basket_time: 600 of 600 rows \(0, 1"),
        (
            lambda of: of.assign(**{L.household_id: of[L.household_id].where(of.index != 7)}),
            r"unknown household_id: 1 of 600 rows \(7\)",
        ),
        (
            lambda of: of.assign(**{L.sales_value: np.nan}),
            r"NaN flood in sales_value, known in 0\.0% of the rows: 600 of 600 rows \(0, 1",
        ),
        (lambda of: of.drop(columns=[L.sales_value]), "missing columns: sales_value; 600 rows"),
        (lambda of: of[:0], "empty slice"),
    ],
)
def test_baskets_that_cant_be_true_are_refused(
    change: Change, said: str, lines: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(CheckError, match=said):
        channels.write(tmp_path, change(lines), NOW)
    assert not list(tmp_path.iterdir())
    with pytest.raises(CheckError, match=said):
        score(change(lines), None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda of: of.assign(**{AS_OF: of[AS_OF].where(of.index != 4)}), r"unknown as_of: 1 of .* \(4\)"),
        (
            lambda of: of.assign(recency=of["recency"].where(of.index % 20 == 0)),
            r"NaN flood in recency, known in 5\.\d% of the rows",
        ),
        (lambda of: of.assign(**{LABEL: 1.0}), r"constant label: all \d+ rows have label = 1"),
    ],
)
def test_snapshots_that_cant_be_learned_from_are_refused(
    change: Change, said: str, lines: pd.DataFrame, tmp_path: Path
) -> None:
    channels.write(tmp_path, lines, NOW)
    path = tmp_path / channels.FILE
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(CheckError, match=said):
        channels.read(tmp_path)
