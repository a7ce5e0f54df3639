"""`mercato reset`: start over without setting up again."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.cli.options import Json
from mercato.errors import MercatoError

if TYPE_CHECKING:
    from mercato.settings import Settings

#: Folders of a home that are deleted, the lake between them: what is made from others comes first, so that
#: an interrupted reset leaves nothing whose source is gone. The set-up (`jars`, `artifacts`), what runs
#: elsewhere (`aws`) and the record of how it went (`bench`, `log`) stay.
_BEFORE_LAKE, _AFTER_LAKE = ("captures", "predictions", "datasets", "models"), ("state", "run")
#: Settings that name an engine which is not this home's.
_ELSEWHERE = ("kafka_bootstrap", "redis_url", "mlflow_uri", "opensearch_url")


@dataclass(frozen=True)
class Plan:
    """What a reset deletes.

    Attributes:
        deletes: folders with the bytes in each, in the order in which they are deleted.
        stays: sentences on what one may expect to be deleted, and is not.
    """

    deletes: dict[Path, int]
    stays: list[str]


def plan(settings: Settings) -> Plan:
    """Find what to delete.

    Raises:
        MercatoError: the home is a folder in which others keep things.
    """
    home = settings.home
    if home in (Path(home.anchor), Path.home()):
        raise MercatoError(f"{home} is not Mercato's alone: delete what you no longer need yourself.")
    lake = _local_lake(settings)
    stays = [
        f"MERCATO_{name.upper()} is set: what that engine holds stays."
        for name in _ELSEWHERE
        if getattr(settings, name) is not None
    ]
    if lake is None:
        stays.append(f"The lake {settings.lake_uri} is not in {home}: it stays.")
        if settings.kafka_bootstrap is None:
            stays.append("It takes no records of the Kafka that is made next: use a new lake then.")
    folders = [
        *(home / name for name in _BEFORE_LAKE),
        *([lake] if lake else []),
        *(home / name for name in _AFTER_LAKE),
    ]
    stays += [f"{folder} is a link: it stays." for folder in folders if folder.is_symlink()]
    existing = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
    return Plan({folder: _bytes(folder) for folder in existing}, stays)


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Delete the lake, the state of the engines, models and what belongs to them, to start over.

    Jars, benchmark results and logs stay, and so does a lake that is not in this home. Lists what it deletes
    and asks first.

    Examples: `mercato reset`, `mercato reset --yes`, `mercato down && mercato reset --yes`
    """
    from mercato.settings import get_settings

    settings = get_settings()
    _check_idle(settings)
    planned = plan(settings)
    for folder, size in planned.deletes.items():
        typer.echo(f"{size / 1e6:>10,.1f} MB  {folder}", err=True)
    for sentence in planned.stays:
        typer.echo(sentence, err=True)
    if planned.deletes and not yes:
        _ask()
    with _alone(settings):
        _check_idle(settings)  # once more: people take their time to answer
        for folder in planned.deletes:
            _delete(folder)
    if as_json:
        deleted = [{"path": str(folder), "bytes": size} for folder, size in planned.deletes.items()]
        typer.echo(json.dumps({"deleted": deleted, "stays": planned.stays}))
    typer.echo("deleted" if planned.deletes else f"There is nothing to delete in {settings.home}.", err=True)


def _check_idle(settings: Settings) -> None:
    from mercato.local.daemon import Daemon

    daemon = Daemon(settings.home, ())
    if daemon.running() or any(daemon.processes()):
        raise MercatoError(f"Services of {settings.home} are running: run `mercato down` first.")


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep out whoever else would delete here, and who is at writing what is deleted.

    Raises:
        mercato.lake.lock.BusyError: somebody is at work.
    """
    from mercato.lake.lock import JOBS_LOCK, unless_busy
    from mercato.replay.run import lock_file

    locks = {settings.home: f"reset of {settings.home}"}
    locks |= {path: f"training of {path.parent.name}" for path in settings.home.glob("datasets/*/lock")}
    locks[lock_file(settings)] = f"replay of {settings.home}"
    if lake := _local_lake(settings):
        locks[lake / JOBS_LOCK] = f"run of jobs on {lake}"
    with contextlib.ExitStack() as held:
        for path, what in locks.items():
            if path.parent.exists():
                held.enter_context(unless_busy(path, what))
        yield


def _local_lake(settings: Settings) -> Path | None:
    """Folder of the lake, `None` unless it is one folder below the home."""
    from mercato.lake.storage import local_path

    folder = local_path(settings.lake_uri)
    if folder is None or "{" in str(folder):
        return None
    folder = folder.resolve()
    return folder if settings.home in folder.parents else None


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise MercatoError("Nobody can be asked here: `mercato reset --yes` deletes without asking.")
    typer.confirm("Delete this?", abort=True, err=True)


def _delete(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise MercatoError(
            f"{error.filename} could not be deleted ({error.strerror}): when it can, run `mercato reset`."
        ) from error


def register(app: typer.Typer) -> None:
    """Add this area's command."""
    app.command()(reset)
