"""How a Spark of this machine is started."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from mercato.lake.session import SHORT_LIVED_JVM, EngineNotStartedError, connect
from mercato.local.java import java_home
from mercato.settings import Settings


def _code_cache(*options: str) -> int:
    """Bytes that Java reserves for compiled code."""
    command: list[str | Path] = [java_home() / "bin" / "java", *options, "-XX:+PrintFlagsFinal", "-version"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (found,) = re.findall(r"ReservedCodeCacheSize\s*=\s*(\d+)", printed)
    return int(found)


def test_a_short_lived_driver_has_as_much_room_for_code_as_any() -> None:
    """Spark's generated classes once filled what the quick compiler is given alone."""
    usual = _code_cache()
    assert _code_cache(*SHORT_LIVED_JVM.split()) >= usual
    assert _code_cache("-XX:TieredStopAtLevel=1") < usual


def test_missing_jars_are_said_with_the_command_that_gets_them(tmp_path: Path) -> None:
    with (
        pytest.raises(EngineNotStartedError, match="run `make setup`"),
        connect(Settings(home=tmp_path, jars_dir=tmp_path / "jars"), "spark"),
    ):
        pass
