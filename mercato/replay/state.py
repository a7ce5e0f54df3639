"""How far a replay has come, kept in a file so that the next run goes on from there."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mercato.errors import MercatoError
from mercato.replay.chance import SEED


class OtherReplayError(MercatoError):
    """The saved position belongs to a replay with other options."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two replays send the same events to the same place.

    Attributes:
        cluster: id of the Kafka cluster.
        topic_prefix: of the deployment.
        households: how many; `None` for all.
        original_time: whether the events keep the source's time.
        seed: of the simulation.
    """

    cluster: str
    topic_prefix: str
    households: int | None
    original_time: bool
    seed: int = SEED


class Position(msgspec.Struct, kw_only=True):
    """A replay under way.

    Attributes:
        options: of the replay.
        weeks: how far its clock moves the source's time.
        acknowledged: events of each topic that Kafka has.
    """

    options: Options
    weeks: int
    acknowledged: dict[str, int] = {}

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        draft.replace(path)


def resume(path: Path, options: Options) -> Position | None:
    """Where a replay with these options stopped; `None` if it never began on this cluster.

    Raises:
        OtherReplayError: another replay's events are in the topics already.
        MercatoError: the file is broken.
    """
    if not path.exists():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Position)
    except msgspec.DecodeError as error:
        raise MercatoError(
            f"{path}, which says how far the replay is, is broken ({error}): start anew with "
            "`mercato replay --restart`; events that are sent again go to the quarantine as duplicates."
        ) from error
    if found.options.cluster != options.cluster:
        return None
    if found.options != options:
        raise OtherReplayError(
            f"The topics hold a replay with {_described(found.options)}, not {_described(options)}. "
            "Ask for that one to go on with it, or start anew with `mercato replay --restart`; events "
            "that are sent again go to the quarantine as duplicates."
        )
    return found


def _described(options: Options) -> str:
    households = "all households" if options.households is None else f"{options.households} households"
    return f"{households} in {'original' if options.original_time else 'shifted'} time"
