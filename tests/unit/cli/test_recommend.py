"""`mercato recommend score` on a lake of a small shop."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from numpy.typing import NDArray
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.contracts.tables.features import (
    HOUSEHOLD_HISTORY,
    HOUSEHOLD_PROFILE,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato.contracts.tables.predictions import RECOMMENDATIONS
from mercato.contracts.tables.silver import PRODUCTS as DETAILS
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato_models import artifact
from mercato_models.checks import CheckError
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import Target, examples, ranked, training_set
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.history import HISTORY_COLUMNS
from mercato_models.recommend.ranker import Hyperparameters, fit
from tests.unit.recommend import world

HOUSEHOLDS = range(1, 6)
R = RECOMMENDATIONS.c
NEWEST = world.NOW - timedelta(hours=1)
BEFORE = world.NOW - timedelta(days=1)
_PROFILE_FIGURES = {
    field.name: 3
    for field in HOUSEHOLD_PROFILE.arrow_schema
    if field.name != HOUSEHOLD_PROFILE.c.event_timestamp
}


def context(household: int) -> Context:
    profile = dict.fromkeys(_PROFILE_FIGURES, 3.0)
    return replace(world.random_context(household), profile=profile)


def history_row(household: int) -> dict[str, object]:
    history = context(household).history
    columns: tuple[NDArray[Any], ...] = (
        history.basket_times, history.basket_stores, history.basket_sizes,
        history.products, history.quantities.astype(int), history.values,
    )  # fmt: skip
    held = {name: column.tolist() for name, column in zip(HISTORY_COLUMNS, columns, strict=True)}
    return held | {HOUSEHOLD_HISTORY.c.household_id: household, HOUSEHOLD_HISTORY.c.event_timestamp: NEWEST}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A lake whose households shop in STORE, and a model."""
    lake, p = Lake(str(tmp_path / "lake")), HOUSEHOLD_PROFILE.c
    profiles = [
        _PROFILE_FIGURES | {p.household_id: household, p.event_timestamp: NEWEST} for household in HOUSEHOLDS
    ]
    for contract, rows in (
        (HOUSEHOLD_HISTORY, world.table(HOUSEHOLD_HISTORY, [history_row(each) for each in HOUSEHOLDS])),
        (HOUSEHOLD_PROFILE, world.table(HOUSEHOLD_PROFILE, profiles)),
        (PRODUCT_STATS, world.product_stats(BEFORE)),
        (PRODUCT_TRENDS, world.product_trends(BEFORE)),
        (PRODUCT_OCCASIONS, world.product_occasions(BEFORE)),
        (PRODUCT_RETURNS, world.product_returns(BEFORE)),
        (PRODUCT_NEIGHBOURS, world.product_neighbours(BEFORE)),
        (STORE_POPULAR, world.store_popular(BEFORE)),
        (STORE_PROMOTIONS, world.store_promotions(BEFORE)),
        (DETAILS, world.product_details(BEFORE)),
    ):
        write_deltalake(lake.path(contract), rows)
    made = (context(each) for each in range(20, 40))
    targets = [Target(1, each, frozenset(each.history.products[:3].tolist())) for each in made]
    catalogue = world.catalogue()
    data = training_set(examples([(target, catalogue) for target in targets], negatives=10))
    artifact.save(
        tmp_path / "models" / "recommend", fit(data, Hyperparameters(rounds=5, threads=1)), FEATURES, "7"
    )
    return tmp_path


def test_every_household_gets_the_list_that_the_model_ranks_and_again_the_same(
    runner: CliRunner, home: Path
) -> None:
    files = []
    for _ in range(2):
        done = runner.invoke(app, ["recommend", "score", "-n", "8", "--json"])
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        files.append(Path(said["path"]).read_bytes())
    assert files[0] == files[1]
    assert (said["households"], said["model_version"]) == (len(HOUSEHOLDS), "7")
    table = pq.read_table(said["path"])
    assert table.schema.equals(RECOMMENDATIONS.arrow_schema)
    rows = table.to_pandas()
    model = artifact.load(home / "models" / "recommend")
    moment = NEWEST + timedelta(seconds=1)
    assert set(rows[R.event_timestamp]) == {moment}
    for household, own in rows.groupby(R.household_id):
        known = context(int(str(household)))
        stores, counts = np.unique(known.history.basket_stores[-10:], return_counts=True)
        store_id = own[R.store_id].iloc[0]
        assert counts[stores == store_id] == counts.max()
        asked = replace(known, store_id=int(store_id), time=moment.timestamp())
        best, scores = ranked(asked, world.catalogue(), model.score, 8)
        assert own[R.product_id].tolist() == best.tolist()
        assert own[R.rank].tolist() == list(range(1, len(best) + 1))
        np.testing.assert_allclose(own[R.score], scores)


def test_a_moment_before_every_basket_has_no_household(runner: CliRunner, home: Path) -> None:
    done = runner.invoke(app, ["recommend", "score", "--at", "2020-01-01"])
    assert isinstance(done.exception, CheckError)
    assert "empty slice: no household had a basket by 2020-01-01" in str(done.exception)
    assert not (home / "predictions").exists()


def test_a_model_of_other_features_is_refused(runner: CliRunner, home: Path) -> None:
    names = home / "models" / "recommend" / "features.json"
    names.write_text(json.dumps([*FEATURES[:-1], "shoe_size"]))
    done = runner.invoke(app, ["recommend", "score"])
    assert isinstance(done.exception, CheckError)
    assert "shoe_size" in str(done.exception)


def test_what_is_missing_is_said_with_the_next_step(runner: CliRunner, home: Path) -> None:
    (home / "lake").rename(home / "elsewhere")
    done = runner.invoke(app, ["recommend", "score"])
    assert isinstance(done.exception, MercatoError)
    assert "`mercato run --layer gold`" in str(done.exception)
    (home / "models").rename(home / "gone")
    done = runner.invoke(app, ["recommend", "score"])
    assert "features.json: No such file or directory" in str(done.exception)
    assert "`mercato train recommend` makes one" in str(done.exception)
    assert "Errno" not in str(done.exception)
