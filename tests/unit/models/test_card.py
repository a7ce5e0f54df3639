"""A card says what the run found, whoever reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mercato_models.card import CONTENT, MARKDOWN
from mercato_models.fraud.statement import of_run
from mercato_models.gate import Verdict
from tests.unit.models.cards import STATEMENTS, card


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_card_holds_the_runs_figures_and_the_models_statement(name: str, tmp_path: Path) -> None:
    statement = STATEMENTS[name]
    card(statement).write(tmp_path)
    page, content = (tmp_path / MARKDOWN).read_text(), json.loads((tmp_path / CONTENT).read_text())
    by_group = "35 to 54 0.350 (0.200 to 0.500) of 40; under 35 0.500 (0.300 to 0.700) of 30"
    for text in (
        *(statement.purpose, statement.misuses, "0.84 to 0.86", "0.50 to 0.90", by_group),
        "gold.basket_lines",
    ):
        assert text in page
    quality, fairness = content["evaluation_details"][0]["metric_groups"]
    assert quality["metric_data"][0] == {
        "name": "auc", "type": "number", "value": 0.85, "notes": "0.84 to 0.86",
    }  # fmt: skip
    assert [metric["type"] for metric in fairness["metric_data"]] == ["number", "string"]
    assert by_group in fairness["metric_data"][0]["notes"]
    assert content["intended_uses"]["risk_rating"] == statement.risk


def test_a_refused_model_says_why_on_its_card() -> None:
    refused = card(STATEMENTS["churn"], Verdict(("gain is -0.01, it must exceed 0.00",)))
    assert "it must exceed" in refused.markdown()
    assert "it must exceed" in refused.content()["additional_information"]["custom_details"]["gate"]


def test_a_model_of_whose_people_nothing_is_known_says_so() -> None:
    unknown = replace(card(STATEMENTS["churn"]), fairness=())
    said = "Not judged by group: no demographics given."
    assert said in unknown.markdown()
    assert unknown.content()["additional_information"]["ethical_considerations"] == said


@pytest.mark.parametrize(
    ("handbook", "said"),
    [
        (False, "The newest 5 weeks that have frauds"),
        (True, "The 5 weeks of the handbook's prequential protocol"),
    ],
)
def test_the_fraud_card_says_on_what_the_run_was_judged(handbook: bool, said: str) -> None:
    judged = of_run(5, handbook=handbook).judged
    assert judged.startswith(said)
    assert ("Nothing is known of the simulated card holders" in judged) == handbook
