"""The local deploy as its users meet it: AWS's own APIs, the gateway with tokens, the topics behind."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from infra.emulator.account import session
from mercato.contracts.events import Topic
from mercato.errors import MercatoError
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.offsets import watermarks
from mercato.stream.topics import kafka_name

#: Of every resource's name.
PREFIX = "mercato-local-"
_PATIENCE_SECONDS = 60.0


class SmokeError(MercatoError):
    """Something that was deployed does not do what it is for."""


@dataclass(frozen=True)
class Platform:
    """The local deploy and the engines beside it."""

    endpoint: str
    settings: Settings

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        return session().client(service, endpoint_url=self.endpoint)

    def api(
        self, method: str, path: str, token: str | None = None, body: bytes | None = None
    ) -> tuple[int, Any]:
        """Status and answer of a call through API Gateway."""
        (api,) = [
            each for each in self.client("apigatewayv2").get_apis()["Items"] if each["Name"] == f"{PREFIX}api"
        ]
        url = f"{self.endpoint}/_aws/execute-api/{api['ApiId']}/$default{path}"
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @property
    def pool_id(self) -> str:
        """The user pool."""
        pools = self.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        (found,) = [each["Id"] for each in pools if each["Name"] == f"{PREFIX}people"]
        return str(found)

    @property
    def panel(self) -> str:
        """Address of the admin panel, for a browser."""
        (address,) = self._client("panel")["LogoutURLs"]
        return str(address)

    def _client(self, name: str) -> dict[str, Any]:
        """What the user pool knows of a client."""
        cognito, pool = self.client("cognito-idp"), self.pool_id
        clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
        (client,) = [each["ClientId"] for each in clients if each["ClientName"] == name]
        found: dict[str, Any] = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)[
            "UserPoolClient"
        ]
        return found

    def token(self, scope: str, name: str = "shop") -> str:
        """An hour's token of a client."""
        client = self._client(name)
        basic = base64.b64encode(f"{client['ClientId']}:{client['ClientSecret']}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": scope}).encode()
        request = urllib.request.Request(
            f"{self.endpoint}/oauth2/token", form, {"Authorization": f"Basic {basic}"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
            token: str = json.loads(answer.read())["access_token"]
            return token

    def arrives(self, topic: Topic, event_id: str) -> None:
        """Wait until an event is on its topic.

        Raises:
            SmokeError: it does not come.
        """
        consumer = Consumer(client_config(self.settings) | {"group.id": uuid.uuid4().hex})
        consumer.assign(_recent(consumer, kafka_name(self.settings, topic.name)))
        try:
            self.until(f"{event_id} is on {topic.name}", lambda: event_id.encode() in _value(consumer))
        finally:
            consumer.close()

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds.

        Raises:
            SmokeError: it does not within a minute.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise SmokeError(f"It should be so by now, but is not: {what}; look into var/aws/aws.log.")
            time.sleep(0.2)


def _recent(consumer: Consumer, topic: str) -> list[TopicPartition]:
    """Where the newest events of a topic begin, which may hold a year of older ones."""
    since = int(1000 * (time.time() - 2 * _PATIENCE_SECONDS))
    known = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
    ends = [watermarks(consumer, TopicPartition(topic, number))[1] for number in known]
    found = consumer.offsets_for_times([TopicPartition(topic, number, since) for number in known])
    for partition, end in zip(found, ends, strict=True):
        if partition.offset < 0:
            partition.offset = end
    return list(found)


def _value(consumer: Consumer) -> bytes:
    message = consumer.poll(0.5)
    return b"" if message is None or message.error() else message.value() or b""
