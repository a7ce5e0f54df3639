"""`mercato train MODEL`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.cli.endings import interrupted_by_signals
from mercato.cli.options import Engine
from mercato.settings import Settings, get_settings

if TYPE_CHECKING:
    from glue_jobs.runner import Run
    from mercato_models.launch import TrainingJob

Json = Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")]
Demographics = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Parquet or CSV with household_id, age, income and household_size, by which fairness is judged. "
        "Default: those of the replayed year; nothing is judged by group if none was replayed.",
    ),
]

train = typer.Typer(
    help="Train models as SageMaker would.\n\n"
    "Examples: `mercato train recommend`, `mercato train churn --json`",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(train, name="train")


@train.command("recommend")
def recommend(
    targets: Annotated[int, typer.Option(help="Baskets per household to learn from.", min=1, max=11)] = 8,
    engine: Engine = None,
    demographics: Demographics = None,
    as_json: Json = False,
) -> None:
    """Train the recommendation ranker, judge it on last baskets, and serve it if it beats the baselines.

    Examples: `mercato train recommend`, `mercato train recommend --targets 4 --json`
    """
    from mercato_models import workers

    with _alone("recommend") as settings:
        # An engine in this process would keep gigabytes while the script trains.
        with workers.pool(1) as apart:
            apart.submit(_write_recommend, settings, engine, targets).result()
        _add_demographics(settings, _channel(settings, "recommend"), demographics)
        result = _train(settings, "recommend")
    _say(
        "recommend",
        result,
        "R@10 {model_recall_at_10:.4f} (personal frequency {personal_recall_at_10:.4f}), "
        "nDCG@10 {model_ndcg_at_10:.4f}",
        as_json=as_json,
    )


@train.command("churn")
def churn(demographics: Demographics = None, as_json: Json = False) -> None:
    """Train the churn model on the lake's baskets, judge it on the newest days, and keep it if it passes.

    Examples: `mercato train churn`, `mercato train churn --demographics households.csv --json`
    """
    with _alone("churn") as settings:
        _write(settings, "churn")
        _add_demographics(settings, _channel(settings, "churn"), demographics)
        result = _train(settings, "churn")
    _say(
        "churn",
        result,
        "AUC {probability_auc:.4f}, AP {probability_average_precision:.4f} "
        "(recency {recency_auc:.4f}, {recency_average_precision:.4f})",
        as_json=as_json,
    )


@train.command("fraud")
def fraud(demographics: Demographics = None, as_json: Json = False) -> None:
    """Train the fraud model on the lake's payments, judge it on the newest weeks, and keep it if it passes.

    Examples: `mercato train fraud`, `mercato train fraud --json`
    """
    with _alone("fraud") as settings:
        _write(settings, "fraud")
        _add_demographics(settings, _channel(settings, "fraud"), demographics)
        result = _train(settings, "fraud")
    _say(
        "fraud",
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
    with _alone("price") as settings:
        _write(settings, "price")
        result = _train(settings, "price")
    _say(
        "price",
        result,
        "WAPE a week ahead {forecast_wape:.3f} (seasonal naive {seasonal_naive_wape:.3f}); "
        "median elasticity {elasticity_median:.2f} of {elasticity_products:.0f} products",
        as_json=as_json,
    )


@contextmanager
def _alone(name: str) -> Iterator[Settings]:
    """The settings, while no other process of this home trains the model: both would write the same files."""
    from mercato.lake.lock import alone

    settings = get_settings()
    # Else a signal to this process alone would leave what it started running.
    interrupted_by_signals()
    with alone(settings.home / "datasets" / name / "lock", f"training of {name}"):
        yield settings


def _write_recommend(settings: Settings, engine: str | None, targets: int) -> None:
    from mercato.lake.session import connect
    from mercato.lake.storage import check_readable
    from mercato.lake.tables import Lake
    from mercato_models.recommend.pipeline import write_channel

    channel = _channel(settings, "recommend")
    beside = channel.with_name("lake")
    check_readable(str(beside))
    shutil.rmtree(beside, ignore_errors=True)
    with connect(settings, engine) as spark:
        overlay = Lake(str(beside), base=Lake(settings.lake_uri))
        write_channel(spark, settings, overlay, channel, targets=targets, on_run=_report)


def _write(settings: Settings, name: str) -> None:
    from mercato.lake.tables import Lake
    from mercato_models import datasets

    datasets.write(name, Lake(settings.lake_uri), _channel(settings, name))


def _add_demographics(settings: Settings, channel: Path, source: str | None) -> None:
    """Put what is known of households beside the data; nothing of a shop that gives nothing."""
    from mercato.replay.dataset import demographics as recorded
    from mercato.replay.run import position_file
    from mercato_models import datasets, demographics

    if source is None and not position_file(settings).is_file():
        (channel / demographics.FILE).unlink(missing_ok=True)
        return
    demographics.write(channel, recorded() if source is None else datasets.people(source))


def _channel(settings: Settings, name: str) -> Path:
    return settings.home / "datasets" / name / "channel"


def _train(settings: Settings, name: str) -> dict[str, Any]:
    """Run a training script as SageMaker does, and keep what it wrote; what it logs goes to the terminal."""
    from mercato_models.launch import TrainingJob

    job = TrainingJob.within(name, _channel(settings, name).parent)
    variables = {
        # Threads that wait for each other give way to the engines running beside them.
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_TRACKING_URI": settings.endpoint("mlflow_uri") or "",
    }
    done = job.run(variables=variables, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    _keep(settings.home, job, passes=result["passes"])
    return result


def _keep(home: Path, job: TrainingJob, *, passes: bool) -> None:
    """Put the predictions where anyone can score them, and a model that passed where a scorer serves it."""
    from mercato_models.artifact import publish

    predictions = home / "predictions"
    predictions.mkdir(parents=True, exist_ok=True)
    for written in job.output.glob("*.parquet"):
        shutil.copyfile(written, predictions / written.name)
    if passes:
        publish(job.model, home / "models" / job.name)


def _say(name: str, result: Mapping[str, Any], headline: str, *, as_json: bool) -> None:
    """Print the figures, and what follows if the model does not pass."""
    typer.echo(json.dumps(result) if as_json else headline.format(**result))
    if not result["passes"]:
        reasons = "; ".join(result["reasons"])
        served = (get_settings().home / "models" / name).exists()
        follows = "the champion stays as it is" if served else "there is still none to serve"
        typer.echo(f"The model does not pass its gate, so {follows}: {reasons}", err=True)


def _report(done: Run) -> None:
    typer.echo(f"{done.job:<28} {done.mode:<12} {done.rows:>11,} rows {done.seconds:>7.1f} s", err=True)
