"""Data access: where the model answers, a container's HTTP or a SageMaker endpoint; the same bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import urllib3

from mercato.settings import Settings

log = logging.getLogger(__name__)

#: Seconds; the model's own budget is 5 ms, what takes a hundred times as long is broken.
CONNECT_TIMEOUT = 0.1
READ_TIMEOUT = 0.5
#: Kept-alive connections at most.
CONNECTIONS = 16

NPY = "application/x-npy"
#: Header in which a SageMaker container may say something of its own; here `model_version=3`.
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class ScorerUnavailableError(Exception):
    """The scorer did not answer in time, or not with scores."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the container answered: its body, and what it says of itself."""

    body: bytes
    attributes: str


class ModelEndpoint(Protocol):
    """Takes rows in NPY format and gives scores. Safe to use from several threads."""

    @property
    def known(self) -> bool:
        """Whether there is an address to ask."""
        ...

    def invoke(self, body: bytes, accept: str = NPY) -> Answer:
        """Ask for scores, in a format that the container knows.

        Raises:
            ScorerUnavailableError: none within the timeouts.
        """
        ...

    def ping(self) -> Answer | None:
        """What a healthy endpoint says; `None` from one that cannot be asked.

        Raises:
            ScorerUnavailableError: it is not.
        """
        ...

    def forget(self) -> None:
        """Drop connections: the endpoint may come back elsewhere."""
        ...


class Container:
    """A container by SageMaker's contract, over HTTP.

    urllib3 rather than httpx: measured 0.9 ms of CPU per call of 60 kB against 1.4 ms.

    Args:
        find: address of the container, `None` while it was never started. Asked again after
            failures: it may have come back elsewhere.
        service: that runs it on one machine.
    """

    def __init__(self, find: Callable[[], str | None], service: str) -> None:
        self._find, self._service = find, service
        self._pool: urllib3.HTTPConnectionPool | None = None

    @property
    def known(self) -> bool:
        """See `ModelEndpoint`."""
        return self._pool is not None or self._find() is not None

    def invoke(self, body: bytes, accept: str = NPY) -> Answer:
        """See `ModelEndpoint`."""
        return self._request("POST", "/invocations", body, accept)

    def ping(self) -> Answer | None:
        """See `ModelEndpoint`."""
        return self._request("GET", "/ping", None)

    def forget(self) -> None:
        """See `ModelEndpoint`."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _request(self, method: str, path: str, body: bytes | None, accept: str = NPY) -> Answer:
        headers = {"Content-Type": NPY, "Accept": accept}
        try:
            answer = self._connected().request(method, path, body=body, headers=headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ScorerUnavailableError(str(error)) from error
        if answer.status != HTTPStatus.OK:
            raise ScorerUnavailableError(f"{path} answered {answer.status}: {answer.data[:200]!r}")
        return Answer(answer.data, answer.headers.get(ATTRIBUTES, ""))

    def _connected(self) -> urllib3.HTTPConnectionPool:
        pool = self._pool
        if pool is None:
            url = self._find()
            if url is None:
                raise ScorerUnavailableError(f"never started; `mercato up {self._service}` starts it")
            pool = self._pool = urllib3.connection_from_url(
                url,
                maxsize=CONNECTIONS,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
                retries=False,
            )
        return pool


class SageMakerEndpoint:
    """A SageMaker endpoint, asked as this process's AWS role.

    Args:
        name: of the endpoint.
    """

    known = True

    def __init__(self, name: str) -> None:
        import boto3
        from botocore.config import Config

        self._name = name
        self._client: Any = boto3.client(
            "sagemaker-runtime",
            config=Config(
                connect_timeout=READ_TIMEOUT,  # a TLS handshake, unlike a container beside us
                read_timeout=READ_TIMEOUT,
                retries={"total_max_attempts": 1},
                max_pool_connections=CONNECTIONS,
            ),
        )

    def invoke(self, body: bytes, accept: str = NPY) -> Answer:
        """See `ModelEndpoint`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._name, Body=body, ContentType=NPY, Accept=accept
            )
            return Answer(answer["Body"].read(), answer.get("CustomAttributes", ""))
        except (BotoCoreError, ClientError) as error:
            # It names roles and accounts, and callers are told what is raised.
            log.warning("the endpoint %s did not answer: %s", self._name, error)
            raise ScorerUnavailableError("its endpoint did not answer; the API's log says why") from error

    def ping(self) -> Answer | None:
        """See `ModelEndpoint`: SageMaker pings the container itself, callers cannot."""
        return None

    def forget(self) -> None:
        """See `ModelEndpoint`: its address does not change."""


def ranker_endpoint(settings: Settings) -> ModelEndpoint:
    """Where the settings say that the ranker answers."""
    if settings.scorer_endpoint:
        return SageMakerEndpoint(settings.scorer_endpoint)
    return Container(lambda: settings.endpoint("scorer_url"), "scorer")


def fraud_endpoint(settings: Settings) -> ModelEndpoint:
    """Where the settings say that the fraud model answers."""
    if settings.fraud_scorer_endpoint:
        return SageMakerEndpoint(settings.fraud_scorer_endpoint)
    return Container(lambda: settings.endpoint("fraud_scorer_url"), "fraud-scorer")
