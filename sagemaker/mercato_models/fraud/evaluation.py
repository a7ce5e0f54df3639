"""The model on the prequential folds, beside the same learner over the handbook's features."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from mercato_models.arrays import Floats32, Ints, Mask
from mercato_models.calibration import Calibration
from mercato_models.curves import Curve
from mercato_models.fraud import handbook, probability
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.model import Hyperparameters, fit, score
from mercato_models.fraud.payments import SCORED, Payments, PaymentsError
from mercato_models.fraud.protocol import Fold, folds, measure
from mercato_models.fraud.replay import Past
from mercato_models.fraud.state import FEATURES
from mercato_models.gate import Verdict, above
from mercato_models.intervals import Statistic, bootstrap, paired

log = logging.getLogger("fraud")

_C = SCORED.c
MODEL, HANDBOOK = "model", _C.handbook
#: Metric: frauds among suspicious payments over their expected number.
FOUND_OF_EXPECTED = "found_of_expected"
#: The same two, learned from the rows of the newest two weeks, and of the training week alone.
MODEL_FORTNIGHT, HANDBOOK_FORTNIGHT = _C.model_fortnight, _C.handbook_fortnight
MODEL_WEEK, HANDBOOK_WEEK = _C.model_week, _C.handbook_week
#: Whose gain in average precision over whom is reported.
COMPARED = (
    (MODEL, HANDBOOK),
    (MODEL_FORTNIGHT, HANDBOOK_FORTNIGHT),
    (MODEL_WEEK, HANDBOOK_WEEK),
    (MODEL, HANDBOOK_WEEK),
)
#: Settings that were each side's best on the validation weeks with two weeks to learn from.
_OURS: Mapping[str, float] = {"learning_rate": 0.025, "rounds": 300}
_THEIRS: Mapping[str, float] = {"learning_rate": 0.025, "rounds": 600, "colsample": 0.8}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run found.

    Attributes:
        metrics: measures by name, each the mean over folds, with their spread and the paired gains.
        by_fold: the same by fold, one mapping of each learner's measures.
        scored: every test row in the form of SCORED.
        calibration: of the model's scores, learned from all folds.
        verdict: passes if the model is certainly better than the same learner over the handbook's features
            and week of training, and likely better than with as long a past.
    """

    metrics: dict[str, float]
    by_fold: list[dict[str, float]]
    scored: pa.Table
    calibration: Calibration
    verdict: Verdict


def evaluate(past: Past, parameters: Hyperparameters, starts: tuple[np.datetime64, ...]) -> Evaluation:
    """Train and test on every fold: the model and its peer, each on all of the past, two weeks and one.

    Weeks are learned from whole, whatever `honest` says: they are short enough. With two of them each side
    has the settings that were its own best on the validation weeks, unless others were given.

    Args:
        starts: first days of the training weeks.

    Raises:
        PaymentsError: no week has frauds to learn from and to find.
    """
    payments, peer = past.payments, handbook.features(past.payments)
    whole = replace(parameters, honest=1.0)
    ours, theirs = _fortnights(whole, _OURS), _fortnights(whole, _THEIRS)
    tested: list[tuple[Fold, dict[str, Floats32]]] = []
    for fold in _telling(payments, starts):
        scores = {
            MODEL: _model(past, fold.past, fold, parameters),
            MODEL_FORTNIGHT: _model(past, fold.fortnight, fold, ours),
            MODEL_WEEK: _model(past, fold.week, fold, whole),
            HANDBOOK: _peer(payments, peer, fold.past, fold, parameters),
            HANDBOOK_FORTNIGHT: _peer(payments, peer, fold.fortnight, fold, theirs),
            HANDBOOK_WEEK: _peer(payments, peer, fold.week, fold, whole),
        }
        tested.append((fold, scores))
        log.info(
            "fold %d: AP %.4f", fold.number, measure(payments, fold.test, scores[MODEL])["average_precision"]
        )
    by_fold = [
        {f"{name}_{measured}": value
         for name, scored in scores.items()
         for measured, value in measure(payments, fold.test, scored).items()}
        for fold, scores in tested
    ]  # fmt: skip
    values = {name: [of[name] for of in by_fold] for name in by_fold[0]}
    metrics = {name: float(np.mean(of)) for name, of in values.items()}
    metrics |= {f"{name}_sd": float(np.std(of)) for name, of in values.items()}
    metrics |= _gains(payments, tested)
    certain = metrics[f"{gain(MODEL, HANDBOOK_WEEK)}_low"]
    likely = metrics[gain(MODEL, HANDBOOK)]
    verdict = above("the least gain over the handbook's features and week of training", certain, 0)
    verdict += above("the gain over the handbook's features with as long a past", likely, 0)
    raw, frauds = [scores[MODEL] for _, scores in tested], [payments.fraud[fold.test] for fold, _ in tested]
    probabilities = probability.by_fold(raw, frauds)
    metrics |= _found(payments, tested, probabilities)
    scored = [
        _scored(payments, fold, scores | {_C.probability: calibrated})
        for (fold, scores), calibrated in zip(tested, probabilities, strict=True)
    ]
    return Evaluation(metrics, by_fold, pa.concat_tables(scored), probability.learn(raw, frauds), verdict)


