"""What stands before a domain of OpenSearch Service: lets through what is signed by the right key."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_SERVICE = "es"


@dataclass
class Proxy:
    """Attributes: its URL; statuses of what it was asked, in order."""

    url: str
    statuses: list[int] = field(default_factory=list)


@contextmanager
def signed_proxy(target: str, credentials: Credentials, region: str) -> Iterator[Proxy]:
    """A server that answers as `target`, but 403 to what these credentials have not signed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = self._forward(body) if self._is_signed(body) else (403, b'{"message":"signature"}')
            there.statuses.append(status)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said)

        def _is_signed(self, body: bytes) -> bool:
            given = self.headers.get("Authorization", "")
            parts = dict(part.partition("=")[::2] for part in given.replace(",", " ").split() if "=" in part)
            asked = AWSRequest(
                self.command,
                f"http://{self.headers['Host']}{self.path}",
                {name: self.headers[name] for name in parts.get("SignedHeaders", "").split(";") if name},
                body,
            )
            asked.context["timestamp"] = self.headers.get("X-Amz-Date", "")
            auth = SigV4Auth(credentials, _SERVICE, region)
            expected = auth.signature(auth.string_to_sign(asked, auth.canonical_request(asked)), asked)
            scope = (
                f"{credentials.access_key}/{asked.context['timestamp'][:8]}/{region}/{_SERVICE}/aws4_request"
            )
            return (parts.get("Credential"), parts.get("Signature")) == (scope, expected)

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            request = urllib.request.Request(
                f"{target}{self.path}",
                body or None,
                {"Content-Type": "application/json"},
                method=self.command,
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Proxy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
