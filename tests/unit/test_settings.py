"""Addresses come from the environment, else from what the supervisor wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mercato.errors import MercatoError
from mercato.settings import NotRunningError, Settings, get_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MERCATO_{name.upper()}", raising=False)


def write_endpoints(settings: Settings, **addresses: str) -> None:
    settings.endpoints_file.parent.mkdir(parents=True)
    settings.endpoints_file.write_text(json.dumps(addresses))


def test_folders_follow_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.lake_uri == str(tmp_path / "lake")
    assert settings.jars_dir == tmp_path / "jars"


def test_home_is_absolute_and_free_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("link")).home == tmp_path / "real"


def test_what_was_never_started_says_how_to_start_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.endpoint("kafka_bootstrap") is None
    with pytest.raises(NotRunningError, match="`mercato up kafka`, or set MERCATO_KAFKA_BOOTSTRAP"):
        settings.require("kafka_bootstrap")


def test_addresses_of_the_supervisor_are_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    write_endpoints(settings, redis_url="redis://127.0.0.1:1/0")
    assert settings.require("redis_url") == "redis://127.0.0.1:1/0"


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_REDIS_URL", "redis://elsewhere:2/0")
    settings = Settings(home=tmp_path)
    write_endpoints(settings, redis_url="redis://127.0.0.1:1/0")
    assert settings.require("redis_url") == "redis://elsewhere:2/0"


@pytest.mark.parametrize("held", ["", '{"kafka_boot', "[]"])
def test_a_broken_file_of_addresses_is_named_with_the_way_out(held: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    write_endpoints(settings)
    settings.endpoints_file.write_text(held)
    with pytest.raises(MercatoError, match=r"endpoints\.json is broken .* `mercato up` writes it anew"):
        settings.endpoint("redis_url")


def test_a_variable_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_KAFKA_AUTH", "password")
    with pytest.raises(MercatoError, match=r"^MERCATO_KAFKA_AUTH: Input should be 'none' or 'iam'\.$"):
        get_settings.__wrapped__()


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `mercato reset` with an empty MERCATO_HOME would empty the folder one is in."""
    monkeypatch.setenv("MERCATO_HOME", "")
    assert Settings().home == Path("var").resolve()
