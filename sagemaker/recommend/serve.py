"""Serve the recommendation ranker: the SageMaker container contract as a plain process.

    SM_MODEL_DIR=... SAGEMAKER_BIND_TO_PORT=8080 python serve.py [--host 0.0.0.0]

`GET /ping` is 200 once there is a model. `POST /invocations` takes feature rows as `text/csv` (an empty
cell is unknown), `application/x-npy` or `application/json` (`{"instances": [[...]]}`, null is unknown) and
answers scores in the type that Accept names, else in the type of the request. A model that is written
to the folder later, or replaced there, is taken up with the next request.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from http import HTTPStatus
from pathlib import Path

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mercato_models.recommend.artefact import Model, ModelError, load, modified
from mercato_models.recommend.ranker import score

CSV, NPY, JSON = "text/csv", "application/x-npy", "application/json"
#: Header in which a container may say something of its own.
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
#: SageMaker's own limit for a request.
MAX_BODY = 25 * 1024 * 1024


class Served:
    """The newest model of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Model | None = None
        self._modified: int | None = None

    def model(self) -> Model:
        """The model, read again if its file changed.

        Raises:
            HTTPException: there is none yet (503).
        """
        now = modified(self._folder)
        if self._model is None or now not in (None, self._modified):
            try:
                self._model, self._modified = load(self._folder), now
            except ModelError as error:
                raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        return self._model


def application(folder: Path) -> Starlette:
    """The container's two routes over the model of a folder."""
    served = Served(folder)

    async def ping(_request: Request) -> Response:
        return Response(headers=_version(served.model()))

    async def invocations(request: Request) -> Response:
        model = served.model()
        kind = _kind(request.headers.get("content-type", CSV))
        accepted = request.headers.get("accept", "")
        answer = next((known for known in (NPY, CSV, JSON) if known in accepted), kind)
        rows = _rows(await _body(request), kind, len(model.features))
        scores = score(model.booster, rows) if len(rows) else np.empty(0, np.float32)
        return Response(_encode(scores, answer), media_type=answer, headers=_version(model))

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
        said = f"content type {kind!r} is not one of {CSV}, {NPY}, {JSON}"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, said)
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


def _rows(body: bytes, kind: str, columns: int) -> NDArray[np.float32]:
    """Feature rows of a request.

    Raises:
        HTTPException: they can't be read, or don't have the model's columns (400).
    """
    try:
        rows = _DECODERS[kind](body)
    except (ValueError, TypeError, KeyError, EOFError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is not {kind} of numbers: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != columns:
        said = f"the model takes rows of {columns} columns, the request has shape {rows.shape}"
        raise HTTPException(HTTPStatus.BAD_REQUEST, said)
    return np.ascontiguousarray(rows, dtype=np.float32)


def _from_npy(body: bytes) -> NDArray[np.float32]:
    rows = np.load(io.BytesIO(body), allow_pickle=False)
    if not np.issubdtype(rows.dtype, np.number):
        raise ValueError(f"its type is {rows.dtype}")
    return np.asarray(rows, dtype=np.float32)


def _from_csv(body: bytes) -> NDArray[np.float32]:
    lines = body.decode().strip("\r\n").splitlines()
    cells = [[float(cell) if cell.strip() else np.nan for cell in line.split(",")] for line in lines]
    return np.array(cells, dtype=np.float32)


def _from_json(body: bytes) -> NDArray[np.float32]:
    return np.array(json.loads(body)["instances"], dtype=np.float32)


_DECODERS = {NPY: _from_npy, CSV: _from_csv, JSON: _from_json}


def _encode(scores: NDArray[np.float32], kind: str) -> bytes:
    if kind == NPY:
        held = io.BytesIO()
        np.save(held, scores)
        return held.getvalue()
    if kind == CSV:
        return "".join(f"{value}\n" for value in scores).encode()
    return json.dumps({"predictions": [{"score": value} for value in scores.tolist()]}).encode()


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="a container binds 0.0.0.0 (default: loopback)")
    parser.add_argument("--port", type=int, default=os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    given = parser.parse_args()
    uvicorn.run(
        application(given.model_dir),
        host=given.host,
        port=given.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
