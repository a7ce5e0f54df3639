"""`mercato train MODEL`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.errors import MercatoError
from mercato.settings import Settings, get_settings

if TYPE_CHECKING:
    from glue_jobs.runner import Run
    from mercato.contracts.tables.base import Table
    from mercato.lake.tables import Lake

Json = Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")]

train = typer.Typer(help="Train models as SageMaker would.", no_args_is_help=True)
_SCRIPTS = Path(__file__).parents[2] / "sagemaker"


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(train, name="train")


@train.command("recommend")
def recommend(
    targets: Annotated[int, typer.Option(help="Baskets per household to learn from.", min=1, max=11)] = 8,
    engine: Annotated[str | None, typer.Option(help="sail, spark or sc://host:port.")] = None,
    as_json: Json = False,
) -> None:
    """Train the recommendation ranker, judge it on last baskets, and serve it if it beats the baselines.

    Examples: `mercato train recommend`, `mercato train recommend --targets 4 --json`
    """
    from mercato.lake.session import connect
    from mercato.lake.tables import Lake
    from mercato.replay.dataset import demographics as recorded_people
    from mercato_models import demographics
    from mercato_models.recommend.pipeline import write_channels

    settings = get_settings()
    channel = _channel(settings, "recommend")
    with connect(settings, engine) as spark:
        lake = Lake(settings.lake_uri)
        versions = write_channels(spark, settings, lake, channel.parent, targets=targets, on_run=_report)
    demographics.write(channel, recorded_people())
    result = _train(settings, "recommend", versions)
    _say(
        result,
        "R@10 {model_recall_at_10:.4f} (personal frequency {personal_recall_at_10:.4f}), "
        "nDCG@10 {model_ndcg_at_10:.4f}",
        as_json=as_json,
    )


@train.command("churn")
def churn(as_json: Json = False) -> None:
    """Train the churn model on the lake's baskets, judge it on the newest days, and keep it if it passes.

    Examples: `mercato train churn`, `mercato train churn --json`
    """
    from mercato.contracts.tables.gold import BASKET_LINES
    from mercato.lake.tables import Lake
    from mercato.replay.dataset import demographics as recorded_people
    from mercato_models import demographics
    from mercato_models.churn import channels

    settings = get_settings()
    lake = Lake(settings.lake_uri)
    versions = _versions(lake, (BASKET_LINES,))
    channels.write(_channel(settings, "churn"), lake.read_arrow(BASKET_LINES).to_pandas())
    demographics.write(_channel(settings, "churn"), recorded_people())
    result = _train(settings, "churn", versions)
    _say(
        result,
        "AUC {probability_auc:.4f}, AP {probability_average_precision:.4f} "
        "(recency {recency_auc:.4f}, {recency_average_precision:.4f})",
        as_json=as_json,
    )


@train.command("fraud")
def fraud(as_json: Json = False) -> None:
    """Train the fraud model on the lake's payments, judge it on the newest weeks, and keep it if it passes.

    Examples: `mercato train fraud`, `mercato train fraud --json`
    """
    from mercato.contracts.tables.silver import PAYMENT_OUTCOMES, PAYMENTS
    from mercato.lake.tables import Lake
    from mercato_models.fraud import payments
    from mercato_models.fraud.shop import payments_of

    settings = get_settings()
    lake = Lake(settings.lake_uri)
    versions = _versions(lake, (PAYMENTS, PAYMENT_OUTCOMES))
    paid, outcomes = (lake.read_arrow(table).to_pandas() for table in (PAYMENTS, PAYMENT_OUTCOMES))
    payments.write(_channel(settings, "fraud"), payments_of(paid, outcomes))
    result = _train(settings, "fraud", versions)
    _say(
        result,
        "AP {model_average_precision:.4f} (the handbook's features {handbook_average_precision:.4f}), "
        "AUC {model_roc_auc:.4f}",
        as_json=as_json,
    )


@train.command("price")
def price(as_json: Json = False) -> None:
    """Train the demand model and elasticities on the lake's prices, and keep them if the forecasts pass.

    Examples: `mercato train price`, `mercato train price --json`
    """
    from mercato.contracts.tables.gold import PRICE_HISTORY
    from mercato.contracts.tables.silver import PRODUCTS, PROMOTIONS
    from mercato.lake.tables import Lake
    from mercato_models.price import channels

    settings = get_settings()
    lake = Lake(settings.lake_uri)
    versions = _versions(lake, (PRICE_HISTORY, PROMOTIONS, PRODUCTS))
    prices, products = (lake.read_arrow(table).to_pandas() for table in (PRICE_HISTORY, PRODUCTS))
    placed = channels.placements(lake.read_arrow(PROMOTIONS))
    channels.write(_channel(settings, "price"), prices, placed, products)
    result = _train(settings, "price", versions)
    _say(
        result,
        "WAPE a week ahead {forecast_wape:.3f} (seasonal naive {seasonal_naive_wape:.3f}); "
        "median elasticity {elasticity_median:.2f} of {elasticity_products:.0f} products",
        as_json=as_json,
    )


def _versions(lake: Lake, tables: Iterable[Table]) -> dict[str, int]:
    """What is learned from: version by table.

    Raises:
        MercatoError: a table is not there.
    """
    versions = {table.name: lake.version(table) for table in tables}
    if missing := sorted(name for name, version in versions.items() if version is None):
        raise MercatoError(f"There is no {', '.join(missing)} to learn from yet: run `mercato run` first.")
    return {name: version for name, version in versions.items() if version is not None}


def _channel(settings: Settings, name: str) -> Path:
    return settings.home / "datasets" / name / "channel"


def _train(settings: Settings, name: str, versions: Mapping[str, int]) -> dict[str, Any]:
    """Run a training script as SageMaker does, and keep what it wrote; what it logs goes to the terminal."""
    channel = _channel(settings, name)
    model, output = channel.with_name("model"), channel.with_name("output")
    environment = os.environ | {
        "SM_CHANNEL_TRAIN": str(channel),
        "SM_CHANNEL_TEST": str(channel),
        "SM_MODEL_DIR": str(model),
        "SM_OUTPUT_DATA_DIR": str(output),
        # Threads that wait for each other give way to the engines running beside them.
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_TRACKING_URI": settings.endpoint("mlflow_uri") or "",
    }
    command = [sys.executable, str(_SCRIPTS / name / "train.py"), "--data-versions", json.dumps(versions)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    _keep(settings.home, name, model, output, passes=result["passes"])
    return result


def _keep(home: Path, name: str, model: Path, output: Path, *, passes: bool) -> None:
    """Put the predictions where anyone can score them, and a model that passed where a scorer serves it."""
    from mercato_models.artefact import publish

    predictions = home / "predictions"
    predictions.mkdir(parents=True, exist_ok=True)
    for written in output.glob("*.parquet"):
        shutil.copyfile(written, predictions / written.name)
    if passes:
        publish(model, home / "models" / name)


def _say(result: Mapping[str, Any], headline: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(result) if as_json else headline.format(**result))
    if not result["passes"]:
        reasons = "; ".join(result["reasons"])
        typer.echo(f"The model does not pass its gate, so the champion stays as it is: {reasons}", err=True)


def _report(done: Run) -> None:
    typer.echo(f"{done.job:<28} {done.mode:<12} {done.rows:>11,} rows {done.seconds:>7.1f} s", err=True)
