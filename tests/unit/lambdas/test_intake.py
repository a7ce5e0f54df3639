"""Bodies of POST /v1/events: filled in, routed, refused for the contract's own reasons."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas import intake
from lambdas.problem import ProblemError
from mercato.contracts.events import CLICKSTREAM, INVENTORY, TRANSACTIONS, Violation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLICK = {"household_id": 1, "session_id": "s", "action": "view", "product_id": 7}
STOCK = {"store_id": 3, "product_id": 7, "on_hand": 2, "reason": "count"}


def _accept(body: Any, topic: str | None = None) -> list[intake.Accepted]:
    return intake.accept(json.dumps(body).encode(), intake.topic_named(topic) if topic else None, NOW)


def _refused(body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as refusal:
        intake.accept(body, None, NOW)
    return refusal.value


def test_missing_id_and_time_are_filled_in() -> None:
    (one,) = _accept(CLICK)
    assert one.topic is CLICKSTREAM
    assert one.event.event_time == NOW
    assert len(one.event.event_id) == 32
    assert CLICKSTREAM.decode(one.value, NOW) == one.event


def test_given_id_and_time_are_kept() -> None:
    (one,) = _accept({**CLICK, "event_id": "mine", "event_time": "2026-11-22T10:00:00Z"})
    assert (one.event.event_id, one.event.event_time.hour) == ("mine", 10)


def test_each_event_of_a_batch_may_name_its_topic() -> None:
    accepted = _accept([CLICK, {**STOCK, "topic": "inventory.v1"}])
    assert [one.topic for one in accepted] == [CLICKSTREAM, INVENTORY]
    assert accepted[1].record("test.").topic == "test.inventory.v1"
    assert [one.record("").key for one in accepted] == [b"1", b"7"]


def test_the_path_names_the_topic_of_all() -> None:
    assert _accept(STOCK, "inventory.v1")[0].topic is INVENTORY
    with pytest.raises(ProblemError, match="no topic 'nope'"):
        _accept(STOCK, "nope")


def test_nobody_sends_what_a_job_of_the_platform_makes() -> None:
    with pytest.raises(ProblemError, match=r"no topic 'sessions\.v1'"):
        _accept(STOCK, "sessions.v1")


@pytest.mark.parametrize(
    "change",
    [
        {"product_id": "seven"},
        {"product_id": -1},
        {"product_id": None},
        {"action": "fly"},
        {"colour": "red"},
        {"event_time": "2026-11-23T12:00:00Z"},
        {"event_time": "1999-01-01T00:00:00Z"},
        {"event_time": "noon"},
        {"session_id": "x" * 65},
        {"query": "x" * 70_000},
    ],
)
def test_reasons_are_those_of_the_lake(change: dict[str, Any]) -> None:
    event = {"event_id": "e", "event_time": "2026-11-22T12:00:00Z", **CLICK, **change}
    body = json.dumps(event).encode()
    in_the_lake = CLICKSTREAM.decode(body, NOW)
    assert isinstance(in_the_lake, Violation)
    (error,) = _refused(body).errors
    assert (error.code, error.field) == (in_the_lake.code, in_the_lake.field)
    assert error.code == "oversized" or error.reason == in_the_lake.reason


@pytest.mark.parametrize(
    "change",
    [{"reviewer": "ada"}, {"note": "Called"}, {"event_id": "review-0f3c"}, {"reviewer": "ada", "note": ""}],
)
def test_a_shop_reviews_nothing(change: dict[str, str]) -> None:
    outcome = {
        "event_id": "o",
        "payment_id": "p",
        "paid_at": "2026-11-15T12:00:00Z",
        "card_id": "c",
        "terminal_id": "t",
        "fraud": False,
        "topic": "payment_outcomes.v1",
    }
    assert len(_accept(outcome)) == 1
    (error,) = _refused(json.dumps({**outcome, **change}).encode()).errors
    assert error.code == "derived_field"
    assert error.field.removeprefix("$.") in change


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b'{"a": "\xff"}', b"[" * 100_000, b"[]"])
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    assert _refused(body).code == "malformed_body"


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b"[" + b'{"session_id": "%s"},' % (b"x" * 114_000), "malformed_json", "truncated"),
        (b'[{"topic":"weather.v1","temperature":1e999}]', "out_of_range", "out of range"),
        (b'[{"topic":"weather.v1","temperature":1}', "malformed_json", "truncated"),
        (b"[1, 2", "malformed_json", "truncated"),
        (b"[" * 100_000, "malformed_json", "nested too deeply"),
        (b'[{"a": "\xff"}]', "not_utf8", "not UTF-8"),
    ],
)
def test_a_body_that_can_not_be_read_is_told_why(body: bytes, code: str, reason: str) -> None:
    refused = _refused(body)
    (error,) = refused.errors
    assert (refused.code, error.code) == ("malformed_body", code)
    assert reason in error.reason
    assert refused.detail == f"The body cannot be read: {error.reason}"


def test_what_was_filled_in_is_known() -> None:
    both = {"event_id": "mine", "event_time": "2026-11-22T10:00:00Z"}
    events = [
        {**CLICK, **both},
        CLICK,
        {**CLICK, "event_id": "mine"},
        {**CLICK, "event_time": both["event_time"]},
    ]
    assert [one.filled_in for one in _accept(events)] == [False, True, True, True]


def test_a_batch_is_taken_whole_or_not_at_all() -> None:
    refused = _refused(json.dumps([CLICK, {**CLICK, "action": "fly"}, 3]).encode())
    assert refused.code == "contract_violation"
    assert [(error.index, error.code) for error in refused.errors] == [(1, "out_of_range"), (2, "wrong_type")]
    assert "2 of 3 events were refused, so none was taken" in refused.detail


def test_too_many_and_too_large() -> None:
    assert _refused(json.dumps([CLICK] * (intake.MAX_BATCH + 1)).encode()).code == "oversized"
    large = json.dumps({**CLICK, "session_id": "x" * TRANSACTIONS.max_bytes}).encode()
    assert _refused(large).code == "oversized"
