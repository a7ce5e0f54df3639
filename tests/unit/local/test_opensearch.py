"""The search engine's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.local import opensearch
from mercato.local.services import ENGINES, ON_REQUEST


def test_the_node_listens_on_loopback_only() -> None:
    settings = dict(line.split(": ", 1) for line in opensearch.configuration(9300).splitlines())
    assert settings["network.host"] == "127.0.0.1"
    assert settings["transport.port"] == "9300"
    assert settings["discovery.type"] == "single-node"


def test_missing_jars_are_named_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make opensearch"):
        opensearch.prepare(tmp_path / "state", tmp_path / "jars", 9200, 9300)


def test_it_is_started_only_when_asked_for() -> None:
    assert "opensearch" in {service.name for service in ON_REQUEST}
    assert "opensearch" not in {service.name for service in ENGINES}
