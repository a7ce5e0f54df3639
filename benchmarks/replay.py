"""The replay, as fast as it goes, to a broker of its own.

python -m benchmarks.replay                   # the whole year: 4.6M events
python -m benchmarks.replay --households 200

Each topic is also measured by itself, because their events differ in size and in what they cost.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, write_result
from mercato.local.supervisor import Stack
from mercato.replay.events import REPLAYED
from mercato.replay.run import Outcome, Request, run
from mercato.settings import Settings, get_settings


def measure(settings: Settings, households: int | None) -> dict[str, Any]:
    """Replay the year together, then one topic at a time, each to topics of its own."""
    together = _replay(settings, Request(households=households), "all")
    alone = {
        name: _replay(settings, Request(households=households, topics=(name,)), name) for name in REPLAYED
    }
    return {
        "households": households or "all",
        "together": together,
        "by_topic": alone,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _replay(settings: Settings, request: Request, name: str) -> dict[str, Any]:
    apart = settings.model_copy(update={"home": settings.home / name, "topic_prefix": f"{name}."})
    started, worked = time.perf_counter(), time.process_time()
    outcome: Outcome = run(apart, request)
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    assert outcome.finished, f"{name}: not everything was sent"
    print(f"{name}: {outcome.sent:,} events, {outcome.rate:,.0f}/s", file=sys.stderr)
    return {
        "events": outcome.sent,
        "events_per_second": round(outcome.rate),
        "sending_seconds": round(outcome.seconds, 2),
        "reading_and_simulating_seconds": round(seconds - outcome.seconds, 2),
        "cpu_seconds": round(cpu, 2),
    }


def main() -> None:
    """Measure and write `bench/replay.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--households", type=int, help="only so many")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mercato-bench-") as folder:
        settings = Settings(home=Path(folder), jars_dir=get_settings().jars_dir)
        stack = Stack(settings)
        machine = describe_machine()
        try:
            stack.up(["kafka"])
            broker = settings.require("kafka_bootstrap")
            figures = measure(settings.model_copy(update={"kafka_bootstrap": broker}), chosen.households)
        finally:
            stack.down()
    print(write_result("replay", {"machine": machine, **figures}), file=sys.stderr)


if __name__ == "__main__":
    main()
