"""Functions that take events in, as they ship, with a real Kafka behind them."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from mercato.contracts.events import CLICKSTREAM, PAYMENTS, WEATHER, Click
from mercato.local.ports import free_port
from mercato.settings import Settings
from tests.infra.function_events import click, kafka_variables, values
from tests.infra.http_peer import peer
from tests.infra.lambda_runtime import Runtime, body, request
from tests.integration.records import consume, payment

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.mark.exercises("function-collector")
def test_the_collector_has_events_on_kafka_when_it_answers(
    runtime: Runtime, topics: Settings, tmp_path: Path
) -> None:
    batch = json.dumps([click(number) for number in range(3)])
    invoked = runtime.invoke(
        "collector",
        request("POST", "/v1/events", batch),
        request("POST", "/v1/events", json.dumps({**click(4), "action": "dance"})),
        request("GET", "/v1/recommendations/1"),
        **kafka_variables(topics, tmp_path),
    )
    taken, refused, elsewhere = invoked.answers
    assert (taken["statusCode"], refused["statusCode"], elsewhere["statusCode"]) == (202, 422, 404)
    assert json.loads(body(refused))["errors"][0]["code"] == "out_of_range"
    clicks = [CLICKSTREAM.decode(value, datetime.now(UTC)) for value in values(topics, CLICKSTREAM.name)]
    assert sorted(click.event_id for click in clicks if isinstance(click, Click)) == ["c0", "c1", "c2"]


@pytest.mark.exercises("function-collector")
def test_the_collector_says_so_when_kafka_is_gone(runtime: Runtime, tmp_path: Path) -> None:
    gone = Settings(home=tmp_path, kafka_bootstrap=f"127.0.0.1:{free_port()}")
    (answer,) = runtime.invoke(
        "collector", request("POST", "/v1/events", json.dumps(click(1))), **kafka_variables(gone, tmp_path)
    ).answers
    assert answer["statusCode"] == 503


def _landed(key: str) -> dict[str, Any]:
    """An object's event, as EventBridge gives it."""
    return {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "region": "eu-central-1",
        "detail": {
            "version": "0",
            "bucket": {"name": "landing"},
            "object": {"key": key, "size": 1, "etag": "e", "sequencer": "0"},
            "reason": "PutObject",
        },
    }


@pytest.mark.exercises("function-landing")
def test_landed_files_reach_their_topic_and_what_is_broken_is_put_aside(
    runtime: Runtime, aws: str, topics: Settings, tmp_path: Path
) -> None:
    lines = b"\n".join([payment(1), b"{", payment(2, amount=-1), payment(3)])
    rows = (
        "event_id,event_time,household_id,store_id,basket_id,card_id,terminal_id,amount,entry_mode",
        "p5,2026-01-01T00:00:00Z,1,2,3,card,till,4.5,chip",
        "p6,soon",
    )
    files = {
        "payments.v1/a b.jsonl": lines,
        "payments.v1/c.jsonl.gz": gzip.compress(payment(4)),
        "payments.v1/d.csv": "\n".join(rows).encode(),
        "payments.v1/cut.jsonl.gz": gzip.compress(payment(7))[:-9],
        "payments.v1/e.xlsx": b"PK",
        "nothing.v1/f.jsonl": payment(8),
    }
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key, content in files.items():
        s3.put_object(Bucket="landing", Key=key, Body=content)
    invoked = runtime.invoke(
        "landing",
        *map(_landed, files),
        _landed("refused/nothing.v1/f.jsonl"),
        _landed("payments.v1/e.xlsx"),
        AWS_ENDPOINT_URL=aws,
        **kafka_variables(topics, tmp_path),
    )
    *read, cut, unknown_suffix, unknown_topic, aside, again = invoked.answers
    assert [(one["sent"], one["refused"]) for one in read] == [(2, 2), (1, 0), (1, 1)]
    assert all("unreadable" in one for one in (cut, unknown_suffix, unknown_topic))
    assert all("ignored" in one for one in (aside, again))

    payments = [PAYMENTS.decode(value, datetime.now(UTC)) for value in values(topics, PAYMENTS.name)]
    assert {"p1", "p3", "p4", "p5"} <= {event.event_id for event in payments}  # type: ignore[union-attr]
    refused = [dict(message.headers()) for message in consume(topics, PAYMENTS.quarantine)]
    assert sorted((each["source"], each["code"]) for each in refused) == [
        (b"s3://landing/payments.v1/a b.jsonl#2", b"malformed_json"),
        (b"s3://landing/payments.v1/a b.jsonl#3", b"out_of_range"),
        (b"s3://landing/payments.v1/d.csv#2", b"out_of_range"),
    ]

    kept = {each["Key"] for each in s3.list_objects_v2(Bucket="landing")["Contents"]}
    bad = ("payments.v1/cut.jsonl.gz", "payments.v1/e.xlsx", "nothing.v1/f.jsonl")
    assert kept == {*list(files)[:3]} | {f"refused/{key}{end}" for key in bad for end in ("", ".reason.json")}
    reason = s3.get_object(Bucket="landing", Key="refused/nothing.v1/f.jsonl.reason.json")["Body"].read()
    assert "names no topic" in json.loads(reason)["reason"]


@pytest.mark.exercises("function-pollers")
def test_a_poll_tries_again_and_sends_what_satisfies_its_contract(
    runtime: Runtime, aws: str, topics: Settings, tmp_path: Path
) -> None:
    now = datetime.now(UTC).isoformat()
    good = {"event_time": now, "store_id": 367, "temperature": 4.5, "precipitation": 0, "wind_speed": 2}
    feed = json.dumps([good, {**good, "temperature": 451}, 7]).encode()
    secret = boto3.client("secretsmanager").create_secret(
        Name="feeds", SecretString=json.dumps({"weather": "open-sesame"})
    )
    with peer((503, b""), (200, feed)) as weather:
        invoked = runtime.invoke(
            "pollers",
            {"feed": "weather"},
            {"feed": "weather"},
            AWS_ENDPOINT_URL=aws,
            MERCATO_WEATHER_URL=weather.url,
            MERCATO_FEEDS_SECRET_ARN=secret["ARN"],
            **kafka_variables(topics, tmp_path),
        )
    assert invoked.answers == [{"feed": "weather", "sent": 1, "refused": 2}] * 2
    assert [token for token, _ in weather.asked] == ["Bearer open-sesame"] * 3
    first, second = (WEATHER.decode(value, datetime.now(UTC)) for value in values(topics, WEATHER.name))
    assert first == second  # the same look at the weather, known by the same id
    codes = [dict(message.headers())["code"] for message in consume(topics, WEATHER.quarantine)]
    assert sorted(codes) == [b"out_of_range", b"out_of_range", b"wrong_type", b"wrong_type"]


@pytest.mark.exercises("function-collector")
def test_the_bundle_makes_tokens_for_msk(runtime: Runtime) -> None:
    """No MSK answers here: held to what its documentation says of a token, not to a broker's word."""
    token, expires = json.loads(
        runtime.run(
            "collector",
            "import json\n"
            "from mercato.settings import Settings\n"
            "from mercato.stream.kafka import client_config\n"
            "config = client_config(Settings(kafka_bootstrap='b:9098', kafka_auth='iam'))\n"
            "print(json.dumps(config['oauth_cb']('')))",
        )
    )
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    assert url.hostname == "kafka.eu-central-1.amazonaws.com"
    asked = parse_qs(url.query)
    assert asked["Action"] == ["kafka-cluster:Connect"]
    assert "X-Amz-Signature" in asked
    assert 600 < expires - datetime.now(UTC).timestamp() <= 900
