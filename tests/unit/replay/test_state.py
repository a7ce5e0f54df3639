"""How far a replay is, as it was written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercato.errors import MercatoError
from mercato.replay.state import Options, resume


def test_a_broken_file_says_how_to_start_anew(tmp_path: Path) -> None:
    path = tmp_path / "replay.json"
    path.write_text('{"options": {"clus')
    with pytest.raises(MercatoError, match=r"replay\.json.* is broken .*`mercato replay --restart`"):
        resume(path, Options(cluster="one", topic_prefix="", households=None, original_time=False))
