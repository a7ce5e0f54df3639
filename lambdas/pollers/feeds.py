"""What a feed answers over HTTPS: an array of events, fetched with limits."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from lambdas.delivery import Raw
from mercato.contracts.events import UNREADABLE, WEATHER, unreadable
from mercato.errors import MercatoError

TIMEOUT_SECONDS = 10
#: Waits between tries, in seconds.
PAUSES = (1.0, 3.0)
MAX_BYTES = 16 * 1024 * 1024
_VISIBLE = re.compile("[!-~]+")
_REDIRECTS = range(300, 400)
_ID = WEATHER.c.event_id
_LOCAL = {"127.0.0.1", "localhost"}
#: A string, in which brackets and commas mean nothing, or a bracket or comma.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{},]', re.DOTALL)


class FeedError(MercatoError):
    """A feed cannot be used."""


class _FailingError(FeedError):
    """It can be, perhaps, in a while."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: the token is meant for one server, and only that one was checked to use HTTPS."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def fetch(url: str, token: str | None) -> bytes:
    """Body of a feed; tried again when it is the server or the way there that fails.

    Args:
        token: bearer token, `None` for a feed that asks for none.

    Raises:
        FeedError: no body within the limits.
    """
    _check(url, token)
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    for pause in PAUSES:
        with contextlib.suppress(_FailingError):
            return _body(url, headers)
        time.sleep(pause)
    return _body(url, headers)


def _body(url: str, headers: dict[str, str]) -> bytes:
    asked = urllib.request.Request(url, headers=headers)
    try:
        with _opener.open(asked, timeout=TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read(MAX_BYTES + 1)
            if answer.length and len(body) <= MAX_BYTES:
                raise http.client.IncompleteRead(body, answer.length)
    except urllib.error.HTTPError as error:
        raise _refused(url, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _FailingError(f"{url} does not answer ({error}): is it reachable from here?") from error
    if len(body) > MAX_BYTES:
        raise FeedError(f"{url} answers more than {MAX_BYTES} bytes: ask it for less at a time.")
    return body


def _refused(url: str, error: urllib.error.HTTPError) -> FeedError:
    if error.code in _REDIRECTS and (target := error.headers["Location"]):
        return FeedError(
            f"{url} redirects to {urljoin(url, target)}, and redirects are not followed: "
            "set the feed's URL to that address if it is the provider's."
        )
    temporary = error.code >= 500 or error.code == HTTPStatus.TOO_MANY_REQUESTS
    kind = _FailingError if temporary else FeedError
    return kind(f"{url} answered {error.code}: see that its URL and token are right.")


def _check(url: str, token: str | None) -> None:
    """Refuse what `http.client` would, which quotes it: a token belongs into no log."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FeedError(f"{url} is no address ({error}): correct the feed's URL.") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise FeedError(f"{url} is no HTTPS address: set the feed's URL to one.")
    if not (_VISIBLE.fullmatch(url)):
        raise FeedError(f"{url!r} holds a blank or a character beyond ASCII: encode it as %20 and the like.")
    if token and not _VISIBLE.fullmatch(token):
        raise FeedError(
            f"The token of {url} holds a blank or a character beyond ASCII: put it into its secret anew."
        )


def items(url: str, body: bytes) -> Iterator[Raw]:
    """Every item of a feed's array. One without an id gets that of its content: the same twice is one.

    What cannot be read comes as it is, for its contract to refuse it; the others do not suffer from it.

    Raises:
        FeedError: the body is no JSON array.
    """
    for number, item in enumerate(_items(url, body), 1):
        yield Raw(_with_id(bytes(item)), f"{url}#{number}")


def _items(url: str, body: bytes) -> Sequence[msgspec.Raw | bytes]:
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except UNREADABLE as error:
        if (parts := _split(body.strip())) is None:
            raise FeedError(f"{url} answers no JSON array: {unreadable(error).reason}") from error
        return parts


def _split(array: bytes) -> list[bytes] | None:
    """Items of an array that the decoder cannot read, by their brackets; `None` where these don't match."""
    parts: list[bytes] = []
    depth = begin = 0
    for token in _TOKEN.finditer(array):
        sign = token[0]
        depth -= sign in (b"]", b"}")
        if depth == 0 or (depth == 1 and sign == b","):
            parts += [array[begin : token.start()].strip()] if begin else []
            begin = token.end()
        depth += sign in (b"[", b"{")
    return parts if array.startswith(b"[") and depth == 0 and begin == len(array) else None


def _with_id(value: bytes) -> bytes:
    try:
        event = msgspec.json.decode(value)
        if not isinstance(event, dict) or _ID in event:
            return value
        content = msgspec.json.encode(event, order="sorted")
        return msgspec.json.encode({**event, _ID: hashlib.sha256(content).hexdigest()})
    except UNREADABLE:
        return value
