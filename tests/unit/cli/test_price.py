"""`mercato price propose` with a small chain's model, a lake that knows its stock, and a file of limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from mercato.cli.main import app
from mercato.contracts.tables.proposals import PROPOSED
from mercato.contracts.tables.silver import INVENTORY
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato_models import artifact
from mercato_models.price import channels, demand, elasticity
from mercato_models.price.panel import PANEL, checked
from mercato_models.price.simulator import Chain, simulate
from tests.unit.decisions.shop import NOW, counted, table

C, P, S = PANEL.c, PROPOSED.c, INVENTORY.c
#: What every row of silver has.
_SOURCE: dict[str, Any] = {
    S.event_id: "1",
    S.simulated: True,
    S.reason: "count",
    S.source_partition: 0,
    S.source_offset: 0,
    S.ingest_time: NOW,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `mercato train price` leaves. Prices of the last two weeks are the same."""
    home = tmp_path_factory.mktemp("trained")
    panel = checked(simulate(12, Chain(categories=2, stores=4, weeks=40, units=20.0)).panel)
    # Numbers of products and stores begin at 1, and some prices are there again the week after.
    panel = panel.assign(**{name: panel[name] + 1 for name in (C.product_id, C.store_id)})
    held = panel[C.week] % 2 == 1
    for name in (C.price, C.planned_price):
        panel[name] = panel.groupby([C.product_id, C.store_id])[name].shift().where(held).fillna(panel[name])
    (home / "datasets/price/channel").mkdir(parents=True)
    panel.to_parquet(home / "datasets/price/channel" / channels.FILE)
    model = home / "models/price"
    booster = demand.fit(demand.features(panel), panel[C.units], demand.Hyperparameters(rounds=20))
    artifact.save(model, booster, demand.FEATURES, "7")
    elasticity.table(elasticity.estimate(panel)).to_parquet(model / channels.ELASTICITIES, index=False)
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    for folder in ("datasets", "models"):
        (tmp_path / folder).symlink_to(trained / folder)
    return tmp_path


def proposed(runner: CliRunner, *arguments: str) -> dict[str, Any]:
    done = runner.invoke(app, ["price", "propose", "--limit", "1000", "--json", *arguments])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_list_is_written_with_its_figures(runner: CliRunner, home: Path) -> None:
    said = proposed(runner)
    rows = pd.read_parquet(home / "predictions/proposals.parquet")
    assert len(rows) == said["prices"] == 40
    assert len(said["proposals"]) == said["moved"] == (rows[P.proposed_price] != rows[P.price]).sum() > 0
    written = json.loads((home / "predictions/proposals.json").read_text())
    assert written == {name: value for name, value in said.items() if name != "proposals"}
    assert (written["week"], written["counted"], written["limited"], written["breaking"]) == (40, 0, 0, 0)
    assert written["judged"]["profit_low"] < written["judged"]["profit"] < written["judged"]["profit_high"]
    done = runner.invoke(app, ["price", "propose"])
    assert "40 prices would move for week 40" in done.stderr
    assert "Redis is not running" in done.stderr
    assert "past sales say, USD a week with 95 % intervals: profit +" in done.stderr


def test_limits_and_stock_hold_prices(runner: CliRunner, home: Path, tmp_path: Path) -> None:
    proposed(runner)
    free = pd.read_parquet(home / "predictions/proposals.parquet").set_index([P.product_id, P.store_id])
    raised = free[free[P.proposed_price] > free[P.price]]
    (product, store), price = raised.index[0], raised[P.price].iloc[0]
    limits = tmp_path / "limits.csv"
    limits.write_text(f"product_id,store_id,ceiling\n{product},{store},{price:.2f}\n")
    lake = Lake(str(home / "lake"))
    write_deltalake(lake.path(INVENTORY), table(INVENTORY, [_SOURCE | counted(5, 1, product, store)]))
    said = proposed(runner, "--limits", str(limits))
    assert (said["limited"], said["counted"]) == (1, 1)
    held = pd.read_parquet(home / "predictions/proposals.parquet").set_index([P.product_id, P.store_id])
    assert held[P.proposed_price][product, store] == price
    assert "ceiling" in held[P.held_by][product, store]
    others = free.index.drop((product, store))
    assert held[P.proposed_price][others].equals(free[P.proposed_price][others])


def test_wrong_limits_are_refused_before_anything_is_written(
    runner: CliRunner, home: Path, tmp_path: Path
) -> None:
    limits = tmp_path / "limits.csv"
    limits.write_text("product_id,ceiling\n1,cheap\n")
    refused = runner.invoke(app, ["price", "propose", "--limits", str(limits)])
    assert isinstance(refused.exception, MercatoError)
    assert "line 2: ceiling is 'cheap'" in str(refused.exception)
    assert not (home / "predictions").exists()
    missing = runner.invoke(app, ["price", "propose", "--limits", str(tmp_path / "none.csv")])
    assert missing.exit_code == 2


@pytest.mark.parametrize(
    "file", [f"datasets/price/channel/{channels.FILE}", f"models/price/{channels.ELASTICITIES}"]
)
@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_file_that_was_cut_short_is_named_with_what_makes_it_again(
    runner: CliRunner, trained: Path, file: str, left: float
) -> None:
    whole = (trained / file).read_bytes()
    (trained / file).write_bytes(whole[: int(left * len(whole))])
    try:
        refused = runner.invoke(app, ["price", "propose"], env={"MERCATO_HOME": str(trained)})
    finally:
        (trained / file).write_bytes(whole)
    assert isinstance(refused.exception, MercatoError)
    assert f"{file} cannot be read as Parquet" in str(refused.exception)
    assert str(refused.exception).endswith("`mercato train price` makes it again")
    assert not (trained / "predictions").exists()
