"""What the program says of itself."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mercato.cli import main
from mercato.cli.main import app
from mercato.local.services import ALL

GROUPS = ("quarantine", "features", "search", "train", "recommend", "churn", "price")


def help_of(*command: str) -> str:
    done = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def test_the_version_is_that_of_the_package() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"mercato {version('mercato')}\n")


def test_it_runs_on_one_machine_and_on_aws() -> None:
    assert "on one machine and on AWS" in help_of()


@pytest.mark.parametrize(
    "command", [(), ("down",), ("status",), ("doctor",), ("reset",), *((each,) for each in GROUPS)]
)
def test_help_has_an_example(command: tuple[str, ...]) -> None:
    assert "Example" in help_of(*command)
    assert "mercato " + " ".join(command) in help_of(*command).split("Example", 1)[1]


def test_groups_are_groups_even_of_one_command() -> None:
    found = get_command(app)
    assert {name for name, command in found.commands.items() if hasattr(command, "commands")} == set(GROUPS)  # type: ignore[attr-defined]
    assert "score" in help_of("churn")


def test_up_lists_what_can_be_started() -> None:
    said = help_of("up")
    assert [name for name in ALL if name not in said.replace(",", " ").replace(".", " ").split()] == []


def test_run_says_where_jobs_are_listed() -> None:
    assert "docs/reference/contracts.md" in help_of("run")


@pytest.mark.parametrize(
    "command", [("quarantine", "list"), ("maintain",), ("run",), ("features", "materialize")]
)
def test_it_says_which_json_is_json_lines(command: tuple[str, ...]) -> None:
    assert "JSON Lines" in help_of(*command)


def test_an_error_is_a_message_without_a_trace() -> None:
    command = [sys.executable, "-m", "mercato", "run", "--layer", "brnze"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "brnze" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_that_cannot_be_one_is_a_message_too() -> None:
    command = [sys.executable, "-m", "mercato", "features", "apply", "--registry", "/dev/null/registry.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "correct the path" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "step"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "MERCATO_HOME is where Mercato writes")],
)
def test_a_disk_that_takes_nothing_is_told_with_what_to_do(
    number: int, step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_arguments: object) -> None:
        raise OSError(number, os.strerror(number), "/full/lake")

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit) as end:
        main.main()
    told = capsys.readouterr().err
    assert end.value.code == 1
    assert "/full/lake" in told
    assert step in told


def test_a_full_disk_is_told_in_the_words_of_the_engine_that_met_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_arguments: object) -> None:
        raise RuntimeError(
            f"JVM stacktrace:\n  Unable to copy data: {os.strerror(errno.ENOSPC)} (os error 28)\n"
        )

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit):
        main.main()
    assert capsys.readouterr().err.startswith(
        "Unable to copy data: No space left on device (os error 28): free"
    )


@pytest.mark.parametrize(("name", "told"), [("redis", "`make setup`"), ("mercato.gone", None)])
def test_an_environment_that_lacks_a_package_is_told_how_to_be_made(
    name: str, told: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_arguments: object) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit if told else ModuleNotFoundError):
        main.main()
    assert (told or "") in capsys.readouterr().err
