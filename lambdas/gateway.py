"""An ASGI app as a Lambda function behind API Gateway."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

from lambdas.embedded_metrics import EmbeddedMetrics

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def behind_gateway(app: FastAPI, services: Any) -> Handler:
    """A Lambda handler for HTTP API events (payload 2.0), which tells the app's metrics after each.

    Services are opened once per execution environment: the app's own lifespan would open
    them with every request.
    """
    app.state.services = services
    answer = Mangum(app, lifespan="off")
    metrics = EmbeddedMetrics(services.metrics, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", app.title))

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answered: dict[str, Any] = answer(event, context)
        if line := metrics.line():
            print(line, flush=True)
        return answered

    return handler
