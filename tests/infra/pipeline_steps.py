"""The steps of the pipelines that are checked in."""

from __future__ import annotations

import json
from typing import Any

from infra.artifacts.artifact import ROOT


def steps(model: str) -> dict[str, dict[str, Any]]:
    """Arguments of a model's steps by name, those behind conditions included."""
    document = json.loads((ROOT / "infra" / "cdk" / "generated" / f"pipeline-{model}.json").read_text())
    found, waiting = {}, list(document["Steps"])
    while waiting:
        step = waiting.pop()
        found[step["Name"]] = step["Arguments"]
        waiting += step["Arguments"].get("IfSteps", []) + step["Arguments"].get("ElseSteps", [])
    return found
