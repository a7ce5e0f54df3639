"""What a demo with all models leaves: what passed its gate is in use, and the panel shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from mercato_models import artifact

pytestmark = pytest.mark.e2e


def test_a_model_is_told_if_it_passed(told: dict[str, Any], demo_home: Path) -> None:
    passed = {folder.parent.name for folder in (demo_home / "models").glob("*/version")}
    assert set(told["models"]) == passed
    # Of the others, 200 households are too few to say, and each says so.
    assert {"recommend", "price"} <= passed
    assert all(artifact.load(demo_home / "models" / name).version for name in passed)
    uses = {title.removesuffix(" decisions") for title in told["seconds"] if title.endswith(" decisions")}
    assert uses == passed - {"recommend"}
    assert {"churn model", "price model", "fraud model", "panel"} <= told["seconds"].keys()


def test_the_panel_is_served(told: dict[str, Any]) -> None:
    page = httpx2.get(f"{told['panel']}/prices").raise_for_status()
    assert "Prices to decide" in page.text
