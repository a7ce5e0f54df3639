"""What every training script does: SageMaker's folders, hyperparameters as flags, seconds per stage."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from mercato.errors import MercatoError
from mercato.stopwatch import Stopwatch
from mercato_models import fairness
from mercato_models.card import Card

T = TypeVar("T")

log = logging.getLogger("train")

#: What a training found, in its output.
METRICS = "metrics.json"
_VERSIONS = "versions.json"
#: What a shell expects of a process that Ctrl-C ended.
_INTERRUPTED = 130


def parser(description: str, kind: type[Any], *channels: str) -> argparse.ArgumentParser:
    """Flags for a dataclass of hyperparameters, and for folders, which default to SM_* variables.

    Args:
        kind: the dataclass.
        channels: names of the data channels; each is a flag.
    """
    made = argparse.ArgumentParser(description=description)
    for setting in fields(kind):
        flag = f"--{setting.name.replace('_', '-')}"
        made.add_argument(flag, type=type(setting.default), default=setting.default)
    folders = {f"--{channel}": f"SM_CHANNEL_{channel.upper()}" for channel in channels}
    folders |= {"--model-dir": "SM_MODEL_DIR", "--output-data-dir": "SM_OUTPUT_DATA_DIR"}
    for flag, variable in folders.items():
        folder = os.environ.get(variable)
        made.add_argument(flag, type=Path, default=folder, required=folder is None, help=f"or {variable}")
    return made


def hyperparameters(kind: type[T], args: argparse.Namespace) -> T:
    """A dataclass of hyperparameters with what the flags gave."""
    return kind(**{field.name: getattr(args, field.name) for field in fields(kind)})  # type: ignore[arg-type]


def train(main: Callable[[list[str]], None]) -> None:
    """Run a training script's `main` on the command's arguments, or say why data cannot be learned from."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except (MercatoError, ValueError) as error:
        sys.exit(f"train: {error}")


def process(description: str, make: Callable[[Path, Path], None]) -> None:
    """Fill a training job's channel from a folder of data, or say why it cannot be learned from.

    Args:
        make: from the folder of data to that of the channel.
    """
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--channel", type=Path, required=True)
    args = made.parse_args()
    try:
        make(args.data, args.channel)
    except (MercatoError, ValueError) as error:
        sys.exit(f"process: {error}")


def copied(check: Callable[[Path], object]) -> Callable[[Path, Path], None]:
    """What `process` makes of data that are a channel already: a copy, once `check` has read them."""

    def copy(data: Path, channel: Path) -> None:
        check(data)
        shutil.copytree(data, channel, dirs_exist_ok=True)

    return copy


def write_versions(folder: Path, versions: Mapping[str, int | None]) -> None:
    """Write into a channel or a model folder which Delta version of each table it came from."""
    (folder / _VERSIONS).write_text(json.dumps(versions))


def versions(folder: Path) -> dict[str, int]:
    """Delta version by table of what a channel or a model came from; none if it does not say."""
    path = folder / _VERSIONS
    written: dict[str, int] = json.loads(path.read_text()) if path.is_file() else {}
    return written


def keep_versions(channel: Path, model: Path) -> None:
    """Write into a model folder what its channel came from, if the channel says it."""
    model.mkdir(parents=True, exist_ok=True)
    write_versions(model, versions(channel))


def report(output: Path, card: Card, version: str, details: Mapping[str, Any]) -> None:
    """Write what a training found to METRICS, and print its figures and verdict as the last line.

    Args:
        output: folder; one that is there.
        details: for METRICS alone, as is how groups of people fare.
    """
    verdict = card.verdict
    summary = {**card.metrics, "passes": verdict.passes, "reasons": list(verdict.reasons), "version": version}
    compared = {"fairness": fairness.report(card.fairness)}
    (output / METRICS).write_text(json.dumps(summary | compared | dict(details), indent=2))
    print(json.dumps(summary))


def stopwatch() -> Stopwatch:
    """One that logs each stage."""
    return Stopwatch(tell=lambda stage, seconds: log.info("%s: %.1f s", stage, seconds))
