"""One line of the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    #: The deploy works, but something will not, or cannot be told.
    WARNING = "warning"
    #: The deploy would fail.
    BLOCKING = "blocking"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at.
        state: how it ended.
        says: what was found.
        fix: what to do about it; empty if nothing.
    """

    check: str
    state: State
    says: str
    fix: str = ""


def ok(check: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(check, State.OK, says)


def warning(check: str, says: str, fix: str) -> Finding:
    """Something a person should know."""
    return Finding(check, State.WARNING, says, fix)


def blocking(check: str, says: str, fix: str) -> Finding:
    """Something to mend first."""
    return Finding(check, State.BLOCKING, says, fix)
