"""The churn model beside BG/NBD, Pareto/NBD, LightGBM and recency on the newest days; how fast it answers.

python -m benchmarks.models_churn

Reads the Complete Journey package itself, trains with `sagemaker/churn/train.py` as SageMaker would, gives
each peer the same days, then judges all of them from the written probabilities. Needs no engine.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from benchmarks import fairness, household_value, training
from benchmarks.latency import beside_predict
from benchmarks.machine import describe_machine, write_result
from benchmarks.page import Table, Value
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.replay.dataset import Dataset
from mercato.replay.dataset import demographics as recorded_people
from mercato.settings import get_settings
from mercato_models import artifact, demographics
from mercato_models.churn import NAME, bgnbd, channels, evaluation, paretonbd
from mercato_models.churn.channels import HOUSEHOLD
from mercato_models.churn.days import HORIZON_DAYS
from mercato_models.churn.features import AS_OF, LABEL, baskets
from mercato_models.churn.model import Hyperparameters, known_at
from mercato_models.churn.value import VALUE_DAYS
from mercato_models.intervals import Interval

_L = BASKET_LINES.c
_BG_NBD, _PARETO_NBD, _LIGHTGBM = "bg_nbd", "pareto_nbd", "lightgbm"
_NAMES = {
    evaluation.PROBABILITY: "model",
    _LIGHTGBM: "LightGBM, defaults, same features",
    _BG_NBD: "BG/NBD",
    _PARETO_NBD: "Pareto/NBD",
    evaluation.RECENCY: "recency",
}
_SPLIT = (
    "Newest five as-of days, two weeks apart; each is judged by a model that knows only labels whose window "
    "ended by that day. Settings were chosen on as-of days 168 to 252. Intervals: households drawn again."
)


def main() -> None:
    """Train, judge beside the peers, measure, and write `models_churn.json` and the predictions."""
    home = get_settings().home
    job = training.job("churn", home)
    machine, lines = describe_machine(), _lines()
    channels.write(job.channel, lines, datetime.now(UTC))  # all days of the year are over
    demographics.write(job.channel, recorded_people())
    started = time.perf_counter()
    training.run(job)
    seconds = round(time.perf_counter() - started, 1)
    (home / "predictions").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(job.output / channels.FILE, home / "predictions" / channels.FILE)
    rows, features = channels.read(job.channel)
    history = baskets(lines, lines[_L.basket_time].min().normalize())
    judged = pd.read_parquet(job.output / channels.FILE).merge(
        _peers(rows, features, history), on=[AS_OF, HOUSEHOLD]
    )
    intervals = evaluation.intervals(judged, list(_NAMES))
    fair = evaluation.fairness(judged, demographics.groups(job.channel, judged[HOUSEHOLD], NAME))
    trained = job.metrics()
    latency = beside_predict(artifact.load(job.model), rows[list(features)].to_numpy(np.float32))
    result = {
        "machine": machine,
        "split": _SPLIT,
        "seeds": [Hyperparameters().seed],
        "predictions": channels.FILE,
        "tables": [
            Table("Quality", [_quality(intervals, column) for column in _NAMES]),
            Table("Calibration", [_calibration(trained)]),
            Table(f"Fairness, the likeliest {evaluation.FLAGGED:.0%} of a day flagged", fairness.rows(fair)),
            Table(f"Spend in the next {VALUE_DAYS} days, USD", household_value.table(history)),
            Table("Latency, milliseconds", latency),
        ],
        "seconds": {"training": seconds} | trained["seconds"],
    }
    print(write_result("models_churn", result))


def _lines() -> pd.DataFrame:
    """What gold.basket_lines holds that the features need."""
    read = Dataset().lines
    names = (_L.household_id, _L.basket_id, _L.store_id, _L.sales_value,
             _L.retail_disc, _L.coupon_disc, _L.coupon_match_disc)  # fmt: skip
    lines = pd.DataFrame({name: getattr(read, name) for name in names})
    times = pd.Series(pd.to_datetime(read.time, unit="us", utc=True))
    return lines.assign(**{_L.basket_time: times.groupby(lines[_L.basket_id]).transform("max")})


def _peers(rows: pd.DataFrame, features: tuple[str, ...], history: pd.DataFrame) -> pd.DataFrame:
    """Probability to stay away by each peer, from what was known at each judged day, and recency."""
    made, columns = [], list(features)
    for day, active in channels.judged(rows).groupby(AS_OF):
        as_of = float(str(day))
        known = bgnbd.summary(history, as_of)
        learner = lightgbm.LGBMClassifier(verbose=-1, n_jobs=1)
        past = known_at(rows, as_of)
        learner.fit(past[columns], past[LABEL])
        scored = {_LIGHTGBM: learner.predict_proba(active[columns])[:, 1]}
        all_known, asked = bgnbd.Summary.of(known), bgnbd.Summary.of(known.loc[active[HOUSEHOLD]])
        for name, peer in ((_BG_NBD, bgnbd.fit(all_known)), (_PARETO_NBD, paretonbd.fit(all_known))):
            scored[name] = peer.silence(asked, HORIZON_DAYS / bgnbd.WEEK)
        made.append(active[[AS_OF, HOUSEHOLD, evaluation.RECENCY]].assign(**scored))
    return pd.concat(made, ignore_index=True)


def _quality(intervals: dict[str, Interval], column: str) -> dict[str, Value]:
    row: dict[str, Value] = {"": _NAMES[column]}
    for measure, name in (("auc", "AUC"), ("average_precision", "AP")):
        row |= _cells(name, intervals[f"{column}_{measure}"])
        row |= _cells(f"gain in {name}", intervals.get(f"gain_over_{column}_{measure}"))
    return row


def _calibration(trained: Mapping[str, Any]) -> dict[str, Value]:
    ends = (trained[f"{evaluation.EXPECTED}{end}"] for end in ("", "_low", "_high"))
    error = {"expected calibration error": trained["calibration_error"]}
    return error | _cells("expected to observed leavers", Interval(*ends))


def _cells(name: str, interval: Interval | None) -> dict[str, Value]:
    if interval is None:
        return {name: None, f"{name} 95 %": None}
    return {name: interval.estimate, f"{name} 95 %": f"{interval.low:.4f} to {interval.high:.4f}"}


if __name__ == "__main__":
    main()
