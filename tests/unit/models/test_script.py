"""How a training script ends, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mercato_models import script
from mercato_models.card import Card
from mercato_models.checks import CheckError
from mercato_models.churn.statement import STATEMENT
from mercato_models.fairness import FOUND, YES, Group, Ratio
from mercato_models.gate import Verdict
from mercato_models.intervals import Interval


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (CheckError("all labels are 0"), "train: all labels are 0"),
        (ValueError("no rows"), "train: no rows"),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_went_wrong_is_said_and_not_traced(raised: BaseException, said: str | int) -> None:
    def main(_arguments: list[str]) -> None:
        raise raised

    with pytest.raises(SystemExit) as ended:
        script.train(main)
    assert ended.value.code == said


def test_what_is_a_bug_is_traced() -> None:
    def main(_arguments: list[str]) -> None:
        raise TypeError("of ours")

    with pytest.raises(TypeError):
        script.train(main)


def test_figures_and_verdict_are_the_last_line_and_the_file_has_details_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    young = Group("under 35", 30, Interval(0.5, 0.3, 0.7))
    compared = Ratio("age", FOUND, Interval(0.9, 0.85, 0.95), ("35 to 54", "under 35"), (), (young,))
    card = Card(
        name="churn",
        statement=STATEMENT,
        parameters={},
        metrics={"auc": 0.5},
        verdict=Verdict(("too low",)),
        fairness=(compared,),
    )
    script.report(tmp_path, card, "3", {"seconds": {"fit": 1.5}})
    summary = {"auc": 0.5, "passes": False, "reasons": ["too low"], "version": "3"}
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == summary
    written = json.loads((tmp_path / script.METRICS).read_text())
    (ratio,) = written.pop("fairness")
    assert written == summary | {"seconds": {"fit": 1.5}}
    assert (ratio["attribute"], ratio["measure"], ratio["reached"]) == ("age", FOUND, YES)
    assert ratio["groups"][0]["rate"] == {"estimate": 0.5, "low": 0.3, "high": 0.7}
