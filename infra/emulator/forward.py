"""One address for two emulators: what ministack lacks, moto answers."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

#: By the name with which requests are signed.
SERVICES = frozenset(
    {"aps", "application-autoscaling", "emr-serverless", "lakeformation", "sagemaker", "servicequotas"}
)
#: Operations of services that ministack has without them.
TARGETS = re.compile(r"AWSGlue\.(\w*Registr(y|ies)|\w*Schemas?|\w*SchemaVersion\w*|GetSchemaByDefinition)")

_SIGNED = re.compile(r"Credential=(\d{12})?[^/]*/\d{8}/[\w-]+/([\w-]+)/aws4_request")
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding"}


class Forward:
    """ASGI middleware in front of ministack.

    Args:
        app: ministack.
        moto: address of moto.
        account: of requests whose key is not an account's number.
    """

    def __init__(self, app: App, moto: str, account: str) -> None:
        self._app = app
        self._moto = moto
        self._account = account

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, or hand it on."""
        headers = {name.decode().lower(): value.decode() for name, value in scope.get("headers", ())}
        signed = _SIGNED.search(headers.get("authorization", ""))
        if scope["type"] != "http" or not signed or not _is_motos(signed.group(2), headers):
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope.get("raw_path", scope["path"].encode()).decode()
        query = scope.get("query_string", b"").decode()
        request = urllib.request.Request(
            f"{self._moto}{path}{'?' + query if query else ''}",
            data=body or None,
            method=scope["method"],
            headers={
                **{name: value for name, value in headers.items() if name not in _HOP_BY_HOP},
                "x-moto-account-id": signed.group(1) or self._account,
            },
        )
        status, answered, content = await asyncio.to_thread(_exchange, request)
        await send({"type": "http.response.start", "status": status, "headers": answered})
        await send({"type": "http.response.body", "body": content})


def _is_motos(service: str, headers: dict[str, str]) -> bool:
    return service in SERVICES or TARGETS.fullmatch(headers.get("x-amz-target", "")) is not None


def _exchange(request: urllib.request.Request) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, headers, content = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, headers, content = error.code, error.headers, error.read()
    kept = [
        (name.lower().encode(), value.encode())
        for name, value in headers.items()
        if name.lower() not in _HOP_BY_HOP
    ]
    return status, [*kept, (b"content-length", str(len(content)).encode())], content
