"""What a job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercato.contracts.events import Topic
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import SILVER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class SilverJob:
    """Decodes one topic's bronze table."""

    topic: Topic

    @property
    def target(self) -> Table:
        """The silver table."""
        return SILVER[self.topic.name]

    @property
    def sources(self) -> tuple[Table, ...]:
        """The bronze table."""
        return (BRONZE[self.topic.name],)


@dataclass(frozen=True)
class GoldJob:
    """Computes one gold table.

    Attributes:
        target: the table it writes.
        sources: the tables it reads.
        transform: pure function of one DataFrame per source, in that order, to the target's rows.
        refresh_by: column such that the rows of one of its values depend only on the source
            rows of that value (and on sources without the column); `None` if every row may
            depend on every other, and each run computes the whole table.
    """

    target: Table
    sources: tuple[Table, ...]
    transform: Callable[..., DataFrame]
    refresh_by: str | None = None


Job = SilverJob | GoldJob
