"""Every way in which an event can break its contract is named by a stable code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.contracts.events import (
    CLICKSTREAM,
    PAYMENT_DECISIONS,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PROMOTIONS,
    SESSIONS,
    TOPICS,
    TRANSACTIONS,
    Event,
    Topic,
    Violation,
)
from mercato.contracts.events.base import EARLIEST, MAX_AHEAD, MAX_PLANNED
from mercato.contracts.tables.silver import QUARANTINE

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINE = {
    "event_id": "1-2",
    "event_time": "2026-05-31T12:00:00Z",
    "household_id": 1,
    "store_id": 2,
    "basket_id": 3,
    "product_id": 4,
    "quantity": 1,
    "sales_value": 1.5,
    "retail_disc": 0.0,
    "coupon_disc": 0.0,
    "coupon_match_disc": 0.0,
    "week": 22,
}
VALID = msgspec.json.encode(LINE)
_ANY = {"event_id": "e", "event_time": "2026-05-31T12:00:00Z"}
_PAID = {"payment_id": "p", "paid_at": "2026-05-24T12:00:00Z", "card_id": "c", "terminal_id": "t"}
OUTCOME = {**_ANY, **_PAID, "fraud": True}
PAYMENT = {
    **_ANY,
    "household_id": 1,
    "store_id": 1,
    "basket_id": 1,
    "card_id": "c",
    "terminal_id": "t",
    "amount": 9.5,
    "entry_mode": "chip",
}
DECIDED = {**_ANY, **_PAID, "amount": 9.5, "action": "review", "probability": 0.5, "reasons": []}
PROMOTION = {
    **_ANY,
    "product_id": 1,
    "week": 23,
    "valid_from": "2026-06-01T04:00:00Z",
    "valid_to": "2026-06-08T04:00:00Z",
    "placements": [{"display": "1", "mailer": "0", "stores": [1]}],
}
SESSION = {
    **_ANY,
    "household_id": 1,
    "started_at": "2026-05-31T11:00:00Z",
    "ended_at": "2026-05-31T11:30:00Z",
    **dict.fromkeys(("views", "searches", "additions", "removals", "checkouts"), 0),
    "viewed": [],
    "cart": [],
    "abandoned": False,
}
#: Every time beside `event_time`, an event that has it, and how far it may be ahead.
TIMES: dict[tuple[str, str], tuple[Topic, dict[str, object], timedelta]] = {
    (topic.name, name): (topic, event, ahead)
    for topic, event, names, ahead in (
        (PAYMENT_OUTCOMES, OUTCOME, ("paid_at",), MAX_AHEAD),
        (PAYMENT_DECISIONS, DECIDED, ("paid_at",), MAX_AHEAD),
        (SESSIONS, SESSION, ("started_at", "ended_at"), MAX_AHEAD),
        (PROMOTIONS, PROMOTION, ("valid_from", "valid_to"), MAX_PLANNED),
    )
    for name in names
}


def with_field(name: str, value: object) -> bytes:
    return msgspec.json.encode({**LINE, name: value})


def without_field(name: str) -> bytes:
    return msgspec.json.encode({k: v for k, v in LINE.items() if k != name})


BROKEN = {
    "truncated": (VALID[:-1], "malformed_json", "$"),
    "empty": (b"", "malformed_json", "$"),
    "tombstone": (None, "malformed_json", "$"),
    "lone surrogate": (VALID.replace(b"1-2", rb"\ud800"), "malformed_json", "$"),
    "not utf-8": (VALID.replace(b"1-2", b"\xff\xfe"), "not_utf8", "$"),
    "array": (b"[]", "wrong_type", "$"),
    "null": (b"null", "wrong_type", "$"),
    "string for int": (with_field("quantity", "1"), "wrong_type", "$.quantity"),
    "fraction for int": (with_field("quantity", 1.5), "wrong_type", "$.quantity"),
    "missing": (without_field("week"), "missing_field", "$.week"),
    "unknown": (with_field("wek", 1), "unknown_field", "$.wek"),
    "too large": (with_field("week", 202652), "out_of_range", "$.week"),
    "negative": (with_field("household_id", -5), "out_of_range", "$.household_id"),
    "empty id": (with_field("event_id", ""), "out_of_range", "$.event_id"),
    "infinite": (VALID.replace(b"1.5", b"1e999"), "out_of_range", "$.sales_value"),
    "no zone": (with_field("event_time", "2026-05-31T12:00:00"), "out_of_range", "$.event_time"),
    "not a time": (with_field("event_time", "yesterday"), "out_of_range", "$.event_time"),
    "future": (with_field("event_time", "2026-06-01T00:06:00Z"), "future_time", "$.event_time"),
    "ancient": (with_field("event_time", "1999-12-31T00:00:00Z"), "ancient_time", "$.event_time"),
    "oversized": (with_field("event_id", "x" * 70_000), "oversized", "$"),
}


@pytest.mark.parametrize(("value", "code", "field"), BROKEN.values(), ids=BROKEN)
def test_broken_events_are_refused_with_code_and_place(value: bytes | None, code: str, field: str) -> None:
    refused = TRANSACTIONS.decode(value, NOW)
    assert isinstance(refused, Violation)
    assert (refused.code, refused.field) == (code, field)
    assert refused.reason


def test_the_quarantine_names_every_code() -> None:
    row = QUARANTINE.json_schema["$defs"][QUARANTINE.row.__name__]
    named = set(re.findall(r"`(\w+)`", row["properties"][QUARANTINE.c.code]["description"]))
    assert named == {code for _, code, _ in BROKEN.values()} | {"duplicate"}


def test_a_valid_event_is_decoded_and_encodes_back() -> None:
    event = TRANSACTIONS.decode(VALID, NOW)
    assert isinstance(event, Event)
    assert TRANSACTIONS.decode(TRANSACTIONS.encode(event), NOW) == event


def test_time_bounds_are_inclusive() -> None:
    for moment in (EARLIEST, NOW + MAX_AHEAD):
        assert isinstance(TRANSACTIONS.decode(with_field("event_time", moment.isoformat()), NOW), Event)
    late = (NOW + MAX_AHEAD + timedelta(microseconds=1)).isoformat()
    assert isinstance(TRANSACTIONS.decode(with_field("event_time", late), NOW), Violation)


@pytest.mark.parametrize("place", TIMES, ids=map("-".join, TIMES))
def test_every_time_is_bounded(place: tuple[str, str]) -> None:
    (topic, event, ahead), name = TIMES[place], place[1]
    for moment in (EARLIEST, NOW + ahead):
        assert isinstance(topic.decode(msgspec.json.encode({**event, name: moment}), NOW), Event)
    wrong = {
        # No datetime in UTC is as late or as early.
        "9999-12-31T23:59:59-01:00": "future_time",
        "0001-01-01T00:00:00+01:00": "ancient_time",
        (NOW + ahead + timedelta(microseconds=1)).isoformat(): "future_time",
        (EARLIEST - timedelta(microseconds=1)).isoformat(): "ancient_time",
    }
    for text, code in wrong.items():
        refused = topic.decode(msgspec.json.encode({**event, name: text}), NOW)
        assert isinstance(refused, Violation)
        assert (refused.code, refused.field) == (code, f"$.{name}")


def test_no_time_of_a_topic_is_left_out_above() -> None:
    found = {
        (topic.name, field.name)
        for topic in TOPICS.values()
        for field in topic.arrow_schema
        if "timestamp" in str(field.type) and field.name != "event_time"
    }
    assert found == set(TIMES)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reviewer": "ada"}, "$.reviewer"),
        ({"note": "Called"}, "$.note"),
        ({"event_id": "review-1"}, "$.event_id"),
    ],
)
def test_nobody_else_speaks_for_the_platform(change: dict[str, str], field: str) -> None:
    value = msgspec.json.encode({**OUTCOME, **change})
    refused = PAYMENT_OUTCOMES.receive(value, NOW)
    assert isinstance(refused, Violation)
    assert (refused.code, refused.field) == ("derived_field", field)
    assert isinstance(PAYMENT_OUTCOMES.decode(value, NOW), Event)


def test_what_is_received_is_otherwise_what_is_decoded() -> None:
    value = msgspec.json.encode({**OUTCOME, "reviewer": None, "note": None})
    assert PAYMENT_OUTCOMES.receive(value, NOW) == PAYMENT_OUTCOMES.decode(value, NOW)
    assert PAYMENT_OUTCOMES.receive(b"{", NOW) == PAYMENT_OUTCOMES.decode(b"{", NOW)
    for topic in TOPICS.values():
        assert set(topic.derived_fields) <= set(topic.c)


@pytest.mark.parametrize("payment_id", ["2026/7", "/", ".", ".."])
def test_a_payments_id_can_be_part_of_an_address(payment_id: str) -> None:
    cases = (
        (PAYMENTS, PAYMENT, "event_id"),
        (PAYMENT_OUTCOMES, OUTCOME, "payment_id"),
        (PAYMENT_DECISIONS, DECIDED, "payment_id"),
    )
    for topic, event, name in cases:
        refused = topic.decode(msgspec.json.encode({**event, name: payment_id}), NOW)
        assert isinstance(refused, Violation)
        assert (refused.code, refused.field) == ("out_of_range", f"$.{name}")
        for good in ("7", "a.b", "..7", "0f3c9a7be5d94e51", "Zahlung 7 ü"):
            assert isinstance(topic.decode(msgspec.json.encode({**event, name: good}), NOW), Event)


def test_deep_nesting_is_refused_not_a_crash() -> None:
    bomb = b'{"placements":' + b"[" * 50_000
    assert isinstance(PROMOTIONS.decode(bomb, NOW), Violation)


@pytest.mark.parametrize(
    ("action", "missing"), [("view", "product_id"), ("search", "query"), ("checkout", "basket_id")]
)
def test_a_click_names_what_its_action_is_about(action: str, missing: str) -> None:
    click = {
        "event_id": "c",
        "event_time": "2026-05-31T12:00:00Z",
        "household_id": 1,
        "session_id": "s",
        "action": action,
    }
    refused = CLICKSTREAM.decode(msgspec.json.encode(click), NOW)
    assert isinstance(refused, Violation)
    assert (refused.code, refused.field) == ("missing_field", f"$.{missing}")


@given(value=st.binary(max_size=400), topic=st.sampled_from(sorted(TOPICS)))
def test_no_bytes_crash_the_decoder(value: bytes, topic: str) -> None:
    assert isinstance(TOPICS[topic].decode(value, NOW), Event | Violation)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from(sorted(LINE)), value=json_values)
def test_one_wrong_field_is_refused_at_that_field(field: str, value: object) -> None:
    decoded = TRANSACTIONS.decode(msgspec.json.encode({**LINE, field: value}), NOW)
    if isinstance(decoded, Violation):
        assert decoded.field in {f"$.{field}", "$"}
        assert decoded.code in {"wrong_type", "out_of_range", "future_time", "ancient_time", "malformed_json"}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_every_integer_has_a_bound_that_a_table_holds(topic: Topic) -> None:
    """A manufacturer's id of twenty digits once stopped the job of silver, and with it all behind it."""

    def integers(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if schema.get("type") == "integer":
                yield schema
            schema = list(schema.values())
        if isinstance(schema, list):
            for each in schema:
                yield from integers(each)

    for found in integers(msgspec.json.schema(topic.event)):
        assert found.get("exclusiveMaximum", found.get("maximum", 2**63)) < 2**63, found
