"""Entry point of the `mercato` command."""

from __future__ import annotations

import errno
import importlib
import os
from typing import Annotated

import typer

from mercato.errors import MercatoError

#: Modules of mercato.cli, in the order in which `--help` lists their commands. To add an area,
#: write `mercato/cli/AREA.py` with `register(app)` (heavy imports inside its functions) and name it.
AREAS = (
    "demo",
    "stack",
    "reset",
    "replay",
    "lake",
    "quarantine",
    "lineage",
    "features",
    "search",
    "train",
    "recommend",
    "churn",
    "price",
    "drift",
    "cost",
    "preflight",
)

#: What to do about an error of the system of which a trace would tell no more.
_STEPS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, then run the command again"),
    errno.EFBIG: "raise the limit (`ulimit -f`), then run the command again",
    **dict.fromkeys(
        (errno.EROFS, errno.EACCES, errno.EPERM),
        "get the right to it, or choose another folder; MERCATO_HOME is where Mercato writes",
    ),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG), "correct the path"),
}
#: Of these, those whose text is the same from every engine.
_OF_A_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
#: Packages of this repository: one of their modules that is not there is a bug.
_OWN = ("mercato", "glue_jobs", "features", "lambdas", "mercato_models")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"mercato {version('mercato')}")
        raise typer.Exit


@app.callback()
def _program(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Mercato: from raw retail events to live decisions, on one machine and on AWS.

    Examples: `mercato demo --households 200`, `mercato status`, `mercato run --help`
    """


for area in AREAS:
    importlib.import_module(f"mercato.cli.{area}").register(app)


def main() -> None:
    """Run a command; an error that a person can act on is its message and exit status 1."""
    try:
        app(prog_name="mercato")
    except MercatoError as error:
        typer.secho(str(error), err=True, fg="red")
        raise SystemExit(1) from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OWN:
            raise
        told = f"{error}: this environment is not Mercato's; `make setup` makes it, in .venv/core"
        typer.secho(f"{told}.", err=True, fg="red")
        raise SystemExit(1) from error
    except Exception as error:
        number, told = _of_the_system(error)
        if number not in _STEPS:
            raise
        typer.secho(f"{told}: {_STEPS[number]}.", err=True, fg="red")
        raise SystemExit(1) from error


def _of_the_system(error: Exception) -> tuple[int | None, str]:
    """Number and text of an error of the system; an engine has it as a line of what it says."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno, str(error)
    for number in _OF_A_DISK:
        for line in str(error).splitlines():
            if os.strerror(number) in line:
                return number, line.strip()
    return None, ""
