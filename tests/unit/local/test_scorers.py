"""A model's server is not started before there is a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.local.services import ALL
from mercato.settings import Settings


@pytest.mark.parametrize(("service", "model"), [("scorer", "recommend"), ("fraud-scorer", "fraud")])
def test_a_missing_model_is_named_with_the_fix(service: str, model: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(FileNotFoundError, match=f"mercato train {model}"):
        ALL[service].command(settings, {service: 1})
    (tmp_path / "models" / model).mkdir(parents=True)
    command = ALL[service].command(settings, {service: 1})
    assert command[1].endswith(f"sagemaker/{model}/serve.py")
    assert command[2:] == ["--capture-to", str(tmp_path / "captures" / model), "--capture-percent", "10"]
