"""Every way in which an event can break its contract is named by a stable code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.contracts.events import CLICKSTREAM, PROMOTIONS, TOPICS, TRANSACTIONS, Event, Violation
from mercato.contracts.events.base import EARLIEST, MAX_AHEAD

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
    "too large": (with_field("week", 54), "out_of_range", "$.week"),
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


def test_a_valid_event_is_decoded_and_encodes_back() -> None:
    event = TRANSACTIONS.decode(VALID, NOW)
    assert isinstance(event, Event)
    assert TRANSACTIONS.decode(TRANSACTIONS.encode(event), NOW) == event


def test_time_bounds_are_inclusive() -> None:
    for moment in (EARLIEST, NOW + MAX_AHEAD):
        assert isinstance(TRANSACTIONS.decode(with_field("event_time", moment.isoformat()), NOW), Event)
    late = (NOW + MAX_AHEAD + timedelta(microseconds=1)).isoformat()
    assert isinstance(TRANSACTIONS.decode(with_field("event_time", late), NOW), Violation)


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
