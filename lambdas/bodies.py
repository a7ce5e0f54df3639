"""How long a request's body may be, whatever route it is for: no longer than a batch of events."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambdas.intake import MAX_BODY


class LimitBodies:
    """ASGI middleware that refuses a body as soon as it is known to be too long, before it is held in memory.

    The refusal is raised where a route reads the body, so that it is answered as any other.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count what is received."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(received, _declared(scope)) > MAX_BODY:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {MAX_BODY} bytes."
                )
            return message

        await self._app(scope, counted, send)


def _declared(scope: Scope) -> int:
    """Length that the request claims; 0 where it claims none."""
    claimed = dict(scope["headers"]).get(b"content-length", b"")
    return int(claimed) if claimed.isdigit() else 0
