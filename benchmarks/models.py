"""All models beside their peers, one JSON and one page: `python -m benchmarks.models [NAME ...]`.

`make bench-models`. Runs `benchmarks.models_NAME` for each model; what it writes to `bench/models_NAME.json`
must hold what `Report` says. Then `bench/models.json` holds all of them, and `bench/models.html` shows them.
Models not asked for are shown as they were measured last.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.machine import write_result
from benchmarks.page import Section, Table, render
from mercato.settings import get_settings

#: The ranker's lists come from `mercato train recommend`, on the lake that the demo fills.
MODELS = ("recommend", "churn", "fraud", "price")
_PAGE = "models.html"


class Report(msgspec.Struct, frozen=True):
    """What each benchmark of a model says of itself.

    Attributes:
        split: which rows were learned from, which were judged, how often these were looked at.
        seeds: of everything drawn at random.
        tables: quality with intervals beside each peer, slices, latency.
        predictions: file in `{home}/predictions` that scores can be computed from again.
    """

    split: str
    seeds: list[int]
    tables: list[Table]
    predictions: str


def main(names: list[str]) -> int:
    """Run the named models' benchmarks, all by default, and write what all of them found."""
    if unknown := set(names) - set(MODELS):
        sys.exit(f"no model {', '.join(sorted(unknown))}; there are {', '.join(MODELS)}")
    ended = {name: _run(name) for name in names or MODELS}
    folder = get_settings().home / "bench"
    reports = {name: report for name in MODELS if (report := _read(folder / f"models_{name}.json"))}
    failed = [name for name, succeeded in ended.items() if not succeeded or name not in reports]
    write_result("models", {name: msgspec.to_builtins(report) for name, report in reports.items()})
    sections = [
        Section(name.capitalize(), [("Split", report.split), ("Seeds", str(report.seeds)[1:-1]),
                                    ("Predictions", f"predictions/{report.predictions}")], report.tables)
        for name, report in reports.items()
    ]  # fmt: skip
    page = folder / _PAGE
    page.write_text(render("Mercato's models beside their peers", sections))
    print(page)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str) -> bool:
    command = [sys.executable, "-m", f"benchmarks.models_{name}"]
    print(f"==> python {' '.join(command[1:])}", file=sys.stderr)
    started = time.monotonic()
    succeeded = subprocess.run(command, check=False).returncode == 0
    print(f"    {time.monotonic() - started:.0f} s", file=sys.stderr)
    return succeeded


def _read(path: Path) -> Report | None:
    """The report; `None`, and said so, if there is none that holds what it must."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        print(f"{path} is not shown: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
