"""By whose demographics a model is judged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mercato.cli.train import _add_demographics
from mercato.replay.run import position_file
from mercato.settings import Settings
from mercato_models import demographics
from mercato_models.checks import CheckError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def judged_by(settings: Settings, given: Path | None) -> set[int] | None:
    channel = settings.home / "channel"
    _add_demographics(settings, channel, str(given) if given else None)
    written = channel / demographics.FILE
    return set(pd.read_parquet(written)[demographics.HOUSEHOLD]) if written.exists() else None


def test_a_shops_own_people_are_those_of_its_file_and_of_no_replay(settings: Settings) -> None:
    file = settings.home / "households.csv"
    file.write_text("household_id,age,income,household_size\n7,25-34,35-49K,3\n8,65+,,1\n")
    assert judged_by(settings, file) == {7, 8}
    assert judged_by(settings, None) is None


def test_a_replayed_years_people_are_its_own(settings: Settings) -> None:
    position_file(settings).parent.mkdir(parents=True)
    position_file(settings).write_text("{}")
    found = judged_by(settings, None)
    assert found is not None
    assert len(found) == 801


def test_bands_that_nobody_knows_are_refused(settings: Settings) -> None:
    file = settings.home / "households.csv"
    file.write_text("household_id,age,income,household_size\n7,young,35-49K,3\n")
    with pytest.raises(CheckError, match="age is none of"):
        judged_by(settings, file)
