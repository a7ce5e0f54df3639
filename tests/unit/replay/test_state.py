"""How far a replay is, as it was written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.errors import MercatoError
from mercato.replay import run as replay
from mercato.replay.state import Options, resume
from mercato.settings import Settings


def test_a_broken_file_says_how_to_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "replay.json"
    path.write_text('{"options": {"clus')
    with pytest.raises(MercatoError, match=r"replay\.json.* is broken .*`mercato replay --restart`"):
        resume(path, Options(cluster="one", topic_prefix="", households=None, original_time=False))


def test_a_restart_that_is_ended_while_it_reads_the_year_leaves_no_old_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_households: int | None) -> None:
        raise KeyboardInterrupt

    settings = Settings(home=tmp_path)
    path = replay.position_file(settings)
    path.parent.mkdir()
    path.write_text("of a replay that is through")
    monkeypatch.setattr(replay, "ensure_topics", lambda _settings: None)
    monkeypatch.setattr(replay, "_cluster", lambda _settings: "one")
    monkeypatch.setattr(replay, "Dataset", ended)
    with pytest.raises(KeyboardInterrupt):
        replay.run(settings, replay.Request(restart=True))
    assert not path.exists()
