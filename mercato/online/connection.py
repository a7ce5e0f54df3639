"""How every Redis client of Mercato reaches its server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.retry import Retry

from mercato.errors import MercatoError
from mercato.settings import Settings

#: Redis answers in well under a millisecond; a request must not wait long for one that is gone.
TIMEOUT_SECONDS = 0.5
#: What writes in bulk may wait longer.
BULK_TIMEOUT_SECONDS = 30.0
#: Seconds after which a secret is read again, so that a rotated password is taken up.
_SECRET_SECONDS = 300.0


class OnlineUnavailableError(MercatoError):
    """Redis cannot be reached, doesn't answer in time, or refuses."""


class OnlineKeyError(OnlineUnavailableError):
    """A key holds what does not belong there, which no waiting heals; other keys answer."""


class SecretCredentials(CredentialProvider):  # type: ignore[misc]
    """User and password from Secrets Manager, read when a connection is made and kept for a while.

    Args:
        arn: secret with the JSON keys `username` and `password`.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._held: tuple[str, str] = ("", "")
        self._until = 0.0

    def get_credentials(self) -> tuple[str, str]:
        """See redis-py.

        Raises:
            redis.ConnectionError: the secret cannot be read.
        """
        if time.monotonic() >= self._until:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError

            try:
                _, _, _, region, *_ = self._arn.split(":")  # Spark's workers know of none
                client = boto3.client("secretsmanager", region_name=region)
                secret = client.get_secret_value(SecretId=self._arn)
                credentials = json.loads(secret["SecretString"])
                self._held = (credentials["username"], credentials["password"])
            except (BotoCoreError, ClientError, ValueError, KeyError) as error:
                raise redis.ConnectionError(f"the secret {self._arn} cannot be used: {error!r}") from error
            self._until = time.monotonic() + _SECRET_SECONDS
        return self._held


def connect(settings: Settings, timeout: float = TIMEOUT_SECONDS) -> redis.Redis:
    """A client with a connection pool; nothing is connected yet.

    Args:
        timeout: seconds to connect, and to wait for an answer.

    Raises:
        mercato.settings.NotRunningError: Redis has no address.
        MercatoError: the address is none.
    """
    own: dict[str, Any] = {}
    if settings.redis_secret_arn:
        own["credential_provider"] = SecretCredentials(settings.redis_secret_arn)
    url = settings.require("redis_url")
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # one, for a connection that the server closed while idle
            **own,
        )
    except ValueError as error:  # which does not repeat the address, and so no password
        raise MercatoError(f"MERCATO_REDIS_URL is no address of a Redis: {error}") from error


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Redis raises, as OnlineUnavailableError."""
    try:
        yield
    except redis.ResponseError as error:
        # A pipeline puts the command before it, with names that anybody may have chosen.
        _, _, answer = str(error).rpartition("caused error: ")
        kind = OnlineKeyError if answer.startswith("WRONGTYPE") else OnlineUnavailableError
        raise kind(f"Redis refused: {error}") from error
    except redis.RedisError as error:
        raise OnlineUnavailableError(
            f"Redis does not answer ({error}): is it running? `mercato status`"
        ) from error
