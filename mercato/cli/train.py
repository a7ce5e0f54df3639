"""`mercato train recommend`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glue_jobs.runner import Run
    from mercato.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")]

train = typer.Typer(help="Train models as SageMaker would.", no_args_is_help=True)
_SCRIPT = Path(__file__).parents[2] / "sagemaker" / "recommend" / "train.py"


def register(app: typer.Typer) -> None:
    """Add these commands to the main program."""
    app.add_typer(train, name="train")


@train.callback()
def _group() -> None:
    """Keep `recommend` a subcommand while it is the only one."""


@train.command("recommend")
def recommend(
    targets: Annotated[int, typer.Option(help="Baskets per household to learn from.", min=1, max=11)] = 5,
    engine: Annotated[str | None, typer.Option(help="sail, spark or sc://host:port.")] = None,
    as_json: Json = False,
) -> None:
    """Train the recommendation ranker, judge it on last baskets, and serve it if it beats the baselines.

    Examples: `mercato train recommend`, `mercato train recommend --targets 8 --json`
    """
    from mercato.lake.session import connect
    from mercato.lake.tables import Lake
    from mercato.settings import get_settings
    from mercato_models.recommend.pipeline import write_channels

    settings = get_settings()
    folder = settings.home / "datasets" / "recommend"
    with connect(settings, engine) as spark:
        lake = Lake(settings.lake_uri)
        versions = write_channels(spark, settings, lake, folder, targets=targets, on_run=_report)
    result = _run_script(settings, folder, versions)
    _keep(settings.home, folder)
    model, baseline = result["model_recall_at_10"], result["personal_recall_at_10"]
    said = f"R@10 {model:.4f} (personal frequency {baseline:.4f}), nDCG@10 {result['model_ndcg_at_10']:.4f}"
    typer.echo(json.dumps(result) if as_json else said)
    if not result["passes"]:
        typer.echo("The model does not beat the baselines, so the champion stays as it is.", err=True)


def _run_script(settings: Settings, folder: Path, versions: dict[str, int]) -> dict[str, Any]:
    """Run the training script as SageMaker does; what it logs goes to the terminal."""
    environment = os.environ | {
        "SM_CHANNEL_TRAIN": str(folder / "channel"),
        "SM_CHANNEL_TEST": str(folder / "channel"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "output"),
        # Threads that wait for each other give way to the engines running beside them.
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_TRACKING_URI": settings.endpoint("mlflow_uri") or "",
    }
    command = [sys.executable, str(_SCRIPT), "--data-versions", json.dumps(versions)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _keep(home: Path, folder: Path) -> None:
    """Put the predictions where anyone can score them, and a model that passed where the scorer serves it."""
    predictions = home / "predictions" / "recommend.parquet"
    predictions.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "output" / predictions.name, predictions)
    if not json.loads((folder / "output" / "metrics.json").read_text())["passes"]:
        return
    from mercato_models.recommend.artefact import load, save

    model = load(folder / "model")
    save(home / "models" / "recommend", model.booster, model.version)


def _report(done: Run) -> None:
    typer.echo(f"{done.job:<28} {done.mode:<12} {done.rows:>11,} rows {done.seconds:>7.1f} s", err=True)
