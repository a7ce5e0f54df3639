"""The broker's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.local import kafka


def test_the_broker_listens_on_loopback_only() -> None:
    text = kafka.server_properties(9092, 9093, Path("/data"))
    properties = dict(line.split("=", 1) for line in text.splitlines())
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert properties["controller.quorum.bootstrap.servers"] == "127.0.0.1:9093"
    assert properties["log.dirs"] == "/data"
    assert properties["auto.create.topics.enable"] == "false"


def test_missing_jars_are_named_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        kafka.prepare(tmp_path / "state", tmp_path / "jars", 9092, 9093)


def test_the_cluster_id_is_that_of_the_storage(tmp_path: Path) -> None:
    assert kafka.cluster_id(tmp_path) is None
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=abc=\n")
    assert kafka.cluster_id(tmp_path) == "abc="


def test_a_storage_that_names_no_cluster_is_refused_with_the_way_out(tmp_path: Path) -> None:
    state, jars = tmp_path / "state", tmp_path / "jars"
    (jars / "kafka").mkdir(parents=True)
    (state / "data").mkdir(parents=True)
    (state / "data" / "meta.properties").touch()
    with pytest.raises(RuntimeError, match="replay again"):
        kafka.prepare(state, jars, 9092, 9093)
