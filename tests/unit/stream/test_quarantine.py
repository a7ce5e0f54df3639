from __future__ import annotations

import pytest

from mercato.contracts.events import CLICKSTREAM, Violation
from mercato.stream.quarantine import MAX_VALUE_BYTES, SOURCE, headers, value_to_send

WHY = Violation("out_of_range", "$.household_id", "0 is too small.")


@pytest.mark.parametrize(
    ("place", "last"),
    [
        ({}, {}),
        ({SOURCE: "s3://landing/a.csv:3"}, {"source": b"s3://landing/a.csv:3"}),
        ({"partition": 2, "offset": 17}, {"partition": b"2", "offset": b"17"}),
    ],
)
def test_headers_say_why_and_where(place: dict[str, object], last: dict[str, bytes]) -> None:
    assert dict(headers(CLICKSTREAM, WHY, place)) == {
        "code": b"out_of_range",
        "field": b"$.household_id",
        "reason": b"0 is too small.",
        "topic": b"clickstream.v1",
        **last,
    }


def test_only_a_value_that_is_too_long_is_left_out() -> None:
    longest = b"x" * MAX_VALUE_BYTES
    sent = [value_to_send(value) for value in (b"", longest, longest + b"x", None)]
    assert sent == [b"", longest, None, None]
