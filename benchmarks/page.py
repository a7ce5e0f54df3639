"""Tables of figures as a page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import msgspec

Value = bool | float | int | str | None

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .75rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
dt { font-weight: 600; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }
"""


class Table(msgspec.Struct, frozen=True):
    """A table: each row names its columns, which are those of the first row."""

    title: str
    rows: list[dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together: facts in words, then tables."""

    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]


def render(title: str, sections: Sequence[Section]) -> str:
    """The whole page."""
    body = "".join(_section(section) for section in sections)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )


def _section(section: Section) -> str:
    facts = "".join(f"<dt>{escape(term)}</dt><dd>{escape(fact)}</dd>" for term, fact in section.facts)
    tables = "".join(_table(table) for table in section.tables)
    return f"<h2>{escape(section.title)}</h2><dl>{facts}</dl>{tables}"


def _table(table: Table) -> str:
    columns = list(table.rows[0]) if table.rows else []
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_shown(row.get(name)))}</td>' for name in columns)}</tr>"
        for row in table.rows
    )
    return f"<h3>{escape(table.title)}</h3><table><tr>{head}</tr>{body}</table>"


def _shown(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
