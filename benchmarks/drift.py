"""Drift detection: how often it speaks up where nothing is wrong, and where a feature is broken.

python -m benchmarks.drift        # on the datasets that `mercato train` wrote for churn, price and fraud

Each model is trained on what was known at several moments of the past, and compared with what it would have
been asked in the weeks that followed, as they were and with one feature at a time broken. Mercato's rule
stands beside two others on the same figures: that the stability index of any feature which does not only ever
grow is significant, and that half of all are, the share at which Evidently speaks of a dataset's drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, write_result
from mercato.contracts.durations import DAY_SECONDS
from mercato.settings import get_settings
from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.churn import channels as churn_channels
from mercato_models.churn import model as churn
from mercato_models.churn.days import HORIZON_DAYS
from mercato_models.churn.features import AS_OF
from mercato_models.churn.features import GROWING as CHURN_GROWING
from mercato_models.drift.baseline import Baseline
from mercato_models.drift.comparison import SIGNIFICANT, Drift, Tally
from mercato_models.drift.report import CAPTURED
from mercato_models.fraud import model as fraud
from mercato_models.fraud import payments
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES as FRAUD_FEATURES
from mercato_models.fraud.state import GROWING as FRAUD_GROWING
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
        growing: its features that only ever grow.
        asked: rows, by weeks since the training.
    """

    model: Model
    known: Floats32
    growing: Sequence[str]
    asked: Mapping[int, Floats32]


def _churn(channel: Path) -> Iterator[Moment]:
    rows, features = churn_channels.read(channel)
    day, end = rows[AS_OF], rows[AS_OF].max()
    matrix = rows[list(features)].to_numpy(np.float32)
    for weeks in _TRAINED_BEFORE:
        now = end - 7 * weeks
        model = churn.train(rows[day <= now], features, churn.Hyperparameters())
        # Trained once the newest labels are known.
        asked = {lag: matrix[day == now + HORIZON_DAYS + 7 * lag] for lag in LAGS}
        yield Moment(model, matrix[(day <= now) & (day > now - 28)], CHURN_GROWING, asked)


def _price(channel: Path) -> Iterator[Moment]:
    panel = price_channels.read(channel)
    week, rows = panel[PANEL.c.week], demand.features(panel)
    for weeks in _TRAINED_BEFORE:
        now = week.max() - weeks
        booster = demand.fit(rows[week <= now], panel[PANEL.c.units][week <= now], demand.Hyperparameters())
        asked = {lag: demand.matrix(rows[week == now + lag]) for lag in LAGS}
        known = demand.matrix(rows[(week <= now) & (week > now - 13)])
        yield Moment(Model(booster, demand.FEATURES, UNREGISTERED), known, demand.GROWING, asked)


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
        draw, most = np.random.default_rng(0), CAPTURED["fraud"]
        some = {lag: draw.permutation(rows)[:most] for lag, rows in asked.items()}
        newest = features[known & (days > now - 28)]
        yield Moment(Model(booster, FRAUD_FEATURES, UNREGISTERED), newest, FRAUD_GROWING, some)


MOMENTS: Mapping[str, Callable[[Path], Iterator[Moment]]] = {
    "churn": _churn,
    "price": _price,
    "fraud": _fraud,
}
#: How a feature breaks: from its values to others.
BREAKS: Mapping[str, Callable[[Floats32], Floats32]] = {
    "lost": lambda values: np.full_like(values, np.nan),
    "always 0": np.zeros_like,
    "always its median": lambda values: np.full_like(values, np.nanmedian(values)),
    "lost in every other row": lambda values: np.where(np.arange(len(values)) % 2, values, np.nan),
}
RULES: Mapping[str, Callable[[Drift], bool]] = {
    "mercato": lambda drift: drift.drifted,
    "any_feature": lambda drift: any(each.psi > SIGNIFICANT for each in drift.shifts if not each.grows),
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
    """One look for each lag as things were; a week after training one for each feature and each way to break.

    A feature that adds nothing to the scores is not broken.
    """
    model, baseline = moment.model, Baseline.of(moment.model, moment.known, growing=moment.growing)
    for lag, rows in moment.asked.items():
        if len(rows):
            yield {"model": name, "weeks": lag, "broken": None, **_found(compared(model, baseline, rows))}
    asked = moment.asked[LAGS[0]]
    for number, column in enumerate(baseline.columns if len(asked) else ()):
        for how, breaks in BREAKS.items() if column.importance else ():
            broken = asked.copy()
            broken[:, number] = breaks(asked[:, number])
            found = _found(compared(model, baseline, broken))
            yield {
                "model": name,
                "weeks": LAGS[0],
                "broken": how,
                "feature": column.name,
                "adds": column.importance,
                **found,
            }


def _found(drift: Drift) -> dict[str, Any]:
    rules = {name: rule(drift) for name, rule in RULES.items()}
    return {"score": drift.score, "inputs": drift.inputs, **rules}


def summary(made: list[dict[str, Any]]) -> dict[str, Any]:
    """By rule, how many looks of how many it took for drift."""
    whole = [each for each in made if not each["broken"]]
    kinds = {
        "as it was, up to 4 weeks": [each for each in whole if each["weeks"] <= 4],
        "as it was, 8 and 12 weeks": [each for each in whole if each["weeks"] > 4],
    }
    for how in BREAKS:
        broken = [each for each in made if each["broken"] == how]
        kinds[f"{how}, adds {ADDS:.0%} or more"] = [each for each in broken if each["adds"] >= ADDS]
        kinds[f"{how}, adds less"] = [each for each in broken if each["adds"] < ADDS]
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
            print(f"{name:<6} {kind:<44} {counts}", flush=True)
    print(write_result("drift", {"machine": machine, "summary": summary(made), "looks": made}))


if __name__ == "__main__":
    main()
