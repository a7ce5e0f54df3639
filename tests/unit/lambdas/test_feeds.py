"""What a feed answers: fetched from nowhere else, and item by item."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime

import pytest

from lambdas.pollers import feeds
from lambdas.pollers.feeds import FeedError, fetch, items
from mercato.contracts.events import WEATHER, Violation
from tests.infra.http_peer import peer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://feeds.example/weather"
GOOD = json.dumps(
    {"event_time": NOW.isoformat(), "store_id": 367, "temperature": 4.5, "precipitation": 0, "wind_speed": 2}
).encode()
DEEP = 100_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_goes_to_no_other_server(status: int) -> None:
    with (
        peer((200, b"[]")) as elsewhere,
        peer((status, b""), location=elsewhere.url) as feed,
        pytest.raises(FeedError, match=rf"redirects to {elsewhere.url}, .*set the feed's URL"),
    ):
        fetch(feed.url, "open-sesame")
    assert elsewhere.asked == []
    assert [token for token, _ in feed.asked] == ["Bearer open-sesame"]


@pytest.mark.parametrize(
    ("url", "token", "why"),
    [
        (URL, "open\nsesame", "The token of .* anew"),
        (URL, "Sesam öffne dich", "The token of"),
        ("https://feeds.example/ weather", None, "encode it as %20"),
        ("https://[feeds.example", None, "is no address"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_telling_the_token(
    url: str, token: str | None, why: str
) -> None:
    with pytest.raises(FeedError, match=why) as refused:
        fetch(url, token)
    assert token is None or token not in str(refused.value)


def test_a_feed_that_breaks_off_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAUSES", (0.0, 0.0))
    with peer((200, b"[1, 2"), breaks_off=True) as feed, pytest.raises(FeedError, match="does not answer"):
        fetch(feed.url, None)
    assert len(feed.asked) == 3


def test_a_byte_order_mark_costs_no_item() -> None:
    for body in (b'[{"a":1},{"b":2}]', b'[{"a":1},{"b":tru}]'):
        assert len([*items(URL, codecs.BOM_UTF8 + body)]) == 2


def test_a_redirect_without_a_host_is_named_whole() -> None:
    with (
        peer((302, b""), location="/v2/feed") as feed,
        pytest.raises(FeedError, match=feed.url.removesuffix("/feed") + "/v2/feed"),
    ):
        fetch(feed.url, None)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"a":1e999}', "unknown_field"),
        (b'{"temperature":1e999}', "out_of_range"),
        (b'{"store_id":' + b"1" * 5_000 + b"}", "out_of_range"),
        (b'{"event_id":"\xff"}', "not_utf8"),
        (b'{"event_id":"\\ud800"}', "malformed_json"),
        (b"[" * DEEP + b"]" * DEEP, "oversized"),
        (b"[" * 10_000 + b'"]}\\"",' + b'{"a":1}' + b"]" * 10_000, "wrong_type"),
        (b'{"event_id":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "wrong_type"),
        (b'{"event_time":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}", "wrong_type"),
        (b"{'event_id': 1}", "malformed_json"),
        (b"", "malformed_json"),
        (b"7", "wrong_type"),
    ],
)
def test_a_bad_item_is_refused_and_the_others_are_not(bad: bytes, code: str) -> None:
    found = list(items(URL, b" [" + b" , ".join([GOOD, bad, GOOD, bad, GOOD]) + b"] \n"))
    assert [raw.source for raw in found] == [f"{URL}#{number}" for number in range(1, 6)]
    received = [WEATHER.receive(raw.value, NOW) for raw in found]
    assert [each.code if isinstance(each, Violation) else "taken" for each in received] == [
        "taken",
        code,
        "taken",
        code,
        "taken",
    ]
    assert received[0] == received[2]  # the same content has the same id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1",
        b"nothing",
        b"[" * DEEP,
        b"[" * DEEP + b"]" * (DEEP - 1),
        b'{"a":%s}' % (b"[" * DEEP),
    ],
)
def test_what_is_no_array_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(FeedError, match="answers no JSON array"):
        list(items(URL, body))
