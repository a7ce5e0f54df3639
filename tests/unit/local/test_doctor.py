"""What is missing is named with its fix, before anything is installed."""

from __future__ import annotations

import json
import os
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


def fake_program(folder: Path, name: str, says: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


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
    assert findings["Python 3.11-3.13"]["found"]
    for name, package in {"Redis >= 7": "redis-server", "Maven": "maven", "Chromium": "chromium"}.items():
        assert findings[name]["found"] is None
        assert findings[name]["package"] == package
        assert findings[name]["fix"]


def test_a_browser_is_needed_for_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    only_browser = [doctor.Check("Chromium", None, "install it", "chromium", only_for="page tests")]
    monkeypatch.setattr(doctor, "examine", lambda: only_browser)
    assert doctor.main([]) == 0


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)]
)
def test_only_the_pythons_of_the_pins_will_do(
    version: tuple[int, int], ok: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 1, "final", 0))
    doctor.main(["--json"])
    findings = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert (findings["Python 3.11-3.13"]["found"] is not None) == ok


@pytest.mark.parametrize(
    ("program", "says", "name", "found"),
    [
        ("node", "v22.1.0", "Node.js >= 22", "22.1.0"),
        ("node", "v20.20.2", "Node.js >= 22", None),
        ("redis-server", "Redis server v=7.0.15 sha=00000000:0 bits=64", "Redis >= 7", "7.0.15"),
        ("redis-server", "Redis server v=6.2.1 sha=00000000:0 bits=64", "Redis >= 7", None),
    ],
)
def test_a_program_that_is_too_old_is_missing_and_its_package_no_help(
    tmp_path: Path, program: str, says: str, name: str, found: str | None
) -> None:
    fake_program(tmp_path, program, says)
    done = run_doctor(tmp_path)
    finding = next(check for check in json.loads(done.stdout) if check["name"] == name)
    assert finding["found"] == found
    assert finding["package"] == ""
    assert says.removeprefix("Redis server v=").removeprefix("v").split()[0] in finding["fix"]


@pytest.mark.parametrize(
    ("gigabytes", "line"),
    [
        (4, "MISSING  8 GB of memory   16 GB are recommended"),
        (8, "ok       8 GB of memory   8 GB, 16 GB are recommended"),
        (16, "ok       8 GB of memory   16 GB"),
    ],
)
def test_little_memory_is_named_and_stops_nobody(
    gigabytes: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": gigabytes * 10**6}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    memory = next(check for check in doctor.examine() if check.name == "8 GB of memory")
    monkeypatch.setattr(doctor, "examine", lambda: [memory])
    assert doctor.main([]) == 0
    assert capsys.readouterr().out.startswith(line)


def test_help_says_what_the_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        doctor.main(["--help"])
    assert "exit status is 1 if Mercato cannot run here" in capsys.readouterr().out


def test_a_full_disk_is_named_and_no_package_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=9 * 10**9))
    doctor.main([])
    lines = [line for line in capsys.readouterr().out.splitlines() if "GB of disk" in line]
    assert lines == [
        "ok       8 GB of disk     9 GB free",
        "MISSING  25 GB of disk    free some (make test only)",
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


def test_a_java_that_does_not_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(command: list[str], **_arguments: object) -> None:
        raise subprocess.TimeoutExpired(command, 20)

    monkeypatch.setattr(subprocess, "run", wait)
    assert java.major_version(fake_java(tmp_path / "jdk", "21.0.2")) is None
