"""Model cards: what a model is for, what it learned from, how it was judged; made of its training run.

One card as Markdown for people and as SageMaker's model card content (schema 1.0). What no run can know, what
the model is meant for and what it is not, each model states once (`statement.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mercato_models.fairness import GATE, Ratio
from mercato_models.gate import Verdict

MARKDOWN, CONTENT = "card.md", "card.json"
#: SageMaker takes no more in a group of metrics.
_MAX_METRICS = 50
_ENDS = ("_low", "_high")


class Risk(StrEnum):
    """SageMaker's ratings."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What people decided about a model.

    Attributes:
        purpose: what it predicts, in one sentence.
        uses: what its scores are for.
        misuses: what they are not for.
        data: what it learns from.
        judged: on what, and how its intervals are made.
        caveats: what a user must know.
        risk, risk_why: of harm to people by a wrong score.
    """

    purpose: str
    uses: str
    misuses: str
    data: str
    judged: str
    caveats: str
    risk: Risk
    risk_why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A statement and a run.

    Attributes:
        name: of the model, its experiment and its versions in the registry.
        metrics: by name; `x_low` and `x_high` are the ends of the interval of `x`.
        data_versions: Delta version by table.
        fairness: least ratios between groups, none where nothing is known of people.
    """

    name: str
    statement: Statement
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    verdict: Verdict
    data_versions: Mapping[str, int] = field(default_factory=dict)
    fairness: Sequence[Ratio] = ()

    def content(self) -> dict[str, Any]:
        """SageMaker's model card content, the same for the same run whatever version it becomes."""
        statement = self.statement
        datasets = [f"{table}, version {version}" for table, version in sorted(self.data_versions.items())]
        groups = [{"name": "quality", "metric_data": [_metric(*each) for each in self._shown()]}]
        if self.fairness:
            groups.append({"name": "fairness", "metric_data": [_fair(ratio) for ratio in self.fairness]})
        return {
            "model_overview": {
                "model_description": statement.purpose,
                "model_creator": "Mercato",
                "algorithm_type": "XGBoost",
            },
            "intended_uses": {
                "purpose_of_model": statement.purpose,
                "intended_uses": f"{statement.uses} Not for: {statement.misuses}",
                "factors_affecting_model_efficiency": statement.caveats,
                "risk_rating": statement.risk.value,
                "explanations_for_risk_rating": statement.risk_why,
            },
            "business_details": {"business_problem": statement.uses},
            "training_details": {
                "training_observations": statement.data,
                "training_job_details": {
                    "training_datasets": datasets,
                    "user_provided_hyper_parameters": [
                        {"name": name, "value": str(value)} for name, value in self.parameters.items()
                    ],
                },
            },
            "evaluation_details": [
                {"name": self.name, "evaluation_observation": statement.judged, "metric_groups": groups}
            ],
            "additional_information": {
                "ethical_considerations": self._fairness_line(),
                "caveats_and_recommendations": statement.caveats,
                "custom_details": {"gate": self._gate()},
            },
        }

    def markdown(self) -> str:
        """The card as a page."""
        statement = self.statement
        facts = {
            "Purpose": statement.purpose,
            "For": statement.uses,
            "Not for": statement.misuses,
            "Learns from": statement.data,
            "Judged": statement.judged,
            "Caveats": statement.caveats,
            "Risk": f"{statement.risk.value}. {statement.risk_why}",
            "Gate": self._gate(),
            "Fairness": self._fairness_line(),
        }
        lines = [f"# Model card: {self.name}", ""]
        lines += [f"**{title}.** {text}\n" for title, text in facts.items()]
        lines += ["| figure | value | 95 % interval |", "|---|---|---|"]
        lines += [f"| {name} | {value:.4g} | {interval} |" for name, value, interval in self._shown()]
        if self.fairness:
            lines += [
                "",
                f"| attribute | measure | least ratio | 95 % interval | {GATE} reached | by group |",
                "|---|---|---|---|---|---|",
            ]
            lines += [f"| {_row(ratio)} |" for ratio in self.fairness]
        lines += ["", "| learned from | version |", "|---|---|"]
        lines += [f"| {table} | {version} |" for table, version in sorted(self.data_versions.items())]
        lines += ["", "| parameter | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.parameters.items()]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """Both forms into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKDOWN).write_text(self.markdown())
        (folder / CONTENT).write_text(json.dumps(self.content(), indent=2))

    def documents(self) -> dict[str, Any]:
        """Both forms by file name, as a run logs them."""
        return {MARKDOWN: self.markdown(), CONTENT: self.content()}

    def _gate(self) -> str:
        return "; ".join(self.verdict.reasons) or "passed"

    def _fairness_line(self) -> str:
        if not self.fairness:
            return "Not judged by group: no demographics given."
        return " ".join(f"{ratio.attribute}, {ratio.measure}: {ratio.said}." for ratio in self.fairness)

    def _shown(self) -> Iterator[tuple[str, float, str]]:
        """Figures with their intervals, as many as a card holds."""
        names = [name for name in self.metrics if not name.endswith(_ENDS)]
        for name in names[:_MAX_METRICS]:
            low, high = (self.metrics.get(f"{name}{end}") for end in _ENDS)
            yield (
                name,
                float(self.metrics[name]),
                "" if low is None or high is None else f"{low:.4g} to {high:.4g}",
            )


def _metric(name: str, value: float, interval: str) -> dict[str, Any]:
    return {"name": name, "type": "number", "value": value} | ({"notes": interval} if interval else {})


def _fair(ratio: Ratio) -> dict[str, Any]:
    name = f"{ratio.attribute}: {ratio.measure}"
    if ratio.least is None:
        return {"name": name, "type": "string", "value": ratio.said, "notes": ratio.by_group}
    notes = f"{ratio.said}. {ratio.by_group}"
    return {"name": name, "type": "number", "value": ratio.least.estimate, "notes": notes}


def _row(ratio: Ratio) -> str:
    if ratio.least is None:
        return " | ".join((ratio.attribute, ratio.measure, "", "", ratio.said, ratio.by_group))
    least = ratio.least
    held = (f"{least.estimate:.2f}", f"{least.low:.2f} to {least.high:.2f}", ratio.reached, ratio.by_group)
    return " | ".join((ratio.attribute, ratio.measure, *held))
