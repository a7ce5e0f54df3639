"""The ranker on the evaluation protocol beside its baselines, and what one request costs.

python -m benchmarks.recommend                # on the lake that `mercato run` built; MLflow may run
python -m benchmarks.recommend --requests 200

Trains with `mercato train recommend`, then judges the written lists again, against last baskets read from the
Complete Journey package itself: neither Kafka nor the lake has a say in what is true.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import urllib3
from numpy.typing import NDArray

from benchmarks.latency import percentiles
from benchmarks.machine import describe_machine, write_result
from mercato.contracts.tables.predictions import RANKED_PRODUCTS
from mercato.local.ports import free_port
from mercato.replay.dataset import Dataset
from mercato.settings import get_settings
from mercato_models.launch import TrainingJob
from mercato_models.recommend import channels
from mercato_models.recommend.candidates import candidates
from mercato_models.recommend.dataset import Target
from mercato_models.recommend.evaluation import MODEL
from mercato_models.recommend.features import build
from mercato_models.recommend.metrics import quality
from mercato_models.recommend.predictions import FILES

_SERVE = Path(__file__).parents[1] / "sagemaker" / "recommend" / "serve.py"
_C = RANKED_PRODUCTS.c
_NPY = "application/x-npy"
#: Lower ends of the slices, by baskets of history and by products of the last basket.
_SLICES = {"history_baskets": (1, 20, 50), "basket_products": (1, 4, 11)}
_CONTEXT = (
    "`model` knows the last basket's store and time, and so that store's promotions of that week; "
    "`model_without_context` knows none of them. Its products are known to neither."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A test household: its list, what it bought, and how many baskets of history the model saw."""

    listed: list[int]
    truth: frozenset[int]
    baskets: int


def train() -> dict[str, Any]:
    """Run the command as a person would; processor seconds are those of all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-m", "mercato", "train", "recommend", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    metrics: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1), "metrics": metrics}


def judge_again(predictions: Path, tests: Sequence[Target]) -> list[Judged]:
    """Every written list beside the last basket of its household."""
    lines = Dataset().lines  # by time, then basket
    households, newest = np.unique(lines.household_id[::-1], return_index=True)
    last = lines.basket_id[::-1][newest]
    kept = np.isin(lines.basket_id, last)
    truths: dict[int, set[int]] = {int(household): set() for household in households}
    for household, product in zip(
        lines.household_id[kept].tolist(), lines.product_id[kept].tolist(), strict=True
    ):
        truths[household].add(product)
    written = pq.read_table(predictions)
    columns = (written[name].to_pylist() for name in (_C.household_id, _C.product_id))
    lists: dict[int, list[int]] = {}
    for household, product in zip(*columns, strict=True):
        lists.setdefault(household, []).append(product)
    return [
        Judged(lists[t.household_id], frozenset(truths[t.household_id]), t.context.history.baskets)
        for t in tests
    ]


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """Quality of these lists, with intervals, and how many there are."""
    judgement = quality([one.listed for one in judged], [one.truth for one in judged])
    return {"households": judgement.households} | {name: round(v, 4) for name, v in judgement.flat().items()}


def slices(judged: Sequence[Judged]) -> dict[str, Any]:
    """Quality where little and much is known, and where little and much was bought."""
    result: dict[str, Any] = {}
    for name, ends in _SLICES.items():
        for low, high in itertools.pairwise([*ends, sys.maxsize]):
            part = [
                one
                for one in judged
                if low <= (one.baskets if name == "history_baskets" else len(one.truth)) < high
            ]
            if part:
                label = f"{low}+" if high == sys.maxsize else f"{low}-{high - 1}"
                result.setdefault(name, {})[label] = figures(part)
    return result


def describe(channel: Path, count: int) -> tuple[list[NDArray[np.float32]], list[Target], dict[str, Any]]:
    """Candidates and features of test households: the rows, the targets, and what they cost and hold."""
    contexts = channels.read_contexts(channel)
    tests = channels.targets(contexts, channels.TEST)
    snapshots = channels.Snapshots(channel, channels.stores(contexts))
    rows, proposing, describing, found_share = [], [], [], []
    for target, catalogue in snapshots.beside(tests[:: max(1, len(tests) // count)]):
        started = time.perf_counter()
        found = candidates(target.context, catalogue)
        proposed = time.perf_counter()
        rows.append(build(target.context, catalogue, found))
        describing.append(time.perf_counter() - proposed)
        proposing.append(proposed - started)
        hits = np.isin(list(target.truth), catalogue.product_ids[found.rows])
        found_share.append(float(hits.mean()))
    return rows, tests, {
        "households": len(rows),
        "candidates": percentiles([len(each) for each in rows]),
        "candidate_recall": round(float(np.mean(found_share)), 4),
        "candidates_ms": percentiles([1000 * seconds for seconds in proposing]),
        "features_ms": percentiles([1000 * seconds for seconds in describing]),
    }  # fmt: skip


@contextmanager
def scorer(model: Path) -> Iterator[urllib3.HTTPConnectionPool]:
    """A scorer process for this model, stopped at the end.

    Raises:
        TimeoutError: it does not answer.
    """
    port = free_port()
    environment = os.environ | {"SM_MODEL_DIR": str(model), "SAGEMAKER_BIND_TO_PORT": str(port)}
    process = subprocess.Popen([sys.executable, str(_SERVE)], env=environment)
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False)
    try:
        _await_ping(pool)
        yield pool
    finally:
        process.terminate()
        process.wait()


def _await_ping(pool: urllib3.HTTPConnectionPool, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            pool.request("GET", "/ping")
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the scorer did not answer within a minute")


def invoke(
    pool: urllib3.HTTPConnectionPool, rows: Sequence[NDArray[np.float32]], requests: int
) -> list[float]:
    """Milliseconds of one request after the other, each with the rows of one household."""
    bodies = []
    for each in rows:
        buffer = io.BytesIO()
        np.save(buffer, each)
        bodies.append(buffer.getvalue())
    taken = []
    for number in range(requests):
        started = time.perf_counter()
        answer = pool.request(
            "POST", "/invocations", body=bodies[number % len(bodies)], headers={"Content-Type": _NPY}
        )
        taken.append(1000 * (time.perf_counter() - started))
        if answer.status != 200:
            raise RuntimeError(f"the scorer refused: {answer.data.decode()}")
    return taken


def main() -> None:
    """Train, judge, measure, and write `{home}/bench/recommend.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000, help="to the scorer")
    chosen = parser.parse_args()
    home = get_settings().home
    folder = home / "datasets" / "recommend"
    machine = describe_machine()
    trained = train()
    rows, tests, cost = describe(folder / "channel", 300)
    judged = judge_again(home / "predictions" / FILES[MODEL], tests)
    with scorer(folder / "model") as pool:
        invoke(pool, rows, 50)  # warm
        latency = percentiles(invoke(pool, rows, chosen.requests))
    stages = TrainingJob.within("recommend", folder).metrics()["seconds"]
    write_result(
        "recommend",
        {
            "machine": machine,
            "context": _CONTEXT,
            "training": trained | {"script_seconds": stages},
            "judged_again": figures(judged) | {"slices": slices(judged)},
            "per_household": cost,
            "scorer_ms": latency,
        },
    )


if __name__ == "__main__":
    main()
