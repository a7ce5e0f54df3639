"""`mercato demo`: from nothing to a live page, one printed command after another."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.cli.endings import ending, interrupted_by_signals
from mercato.local.children import end_with_parent

Json = Annotated[bool, typer.Option("--json", help="Timings and address as JSON on stdout.")]

_REPLAY_TO_MODEL = ("replay", "bronze", "silver", "gold", "features", "online features", "tracking", "model")
#: The command by which a model that passed its gate is put to use.
_USES = {"churn": ("churn", "score"), "price": ("price", "propose"), "fraud": ("up", "fraud-scorer")}


@dataclass
class _Demo:
    """Runs steps, and remembers how long each took.

    Attributes:
        seconds: by step.
    """

    home: Path
    seconds: dict[str, float] = field(default_factory=dict)
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def step(self, title: str, *arguments: str) -> None:
        """Run one `mercato` command; what it reports goes to the terminal."""
        typer.secho(f"\n==> {title}: mercato {shlex.join(arguments)}", err=True, bold=True)
        started = time.monotonic()
        # Of a killed demo, `mercato down` finds the services and nothing else.
        failed = self._start(*arguments, stdout=sys.stderr, preexec_fn=end_with_parent()).wait()
        self.seconds[title] = round(time.monotonic() - started, 1)
        if failed:
            typer.secho(
                f"{title} failed. The command can be run again by itself; logs are in {self.home / 'log'}.",
                err=True,
                fg="red",
            )
            raise typer.Exit(failed)

    def serves(self, model: str) -> bool:
        """Whether a model passed its gate, in this run or in an earlier one."""
        return (self.home / "models" / model / "version").exists()

    def in_background(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command whose result is needed only later."""
        return self._start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """End what is still at work, each by its own means, and wait for it."""
        for process in self._started:
            process.terminate()
        for process in self._started:
            process.wait()

    def _start(self, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        self._started.append(subprocess.Popen([sys.executable, "-m", "mercato", *arguments], **streams))
        return self._started[-1]


class _PeakMemory(threading.Thread):
    """Samples the resident memory of a stack's processes and of this process's children."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self._home = home
        self._end = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        import psutil

        from mercato.local.daemon import Daemon

        while not self._end.wait(1.0):
            seen = {process.pid: process for process in Daemon(self._home, ()).processes()}
            seen.update({child.pid: child for child in psutil.Process().children(recursive=True)})
            total = 0
            for process in seen.values():
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)

    def stop(self) -> float:
        """End the sampling; returns the peak in GB."""
        self._end.set()
        return round(self.peak_bytes / 1e9, 2)


def demo(
    households: Annotated[
        int | None, typer.Option(help="Number of households; all 2,469 by default.", min=20)
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave everything running; `mercato down` stops it.")
    ] = False,
    all_models: Annotated[
        bool,
        typer.Option(
            "--all-models",
            help="Then also train churn, price and fraud, use those that pass, and serve the admin panel. "
            "With few households most do not pass.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Replay the year, build the lake and the features, train, and serve a live page.

    Each step is a command that you can run by itself; a second run does only what is new.

    Examples: `mercato demo`, `mercato demo --households 200`, `mercato demo --all-models --detach --json`
    """
    from mercato.lake.storage import check_readable
    from mercato.local.supervisor import Stack
    from mercato.settings import get_settings

    settings = get_settings()
    for folder in (settings.lake_uri, str(settings.home)):  # which holds the ranker's own lake
        check_readable(folder)
    stack, run = Stack(settings), _Demo(settings.home)
    interrupted_by_signals()
    try:
        result = _run(run, households, all_models=all_models)
        result["url"] = settings.require("api_url")
        result["panel"] = settings.require("admin_url") if all_models else None
        path = settings.home / "bench" / "demo.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2))
        if as_json:
            typer.echo(json.dumps(result))
            sys.stdout.flush()
        typer.secho(f"\nOpen {result['url']} and pick a household.", err=True, bold=True, fg="green")
        if all_models:
            typer.echo(f"Prices to decide on and payments to review: {result['panel']}", err=True)
        typer.echo(
            f"Models: {settings.require('mlflow_uri')}   Stop: {'mercato down' if detach else 'Ctrl-C'}",
            err=True,
        )
        while not detach:
            time.sleep(1)
    except KeyboardInterrupt:
        ending()
        typer.echo("\nstopping ...", err=True)
        run.stop()
        stack.down()
        raise typer.Exit(130) from None


def _run(run: _Demo, households: int | None, *, all_models: bool) -> dict[str, object]:
    started = time.monotonic()
    memory = _PeakMemory(run.home)
    memory.start()
    run.step("engines", "up", "kafka", "redis", "ingest", "online")
    # MLflow takes long to start and is needed only when a model is trained.
    mlflow = run.in_background("up", "mlflow")
    run.step("replay", "replay", *(["--households", str(households)] if households else []))
    run.step("bronze", "ingest", "--wait")
    run.step("silver", "run", "--layer", "silver")
    run.step("gold", "run", "--layer", "gold")
    run.step("features", "features", "apply")
    run.step("online features", "features", "materialize")
    mlflow.wait()
    run.step("tracking", "up", "mlflow")
    run.step("model", "train", "recommend")
    if not run.serves("recommend"):
        typer.echo(
            "No model beat the baselines, so the page shows what is popular. Try more households.", err=True
        )
    run.step("decisions", "up", *(["scorer"] if run.serves("recommend") else []), "api")
    if all_models:
        for model, use in _USES.items():
            run.step(f"{model} model", "train", model)
            if run.serves(model):
                run.step(f"{model} decisions", *use)
        run.step("panel", "up", "admin")
    return {
        "households": households or "all",
        "models": [model for model in ("recommend", *_USES) if run.serves(model)],
        "seconds": run.seconds,
        "total_seconds": round(time.monotonic() - started, 1),
        "replay_to_model_seconds": round(sum(run.seconds[s] for s in _REPLAY_TO_MODEL), 1),
        "peak_memory_gb": memory.stop(),
        "cpus": os.cpu_count(),
    }


def register(app: typer.Typer) -> None:
    """Add this area's command."""
    app.command()(demo)
