"""The page of topics and tables says what the contracts say, and enough to write an event by it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mercato.contracts.events import OPEN_TOPICS, TOPICS, Event, Violation
from mercato.contracts.examples import EXAMPLES
from mercato.contracts.reference import render

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "contracts.md"
SECTIONS = dict(re.findall(r"^### `(.+?)`\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def rows(section: str) -> list[list[str]]:
    """Cells of the rows of a section's table."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def example(topic: str) -> dict[str, Any]:
    """The event that the page shows."""
    (shown,) = re.findall(r"```json\n(.+?)```", SECTIONS[topic], re.DOTALL)
    event: dict[str, Any] = json.loads(shown)
    return event


def taken(topic: str, event: dict[str, Any]) -> Event | Violation:
    """What becomes of an event that a caller sends as soon as it happened."""
    received_at = EXAMPLES[topic].event_time + timedelta(seconds=1)
    return TOPICS[topic].receive(msgspec.json.encode(event), received_at)


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"


@pytest.mark.parametrize("topic", OPEN_TOPICS)
def test_the_example_of_a_topic_is_an_event_that_it_takes(topic: str) -> None:
    assert taken(topic, example(topic)) == EXAMPLES[topic]


def test_the_page_says_which_topics_are_no_callers() -> None:
    refused = {name for name in TOPICS if "the API refuses it from callers" in SECTIONS[name]}
    assert refused == TOPICS.keys() - OPEN_TOPICS.keys()
    assert EXAMPLES.keys() == OPEN_TOPICS.keys()


@pytest.mark.parametrize("topic", OPEN_TOPICS)
def test_what_the_page_calls_required_is(topic: str) -> None:
    event = example(topic)
    for name, _, _, required, *_ in rows(topic):
        field = name.strip("`")
        without = {key: value for key, value in event.items() if key != field}
        if required == "no":
            assert violation(topic, without) is None
        for action in re.findall(r"`(\w+)`", required):
            assert violation(topic, {**without, "action": action}) == ("missing_field", f"$.{field}")
        if required == "yes" and "[]" not in field:
            assert violation(topic, without) == ("missing_field", f"$.{field}")
        if required == "Mercato only":
            assert violation(topic, {**event, field: "x"}) == ("derived_field", f"$.{field}")


def violation(topic: str, event: dict[str, Any]) -> tuple[str, str] | None:
    """Code and field of what is wrong with an event."""
    found = taken(topic, event)
    return (found.code, found.field) if isinstance(found, Violation) else None


def test_members_of_what_a_field_holds_have_rows_of_their_own() -> None:
    named = {name: (kind, allowed) for name, kind, _, _, allowed, _ in rows("promotions.v1")}
    assert named["`placements[].stores`"] == ("array of integer", "1 to 10,000 items, each 1 to 2^53 - 1")


def test_values_are_listed_and_ranges_named() -> None:
    allowed = {name: cells[3] for name, *cells in rows("clickstream.v1") + rows("transactions.v1")}
    assert allowed["`action`"] == "`add_to_cart`, `checkout`, `remove_from_cart`, `search`, `view`"
    assert allowed["`quantity`"] == "0 to 1,000,000"
    assert allowed["`session_id`"] == "1 to 64 characters"
    assert "| 2010-01-01 to 5 minutes after the event's arrival |" in PAGE.read_text()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_has_a_meaning(section: str) -> None:
    assert [cells[0] for cells in rows(section) if not cells[-1]] == []


def test_constants_stand_there_as_their_values() -> None:
    assert re.findall(r"\b[A-Z]+_[A-Z_]+\b", PAGE.read_text()) == []
    assert "The last 50 baskets" in SECTIONS["gold.household_history"]
    assert "(1, 2, 4, 8)" in SECTIONS["gold.product_returns"]
