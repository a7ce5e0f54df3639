"""A scorer process that speaks the container contract; its score is the sum of a row.

Run as `python scorer.py PORT`.
"""

from __future__ import annotations

import io
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


class Handler(BaseHTTPRequestHandler):
    """/ping and /invocations over npy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        rows = np.load(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
        scores = io.BytesIO()
        np.save(scores, np.nansum(rows, axis=1))
        self._answer(scores.getvalue())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "model_version=7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
