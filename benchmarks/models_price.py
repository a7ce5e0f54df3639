"""The price models beside their peers: elasticities, what a policy gains, demand a week ahead; latency.

python -m benchmarks.models_price [chains] [demand]     (in .venv/peers, as `make bench-models` does)

Elasticities are judged on simulated chains (an hour), demand on the Complete Journey year (minutes) with
`sagemaker/price/train.py` run as SageMaker would. Both unless named; what is not asked for is shown as it was
measured last. Needs no engine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from benchmarks import price_chains, price_demand, training
from benchmarks.latency import beside_predict
from benchmarks.machine import describe_machine, write_result
from benchmarks.page import Table, Value
from benchmarks.price_data import year
from mercato.settings import get_settings
from mercato_models import artifact
from mercato_models.price import channels, demand, evaluation

#: Elasticities of every chain, the model's and the peers'.
PREDICTIONS = "price.parquet"
_ELASTICITY = {
    price_chains.MODEL: "model",
    "econml_trees": "EconML LinearDML, LightGBM",
    "econml_lines": "EconML LinearDML, lasso over squares and products",
    "doubleml_trees": "DoubleML PLR, LightGBM",
    "doubleml_lines": "DoubleML PLR, lasso over squares and products",
}
_SPLIT = (
    "Elasticities: 20 simulated chains of 60 products, seeds 0 to 19; scale and settings were set on seeds "
    "from 1000 on. Demand: the eight newest whole weeks, each a week ahead, by a model of the weeks before "
    "them all, of what had sold in 20 weeks before them; settings were chosen on the sixteen weeks before "
    "those (`benchmarks.price_settings`). Intervals: chains, products drawn again."
)
_NAME = "models_price"


class Part(msgspec.Struct, frozen=True):
    """What one half of the benchmark found, on which machine."""

    machine: dict[str, Any]
    tables: list[Table]
    seconds: dict[str, float]


class _Result(msgspec.Struct, frozen=True):
    parts: dict[str, Part] = {}


def main(names: list[str]) -> None:
    """Run the named parts, and write `models_price.json` and the predictions."""
    home = get_settings().home
    if unknown := set(names) - set(_PARTS):
        sys.exit(f"no part {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    parts = _measured_last(home) if names else {}
    if missing := set(_PARTS) - set(names or _PARTS) - set(parts):
        sys.exit(f"{', '.join(missing)} was not measured yet: name no part to run both")
    (home / "predictions").mkdir(parents=True, exist_ok=True)
    for name in names or _PARTS:
        parts[name] = _PARTS[name](home)
    result = {
        "split": _SPLIT,
        "seeds": list(price_chains.SEEDS),
        "predictions": PREDICTIONS,
        "tables": [table for name in _PARTS for table in parts[name].tables],
        "parts": {name: parts[name] for name in _PARTS},
    }
    print(write_result(_NAME, result))


def _measured_last(home: Path) -> dict[str, Part]:
    path = home / "bench" / f"{_NAME}.json"
    return msgspec.json.decode(path.read_bytes(), type=_Result).parts if path.is_file() else {}


def _chains(home: Path) -> Part:
    machine, started = describe_machine(), time.perf_counter()
    chains = price_chains.judge()
    rows = pd.concat([chain.elasticities for chain in chains], ignore_index=True)
    rows.to_parquet(home / "predictions" / PREDICTIONS, index=False)
    tables = [
        Table("Own-price elasticities on simulated chains", price_chains.quality(rows, _ELASTICITY)),
        Table("A policy's weekly gain, US dollars", _policies(chains)),
    ]
    return Part(machine, tables, {"chains": round(time.perf_counter() - started, 1)})


def _demand(home: Path) -> Part:
    machine, job = describe_machine(), training.job("price", home)
    job.channel.mkdir(parents=True, exist_ok=True)
    year().to_parquet(job.channel / channels.FILE, index=False)
    training.run(job)
    trained = job.metrics()
    panel = evaluation.established(channels.read(job.channel))
    features = demand.features(panel)
    judged = price_demand.beside(pd.read_parquet(job.output / channels.FORECASTS), panel, features)
    judged.to_parquet(home / "predictions" / channels.FORECASTS, index=False)
    tables = [
        Table("Demand a week ahead", price_demand.quality(judged)),
        Table("Demand a week ahead, cells that Prophet was fitted to", price_demand.prophets(judged)),
        Table("Elasticities of the real year", [_real(trained)]),
        Table("Latency, milliseconds", beside_predict(artifact.load(job.model), demand.matrix(features))),
    ]
    return Part(machine, tables, trained["seconds"])


_PARTS: Mapping[str, Callable[[Path], Part]] = {"chains": _chains, "demand": _demand}


def _policies(chains: list[price_chains.Judged]) -> list[dict[str, Value]]:
    policies = pd.DataFrame([chain.policy for chain in chains])
    error = (policies["told"] - policies["true"]).abs()
    return [
        {
            "": "doubly robust, mean over chains",
            "true gain": float(policies["true"].mean()),
            "told": float(policies["told"].mean()),
            "mean absolute error": float(error.mean()),
            "intervals that hold the truth": float(
                ((policies["low"] <= policies["true"]) & (policies["true"] <= policies["high"])).mean()
            ),
            "overlap": float(policies["overlap"].mean()),
        }
    ]


def _real(trained: dict[str, float]) -> dict[str, Value]:
    names = [name for name in trained if name.startswith("elasticity_")]
    return {name.removeprefix("elasticity_").replace("_", " "): trained[name] for name in names}


if __name__ == "__main__":
    main(sys.argv[1:])
