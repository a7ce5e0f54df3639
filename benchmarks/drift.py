"""Drift detection: how often it speaks up where nothing is wrong, and where a feature is broken.

python -m benchmarks.drift        # on the datasets that `mercato train` wrote for churn, price and fraud

Each model is trained on what was known at several moments of the past, and compared with what it would have
been asked in the weeks that followed, as they were and with one feature at a time unknown. Mercato's rule
stands beside two others on the same figures: that any feature's stability index is significant, and that half
of them are, which is the share at which Evidently speaks of a dataset's drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, write_result
from mercato.contracts.durations import DAY_SECONDS
from mercato.settings import get_settings
from mercato_models.arrays import Floats32
from mercato_models.artefact import Model
from mercato_models.churn import channels as churn_channels
from mercato_models.churn import model as churn
from mercato_models.churn.features import AS_OF
from mercato_models.drift.asked import NEWEST_WEEKS
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.comparison import SIGNIFICANT, Drift, Tally
from mercato_models.drift.report import MOST_REQUESTS
from mercato_models.fraud import model as fraud
from mercato_models.fraud import payments
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES as FRAUD_FEATURES
from mercato_models.price import channels as price_channels
from mercato_models.price import demand
from mercato_models.price.panel import PANEL
from mercato_models.tracking import UNREGISTERED

#: Weeks after training at which a model is looked at; it is trained anew every week.
LAGS = (1, 2, 4, 8, 12)
#: Weeks before the end of the data at which models are trained.
_TRAINED_BEFORE = (20, 14, 8, 4)
#: Least share of the scores that a feature adds, for its loss to be one that must not go unnoticed.
ADDS = 0.02


@dataclass(frozen=True)
class Moment:
    """A model as trained at one moment, and what it was to be asked after it.

    Attributes:
        known: rows that its baseline is made of, as its training script chooses them.
        asked: rows, by weeks since the training.
    """

    model: Model
    known: Floats32
    asked: Mapping[int, Floats32]


def _churn(channel: Path) -> Iterator[Moment]:
    rows, features = churn_channels.read(channel)
    day, end = rows[AS_OF], rows[AS_OF].max()
    matrix = rows[list(features)].to_numpy(np.float32)
    for weeks in _TRAINED_BEFORE:
        now = end - 7 * weeks
        model = churn.train(rows[day <= now], features, churn.Hyperparameters())
        asked = {lag: matrix[day == now + 7 * lag] for lag in LAGS}
        yield Moment(model, matrix[(day <= now) & (day > now - 28)], asked)


def _price(channel: Path) -> Iterator[Moment]:
    panel = price_channels.read(channel)
    week, rows = panel[PANEL.c.week], demand.features(panel)
    for weeks in _TRAINED_BEFORE:
        now = week.max() - weeks
        booster = demand.fit(rows[week <= now], panel[PANEL.c.units][week <= now], demand.Hyperparameters())
        asked = {
            lag: demand.matrix(rows[(week <= now + lag) & (week > now + lag - NEWEST_WEEKS)])
            for lag in LAGS
            if now + lag <= week.max()
        }
        known = demand.matrix(rows[(week <= now) & (week > now - 13)])
        yield Moment(Model(booster, demand.FEATURES, UNREGISTERED), known, asked)


def _fraud(channel: Path) -> Iterator[Moment]:
    past = Past(payments.read(channel))
    days = past.payments.second / DAY_SECONDS
    for weeks in _TRAINED_BEFORE:
        now = days.max() - 7 * weeks
        known = days <= now
        features = past.features(learn(past.payments, past.ratio, known))
        booster = fraud.fit(
            features[known], past.payments.fraud[known], FRAUD_FEATURES, fraud.Hyperparameters()
        )
        asked = {lag: features[(days <= now + 7 * lag) & (days > now + 7 * (lag - 1))] for lag in LAGS}
        some = {
            lag: np.random.default_rng(0).permutation(rows)[:MOST_REQUESTS] for lag, rows in asked.items()
        }
        yield Moment(Model(booster, FRAUD_FEATURES, UNREGISTERED), features[known & (days > now - 28)], some)


MOMENTS: Mapping[str, Callable[[Path], Iterator[Moment]]] = {
    "churn": _churn,
    "price": _price,
    "fraud": _fraud,
}
RULES: Mapping[str, Callable[[Drift], bool]] = {
    "mercato": lambda drift: drift.drifted,
    "any_feature": lambda drift: any(each.psi > SIGNIFICANT for each in drift.shifts),
    "half_of_them": lambda drift: (
        2 * sum(each.psi > SIGNIFICANT for each in drift.shifts) >= len(drift.shifts)
    ),
}


def compared(model: Model, baseline: Baseline, rows: Floats32) -> Drift:
    """What a look at these rows would find."""
    tally = Tally(baseline)
    tally.add(rows, model.score(rows), requests=len(rows))
    return tally.drift()


def looks(name: str, moment: Moment) -> Iterator[dict[str, Any]]:
    """One look for each lag as things were, and one for each feature that is lost a week after training."""
    model, baseline = moment.model, Baseline.of(moment.model, moment.known)
    for lag, rows in moment.asked.items():
        if len(rows):
            yield {"model": name, "weeks": lag, "lost": None, **_found(compared(model, baseline, rows))}
    for number, column in enumerate(baseline.columns):
        broken = moment.asked[LAGS[0]].copy()
        broken[:, number] = np.nan
        found = _found(compared(model, baseline, broken))
        yield {"model": name, "weeks": LAGS[0], "lost": column.name, "adds": column.importance, **found}


def _found(drift: Drift) -> dict[str, Any]:
    rules = {name: rule(drift) for name, rule in RULES.items()}
    return {"score": drift.score, "inputs": drift.inputs, **rules}


def summary(made: list[dict[str, Any]]) -> dict[str, Any]:
    """By rule, how many looks of how many it took for drift."""
    kinds = {
        "as it was, up to 4 weeks": [each for each in made if not each["lost"] and each["weeks"] <= 4],
        "as it was, 8 and 12 weeks": [each for each in made if not each["lost"] and each["weeks"] > 4],
        f"lost, adds {ADDS:.0%} or more": [each for each in made if each["lost"] and each["adds"] >= ADDS],
        f"lost, adds less than {ADDS:.0%}": [each for each in made if each["lost"] and each["adds"] < ADDS],
    }
    return {
        kind: {"looks": len(of_kind)} | {rule: sum(each[rule] for each in of_kind) for rule in RULES}
        for kind, of_kind in kinds.items()
    }


def main() -> None:
    """Measure, and write `{home}/bench/drift.json`."""
    machine, made = describe_machine(), []
    for name, moments in MOMENTS.items():
        of_model = [
            look
            for moment in moments(get_settings().home / "datasets" / name / "channel")
            for look in looks(name, moment)
        ]
        made += of_model
        for kind, counts in summary(of_model).items():
            print(f"{name:<6} {kind:<28} {counts}", flush=True)
    print(write_result("drift", {"machine": machine, "summary": summary(made), "looks": made}))


if __name__ == "__main__":
    main()
