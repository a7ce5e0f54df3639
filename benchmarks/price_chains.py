"""Elasticities on simulated chains beside EconML and DoubleML, and what a policy would have earned there.

The scale of the chains was set, and the model's settings were found, on seeds 1000 to 1019; these are others.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.page import Value
from mercato_models.intervals import Statistic, bootstrap
from mercato_models.price import elasticity, policy
from mercato_models.price.nuisances import Expected, Settings, expect
from mercato_models.price.panel import checked
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import World, simulate

SEEDS = tuple(range(20))
SEED, TRUTH = "seed", "true_elasticity"
MODEL = "model"
#: Cost of a unit as a share of its usual price, and the most by which the judged policy moves log prices.
_COST, _STEP = 0.55, 0.05
#: Draws of the policy's chance, from which its true value is computed.
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """One chain: rows of products, and the policy's gain, told and true."""

    elasticities: pd.DataFrame
    policy: dict[str, float]


def judge(seeds: tuple[int, ...] = SEEDS) -> list[Judged]:
    """Every chain, each on a core."""
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _alone) as pool:
        return list(tqdm(pool.map(_judge, seeds), total=len(seeds), desc="chains"))


def _alone() -> None:
    """Keep the sums of a worker to one thread."""
    import benchmarks.price_peers  # noqa: F401  (only what is loaded is limited)

    threadpool_limits(1)


def _judge(seed: int) -> Judged:
    from benchmarks.price_peers import PEERS, estimates

    world = simulate(seed)
    arrays = PanelArrays.of(checked(world.panel))
    expected = expect(arrays, Settings())
    estimated = elasticity.learn(arrays, expected)
    rows = pd.DataFrame(
        {
            SEED: seed,
            elasticity.PRODUCT: estimated.product_ids,
            TRUTH: np.diag(world.elasticity),
            elasticity.ESTIMATE: estimated.own,
            elasticity.LOW: estimated.low,
            elasticity.HIGH: estimated.high,
            "alone": estimated.alone,
        }
    )
    for name, fit in PEERS.items():
        of_peer = estimates(arrays, fit)
        for column, values in zip(_columns(name), of_peer.T, strict=True):
            rows[column] = values
    return Judged(rows, judge_policy(seed, world, arrays, expected))


def _columns(name: str) -> tuple[str, str, str]:
    if name == MODEL:
        return elasticity.ESTIMATE, elasticity.LOW, elasticity.HIGH
    return name, f"{name}_{elasticity.LOW}", f"{name}_{elasticity.HIGH}"


def judge_policy(seed: int, world: World, arrays: PanelArrays, expected: Expected) -> dict[str, float]:
    """A policy that moves each product's expected price toward its most profitable one, by a step at most.

    What is most profitable in a week is learned on others.
    """
    usual = world.log_price.mean(axis=(1, 2))
    cost = np.exp(usual) * _COST
    log_price, folds = expected.log_price.copy(), policy.crossfit(arrays, expected)
    for fold in folds:
        steep = np.minimum(fold.found.own, -1.2)
        step = np.clip(np.log(cost * steep / (1 + steep)) - usual, -_STEP, _STEP)
        log_price[fold.judged] += step[arrays.product[fold.judged]]
    value = policy.evaluate(arrays, expected, folds, log_price, cost[arrays.product])
    base, own = np.log(world.expected(world.log_price)), np.diag(world.elasticity)[:, None, None]
    prices, each = log_price.reshape(base.shape), cost[:, None, None]
    draws = np.random.default_rng(seed).normal(0, policy.JITTER, _DRAWS)
    earned = [
        ((np.exp(prices + chance) - each) * np.exp(base + own * (prices + chance - world.log_price))).mean()
        for chance in draws
    ]
    now = ((np.exp(world.log_price) - each) * np.exp(base)).mean()
    return {
        "true": float(np.mean(earned) - now),
        "told": value.gain.estimate,
        "low": value.gain.low,
        "high": value.gain.high,
        "overlap": value.overlap,
    }


def quality(rows: pd.DataFrame, names: dict[str, str]) -> list[dict[str, Value]]:
    """Error, coverage, width and bias of each; the intervals draw chains again.

    Args:
        names: by column prefix; MODEL is the first.
    """
    best = min(_mean(rows, (rows[name] - rows[TRUTH]).abs()) for name in names if name != MODEL)
    return [_quality(rows, name, title, best) for name, title in names.items()]


def _quality(rows: pd.DataFrame, name: str, title: str, best: float) -> dict[str, Value]:
    estimate, low, high = (rows[column] for column in _columns(name))
    error = (estimate - rows[TRUTH]).abs().to_numpy()
    seeds = rows[SEED].to_numpy()
    mean = bootstrap(seeds, _weighted(error))
    hit = ((low <= rows[TRUTH]) & (rows[TRUTH] <= high)).to_numpy()
    covered = bootstrap(seeds, _weighted(hit))
    return {
        "": title,
        "mean absolute error": mean.estimate,
        "95 %": f"{mean.low:.4f} to {mean.high:.4f}",
        "to the best peer's": mean.estimate / best,
        "coverage": covered.estimate,
        "coverage 95 %": f"{covered.low:.3f} to {covered.high:.3f}",
        "mean width": float((high - low).mean()),
        "bias": float((estimate - rows[TRUTH]).mean()),
    }


def _weighted(values: NDArray[Any]) -> Statistic:
    return lambda weights: float((weights * values).sum() / weights.sum())


def _mean(rows: pd.DataFrame, values: pd.Series) -> float:
    return float(values.groupby(rows[SEED]).mean().mean())
