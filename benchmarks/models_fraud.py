"""The fraud model on the prequential folds beside its peers, what its decisions cost, how fast it answers.

python -m benchmarks.models_fraud

Simulates the payments, trains with `sagemaker/fraud/train.py` as SageMaker would, then judges the written
scores again from the file alone. Needs no engine.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks import training
from benchmarks.latency import beside_predict, percentiles
from benchmarks.machine import describe_machine, write_result
from benchmarks.page import Table, Value
from mercato.decisions.fraud import CODES, Action, Costs, decide
from mercato.online.payments import (
    AMOUNTS,
    KEEP_OUTCOMES,
    KEEP_PAYMENTS,
    OUTCOMES,
    Card,
    Known,
    Paid,
    Terminal,
)
from mercato.online.session import micros, moment
from mercato.settings import get_settings
from mercato_models import servable
from mercato_models.fraud import live, payments
from mercato_models.fraud.evaluation import (
    COMPARED,
    HANDBOOK,
    HANDBOOK_FORTNIGHT,
    HANDBOOK_WEEK,
    MODEL,
    MODEL_FORTNIGHT,
    MODEL_WEEK,
    gain,
)
from mercato_models.fraud.model import Hyperparameters
from mercato_models.fraud.simulator import simulate
from mercato_models.fraud.state import FEATURES
from mercato_models.reasons import contributions

_PREDICTIONS = f"{payments.SCORED.short_name}.parquet"
_C = payments.SCORED.c
_NAMES = {
    MODEL: "model, all of the past",
    HANDBOOK: "the handbook's features, all of the past",
    MODEL_FORTNIGHT: "model, two weeks of training",
    HANDBOOK_FORTNIGHT: "the handbook's features, two weeks of training",
    MODEL_WEEK: "model, a week of training",
    HANDBOOK_WEEK: "the handbook's features, a week of training",
}
_MEASURES = {"average_precision": "AP", "card_precision_at_100": "CP@100", "roc_auc": "AUC"}
#: What the model should gain in AP over the handbook's features.
_GAIN = 0.08
_SPLIT = (
    "Four folds of the Fraud Detection Handbook: training weeks from 2018-07-25 on, a week of delay, a week "
    "of test. Learned from is that week, two weeks or all payments up to its end. Features look back as far "
    "as they are made to in both: the handbook's 37 days, the model's over a terminal's newest "
    f"{OUTCOMES} outcomes and a customer's newest {AMOUNTS} payments. Settings were "
    "chosen on the four weeks before, with two weeks of training for each side by itself. Intervals: "
    "customers drawn again. Nothing is known of the simulated customers, so no groups are compared."
)
_WARM, _TIMED = 100, 2_000
_MICROS = 1_000_000


def main() -> None:
    """Run all of it and write `models_fraud.json` and the predictions."""
    home = get_settings().home
    job = training.job("fraud", home)
    machine = describe_machine()
    made, _ = simulate()
    payments.write(job.channel, made)
    training.run(job, "--weeks", "handbook")
    (home / "predictions").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(job.output / _PREDICTIONS, home / "predictions" / _PREDICTIONS)
    trained = job.metrics()
    result = {
        "machine": machine,
        "split": _SPLIT,
        "seeds": [Hyperparameters().seed],
        "predictions": _PREDICTIONS,
        "tables": [
            Table("Quality, mean over folds", [_quality(trained, name) for name in _NAMES]),
            Table(
                "Paired gain in AP, XGBoost on both sides",
                [_gain(trained, *pair) for pair in COMPARED],
            ),
            Table("Judged again from the file", _judge(job.output / _PREDICTIONS)),
            Table("Decisions over the test weeks", _decisions(job.output / _PREDICTIONS, Costs())),
            Table("Latency, milliseconds", _latency(made, job.model)),
        ],
        "seconds": trained["seconds"],
        "by_fold": trained["by_fold"],
    }
    print(write_result("models_fraud", result))


def _judge(path: Path) -> list[dict[str, Value]]:
    """AP and AUC by scikit-learn, mean over folds."""
    scored = pq.read_table(path)
    fold, label = (scored[name].to_numpy() for name in (_C.fold, _C.label))
    parts = [fold == number for number in np.unique(fold)]
    rows: list[dict[str, Value]] = []
    for name, learner in _NAMES.items():
        score = scored[_C.score if name == MODEL else name].to_numpy()
        judged = {
            title: float(np.mean([measured(label[at], score[at]) for at in parts]))
            for title, measured in (("AP", average_precision_score), ("AUC", roc_auc_score))
        }
        rows.append({"": learner, **judged})
    return rows


def _quality(trained: dict[str, Any], name: str) -> dict[str, Value]:
    row: dict[str, Value] = {"": _NAMES[name]}
    for measure, title in _MEASURES.items():
        row |= {title: trained[f"{name}_{measure}"], f"{title} sd": trained[f"{name}_{measure}_sd"]}
    return row


def _gain(trained: dict[str, Any], ours: str, theirs: str) -> dict[str, Value]:
    name = gain(ours, theirs)
    low, high = (trained[f"{name}_{end}"] for end in ("low", "high"))
    return {
        "": f"{_NAMES[ours]}, over {_NAMES[theirs]}",
        "gain": trained[name],
        "95 %": f"{low:.3f} to {high:.3f}",
        f"{_GAIN} reached": trained[name] >= _GAIN and low > 0,
    }


def _decisions(path: Path, costs: Costs) -> list[dict[str, Value]]:
    """What each action was taken for and cost over the test weeks, beside letting every payment pass."""
    scored = pq.read_table(path)
    columns = [scored[name].to_pylist() for name in (_C.amount, _C.label, _C.probability)]
    lost = dict.fromkeys(Action, 0.0)
    count = dict.fromkeys(Action, 0)
    for amount, fraud, probability in zip(*columns, strict=True):
        action = decide(probability, amount, costs)
        count[action] += 1
        lost[action] += costs.expected(float(fraud), amount)[action]
    amounts, labels = np.array(columns[0]), np.array(columns[1])
    made: list[dict[str, Value]] = [
        {"": action.value, "payments": count[action], "cost": round(lost[action], 2)} for action in Action
    ]
    made.append({"": "all by cost", "payments": len(amounts), "cost": round(sum(lost.values()), 2)})
    approved = round(float(amounts[labels].sum()), 2)
    return [*made, {"": "approve everything", "payments": len(amounts), "cost": approved}]


def _latency(made: payments.Payments, model: Path) -> list[dict[str, Value]]:
    """One payment from what is remembered to its reasons, and scores alone, beside XGBoost's own predict."""
    served = servable.load(model)
    whole, rows = [], []
    start = made.start.astype("datetime64[us]").item().replace(tzinfo=UTC)
    times = (micros(start) + _MICROS * made.second).tolist()
    amounts, frauds = made.amount.tolist(), made.fraud.tolist()
    for number in range(len(made) - _WARM - _TIMED, len(made)):
        of_card = _newest(made.customer, number, KEEP_PAYMENTS)
        card = Card(tuple(Paid(times[each], str(each), amounts[each]) for each in of_card))
        at_terminal = _newest(made.terminal, number, KEEP_OUTCOMES)
        terminal = Terminal(
            tuple(Known(times[each], str(each), frauds[each], 1.0, times[each]) for each in at_terminal)
        )
        paid_at = moment(times[number])
        before = time.perf_counter()
        row = served.rows(live.given(card, terminal, paid_at, amounts[number]))
        served.model.score(row)
        shares = zip(FEATURES, contributions(served.model, row)[0].tolist(), strict=True)
        CODES.strongest(shares, dict(zip(FEATURES, row[0].tolist(), strict=True)))
        whole.append(1000 * (time.perf_counter() - before))
        rows.append(row[0])
    return [
        {"": "features, score and reasons", "rows": 1, **percentiles(whole[_WARM:], (50, 99))},
        *beside_predict(served.model, np.array(rows)),
    ]


def _newest(entity: NDArray[np.int64], number: int, most: int) -> list[int]:
    """The newest payments of the entity of a payment, before it."""
    newest: list[int] = np.flatnonzero(entity[:number] == entity[number])[-most:].tolist()
    return newest


if __name__ == "__main__":
    main()
