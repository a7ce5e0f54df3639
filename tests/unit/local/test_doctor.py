"""What is missing is named with its fix, before anything is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mercato.local import doctor, java

ROOT = Path(__file__).parents[3]


def fake_java(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return home


def run_doctor(path: Path) -> subprocess.CompletedProcess[str]:
    # Isolated (-I) and with nothing on the PATH, as on a machine that was just set up.
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        "from mercato.local import doctor; sys.exit(doctor.main())"
    )
    command = [sys.executable, "-I", "-c", code, "--json"]
    return subprocess.run(command, env={"PATH": str(path)}, capture_output=True, text=True, check=False)


def test_each_missing_program_is_named_with_its_fix(tmp_path: Path) -> None:
    done = run_doctor(tmp_path)
    findings = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert findings["Python >= 3.11"]["found"]
    for name, package in {"Redis": "redis-server", "Maven": "maven", "Chromium": "chromium"}.items():
        assert findings[name]["found"] is None
        assert findings[name]["package"] == package
        assert findings[name]["fix"]


def test_a_browser_is_needed_for_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    only_browser = [doctor.Check("Chromium", None, "install it", "chromium", only_for="page tests")]
    monkeypatch.setattr(doctor, "examine", lambda: only_browser)
    monkeypatch.setattr(sys, "argv", ["doctor"])
    assert doctor.main() == 0


def test_a_full_disk_is_named_and_no_package_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=9 * 10**9))
    monkeypatch.setattr(sys, "argv", ["doctor"])
    doctor.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if "GB of disk" in line]
    assert lines == [
        "ok       8 GB of disk    9 GB free",
        "MISSING  25 GB of disk   free some (make test only)",
    ]


def test_java_home_wins_if_its_version_is_supported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "jdk", "21.0.2")))
    assert java.java_home() == tmp_path / "jdk"


def test_a_java_too_new_for_spark_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = fake_java(tmp_path / "new", "25"), fake_java(tmp_path / "old", "17.0.1")
    monkeypatch.setattr(java, "_candidates", lambda: iter([new / "bin" / "java", old / "bin" / "java"]))
    assert java.java_home() == old


def test_no_supported_java_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = fake_java(tmp_path / "new", "25")
    monkeypatch.setattr(java, "_candidates", lambda: iter([new / "bin" / "java"]))
    with pytest.raises(java.JavaNotFoundError, match=r"17 or 21 .*25.*JAVA_HOME"):
        java.java_home()
