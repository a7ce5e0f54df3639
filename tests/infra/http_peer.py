"""A server outside of Mercato, as far as a test needs one: answers in turn, remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Peer:
    """Attributes: its URL; what it was asked, as pairs of the Authorization header and the body."""

    url: str
    asked: list[tuple[str | None, bytes]] = field(default_factory=list)


@contextmanager
def peer(
    *answers: tuple[int, bytes], location: str | None = None, breaks_off: bool = False
) -> Iterator[Peer]:
    """A server that gives these statuses and bodies in turn, then the last one for ever.

    Args:
        answers: pairs of status and body.
        location: header of every answer.
        breaks_off: whether it promises more than it sends.
    """
    turns: Sequence[tuple[int, bytes]] = answers

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            status, said = turns[min(len(there.asked), len(turns) - 1)]
            there.asked.append((self.headers["Authorization"], body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(said) + breaks_off))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Peer(f"http://127.0.0.1:{server.server_port}/feed")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
