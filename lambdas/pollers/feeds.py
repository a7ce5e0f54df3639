"""What a feed answers over HTTPS: an array of events, fetched with limits."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from lambdas.delivery import Raw
from mercato.errors import MercatoError

TIMEOUT_SECONDS = 10
#: Waits between tries, in seconds.
PAUSES = (1.0, 3.0)
MAX_BYTES = 16 * 1024 * 1024
_LOCAL = {"127.0.0.1", "localhost"}


class FeedError(MercatoError):
    """A feed can't be used."""


def fetch(url: str, token: str | None) -> bytes:
    """Body of a feed; tried again when it is the server or the way there that fails.

    Args:
        token: bearer token, `None` for a feed that asks for none.

    Raises:
        FeedError: no body within the limits.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise FeedError(f"{url} is no HTTPS address: set the feed's URL to one.")
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    for pause in (*PAUSES, None):
        try:
            asked = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:
                body: bytes = answer.read(MAX_BYTES + 1)
            break
        except urllib.error.HTTPError as error:
            temporary = error.code >= 500 or error.code == HTTPStatus.TOO_MANY_REQUESTS
            if pause is None or not temporary:
                raise FeedError(
                    f"{url} answered {error.code}: see that its URL and token are right."
                ) from error
        except OSError as error:
            if pause is None:
                raise FeedError(f"{url} does not answer ({error}): is it reachable from here?") from error
        time.sleep(pause)
    if len(body) > MAX_BYTES:
        raise FeedError(f"{url} answers more than {MAX_BYTES} bytes: ask it for less at a time.")
    return body


def items(url: str, body: bytes) -> Iterator[Raw]:
    """Every item of a feed's array. One without an id gets that of its content: the same twice is one.

    Raises:
        FeedError: the body is no JSON array.
    """
    try:
        found = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError(f"{url} answers no JSON array: {error}.") from error
    for number, item in enumerate(found, 1):
        yield Raw(_with_id(bytes(item)), f"{url}#{number}")


def _with_id(value: bytes) -> bytes:
    event = msgspec.json.decode(value)
    if not isinstance(event, dict) or "event_id" in event:
        return value
    content = msgspec.json.encode(event, order="sorted")
    return msgspec.json.encode({**event, "event_id": hashlib.sha256(content).hexdigest()})