def _found(
    payments: Payments, tested: Sequence[tuple[Fold, object]], probabilities: Sequence[Floats32]
) -> dict[str, float]:
    """Whether probabilities are right, over the folds that have others before them."""
    rows = [fold.test for fold, _ in tested]
    later = slice(1 if len(rows) > 1 else 0, None)
    known = np.concatenate(rows[later])
    said = np.concatenate(probabilities[later])
    if not (said >= probability.SUSPICIOUS).any():
        return {}
    found = probability.found_of_expected(said, payments.fraud[known], payments.customer[known])
    return found.flat(FOUND_OF_EXPECTED)


def gain(ours: str, theirs: str) -> str:
    """Metric name of a paired gain in average precision; its interval's ends add `_low` and `_high`."""
    return f"{ours}_gain_over_{theirs}"


def _fortnights(parameters: Hyperparameters, own: Mapping[str, float]) -> Hyperparameters:
    """A side's own settings for two weeks; those given, where one of them is not the default.

    They were found together, so that one of them is not kept beside another that was given.
    """
    asked, default = parameters.as_dict(), Hyperparameters().as_dict()
    return parameters if any(asked[name] != default[name] for name in own) else replace(parameters, **own)  # type: ignore[arg-type]


def _telling(payments: Payments, starts: tuple[np.datetime64, ...]) -> list[Fold]:
    """The folds whose training week and test hold both frauds and honest payments.

    Raises:
        PaymentsError: there is none.
    """
    every = list(folds(payments, starts))
    usable = [fold for fold in every if all(_both(payments.fraud[rows]) for rows in (fold.week, fold.test))]
    if not usable:
        raise PaymentsError(
            f"none of {len(every)} weeks of test has frauds in it and in its week of training; of all "
            f"{len(payments)} payments {payments.fraud.sum()} are frauds: more payments are needed"
        )
    if left_out := len(every) - len(usable):
        log.warning("%d of %d weeks of test have no frauds to learn from or to find", left_out, len(every))
    return usable


def _scored(payments: Payments, fold: Fold, scores: Mapping[str, Floats32]) -> pa.Table:
    number = np.full(len(fold.test), fold.number)
    columns = {_C.score if name == MODEL else name: each for name, each in scores.items()}
    return payments.table(fold.test, **{_C.fold: number}, **columns)


def _both(fraud: Mask) -> bool:
    return bool(fraud.any() and not fraud.all())


def _model(past: Past, rows: Ints, fold: Fold, parameters: Hyperparameters) -> Floats32:
    known = np.zeros(len(past.payments), bool)
    known[rows] = True
    features = past.features(learn(past.payments, past.ratio, known))
    booster = fit(features[rows], past.payments.fraud[rows], FEATURES, parameters)
    return score(booster, features[fold.test])


def _peer(
    payments: Payments,
    features: Floats32,
    rows: Ints,
    fold: Fold,
    parameters: Hyperparameters,
) -> Floats32:
    booster = fit(features[rows], payments.fraud[rows], handbook.FEATURES, parameters)
    return score(booster, features[fold.test])


def _gains(payments: Payments, tested: Sequence[tuple[Fold, Mapping[str, Floats32]]]) -> dict[str, float]:
    """Average precision and the gains of COMPARED, with intervals from drawing customers again."""
    customers = np.concatenate([payments.customer[fold.test] for fold, _ in tested])
    labels = payments.fraud.astype(np.float32)
    ends = np.cumsum([len(fold.test) for fold, _ in tested])[:-1]

    def mean_precision(name: str) -> Statistic:
        curves = [Curve(labels[fold.test], scores[name]) for fold, scores in tested]
        return lambda weights: float(
            np.mean([curve.average_precision(part)
                     for curve, part in zip(curves, np.split(weights, ends), strict=True)])
        )  # fmt: skip

    intervals: dict[str, float] = {}
    for name in (MODEL, MODEL_FORTNIGHT, MODEL_WEEK):
        intervals |= bootstrap(customers, mean_precision(name)).flat(f"{name}_average_precision")
    for ours, theirs in COMPARED:
        drawn = paired(customers, mean_precision(ours), mean_precision(theirs))
        intervals |= drawn.flat(gain(ours, theirs))
    return intervals
