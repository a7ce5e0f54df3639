"""A model behind SageMaker's container contract, as a plain process.

`GET /ping` is 200 once there is a model. `POST /invocations` takes feature rows as `text/csv` (an empty
cell is unknown), `application/x-npy` or `application/json` (`{"instances": [[...]]}`, null is unknown) and
answers scores in the type that Accept names, else in the type of the request. To who accepts
`application/vnd.mercato.explained+json` it also says what raised each score, strongest first. A model that is
written to the folder later, or replaced there, is taken up with the next request. A share of the requests can
be kept, as an endpoint's data capture does on SageMaker.
"""

from __future__ import annotations

import argparse
import os
from http import HTTPStatus
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mercato_models.arrays import Floats32
from mercato_models.artifact import Model, ModelError, modified
from mercato_models.drift.captures import Recorder
from mercato_models.rows import CSV, JSON, NPY, RowsError, answered, decode
from mercato_models.servable import Servable, load

#: Header in which a container may say something of its own.
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
#: SageMaker's own limit for a request.
MAX_BODY = 25 * 1024 * 1024


class Served:
    """The newest model of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Servable | None = None
        self._modified: int | None = None

    def newest(self) -> Servable:
        """The model, read again if its file changed.

        Raises:
            HTTPException: there is none yet (503).
        """
        now = modified(self._folder)
        if self._read is None or now not in (None, self._modified):
            try:
                self._read, self._modified = load(self._folder), now
            except ModelError as error:
                raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        return self._read


def application(folder: Path, recorder: Recorder | None = None) -> Starlette:
    """The container's two routes over the model of a folder.

    Args:
        recorder: keeps a share of the requests.
    """
    served = Served(folder)

    async def ping(_request: Request) -> Response:
        return Response(headers=_version(served.newest().model))

    async def invocations(request: Request) -> Response:
        newest = served.newest()
        kind = _kind(request.headers.get("content-type", CSV))
        answer = answered(request.headers.get("accept", ""), kind)
        body = await _body(request)
        rows = _rows(newest, body, kind)
        if recorder:
            recorder.offer(body, kind)
        return Response(newest.answer(rows, answer), media_type=answer, headers=_version(newest.model))

    return Starlette(
        routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])],
        exception_handlers={HTTPException: _refuse},
    )


def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail + "\n", error.status_code, headers=error.headers)


def _version(model: Model) -> dict[str, str]:
    return {ATTRIBUTES: f"model_version={model.version}"}


def _kind(content_type: str) -> str:
    kind = content_type.split(";")[0].strip().lower()
    if kind not in (CSV, NPY, JSON):
        message = f"content type {kind!r} is not one of {CSV}, {NPY}, {JSON}"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    return kind


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request holds at most {MAX_BODY} bytes"
            )
    return bytes(body)


def _rows(served: Servable, body: bytes, kind: str) -> Floats32:
    """The model's rows of a request.

    Raises:
        HTTPException: they cannot be read, or don't have the model's columns (400).
    """
    try:
        return served.rows(decode(body, kind))
    except RowsError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from error


def main(description: str) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1", help="a container binds 0.0.0.0 (default: loopback)")
    parser.add_argument("--port", type=int, default=os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    parser.add_argument("--capture-to", type=Path, help="folder for a share of the requests (default: none)")
    parser.add_argument("--capture-percent", type=int, default=10, help="that share (default: 10)")
    args = parser.parse_args()
    recorder = Recorder(args.capture_to, args.capture_percent) if args.capture_to else None
    uvicorn.run(
        application(args.model_dir, recorder),
        host=args.host,
        port=args.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )
