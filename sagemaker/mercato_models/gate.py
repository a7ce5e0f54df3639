"""What a candidate must pass before it is registered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a candidate fails, one line each; it passes if there is no reason."""

    reasons: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether it may be registered and become the champion."""
        return not self.reasons

    def __add__(self, other: Verdict) -> Verdict:
        """Both gates at once."""
        return Verdict(self.reasons + other.reasons)


def above(name: str, value: float, bar: float) -> Verdict:
    """A figure that must exceed a bar."""
    return Verdict() if value > bar else Verdict((f"{name} is {value:.4f}, it must exceed {bar:.4f}",))


def below(name: str, value: float, bar: float) -> Verdict:
    """A figure that must stay below a bar."""
    return Verdict() if value < bar else Verdict((f"{name} is {value:.4f}, it must stay below {bar:.4f}",))
