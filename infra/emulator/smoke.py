"""What `make deploy-local` deployed, used: `python -m infra.emulator.smoke`.

Needs the Kafka and Redis that the deploy was told of. Each step goes in where a shop, a partner or a
clock would, and looks for the effect where it must be.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from infra.emulator import sdk
from infra.emulator.account import ACCOUNT, REGION
from infra.emulator.platform import PREFIX, Platform, SmokeError
from infra.emulator.servers import Emulator
from lambdas.scopes import ADMIN, EVENTS, READ
from mercato.contracts.events import CLICKSTREAM, WEATHER, Click, Weather
from mercato.errors import MercatoError
from mercato.settings import get_settings
from mercato.stream.topics import ensure_topics

#: Bucket in which the emulator serves the feed, and the object.
FEEDS, WEATHER_KEY = f"{PREFIX}feeds", "weather.json"
_AT_A_TIME = 2


def steps() -> Iterator[tuple[str, Callable[[Platform], None]]]:
    """Every step, with what it shows."""
    # The SDK alone takes long to import: first, so that the others run beside it.
    yield "SageMaker's SDK creates a model's pipeline and starts it", _pipeline
    yield "the API is well, and so are its brokers and its store", _health
    yield "without a token nobody gets in", _no_token
    yield "a token without the scope gets nowhere", _wrong_scope
    yield "a token with the scope gets an answer", _right_scope
    yield "reviewers get into the panel, shops do not", _panel
    yield "an event goes through the collector to its topic", _event
    yield "a landed file's events are on their topic", _landed
    yield "a landed file of no topic is put aside with its reason", _refused
    yield "a schedule has the feed looked at", _feed
    yield "the nightly run starts every batch job", _nightly


def _health(platform: Platform) -> None:
    said = _expect(platform.api("GET", "/healthz"), HTTPStatus.OK)
    for name in ("kafka", "redis"):
        if not said["dependencies"][name]["ok"]:
            raise SmokeError(f"The API cannot reach {name}: {said['dependencies'][name]['detail']}.")


def _no_token(platform: Platform) -> None:
    _expect(platform.api("GET", "/v1/households"), HTTPStatus.UNAUTHORIZED)


def _wrong_scope(platform: Platform) -> None:
    answer = platform.api("GET", "/v1/households", platform.token(EVENTS))
    _expect(answer, HTTPStatus.FORBIDDEN)


def _right_scope(platform: Platform) -> None:
    _expect(platform.api("GET", "/v1/households", platform.token(READ)), HTTPStatus.OK)


def _panel(platform: Platform) -> None:
    _expect(platform.api("GET", "/admin/v1/payments", platform.token(READ)), HTTPStatus.FORBIDDEN)
    _expect(platform.api("GET", "/admin/v1/payments", platform.token(ADMIN, "desk")), HTTPStatus.OK)


def _event(platform: Platform) -> None:
    click = _click()
    body = CLICKSTREAM.encode(click)
    answer = platform.api("POST", f"/v1/events/{CLICKSTREAM.name}", platform.token(EVENTS), body)
    _expect(answer, HTTPStatus.ACCEPTED)
    platform.arrives(CLICKSTREAM, click.event_id)


def _landed(platform: Platform) -> None:
    click = _click()
    _land(platform, f"{CLICKSTREAM.name}/{click.event_id}.jsonl", CLICKSTREAM.encode(click))
    platform.arrives(CLICKSTREAM, click.event_id)


def _refused(platform: Platform) -> None:
    key = f"nothing.v1/{uuid.uuid4().hex}.jsonl"
    bucket = _land(platform, key, b"{}")
    wanted = {f"refused/{key}", f"refused/{key}.reason.json"}
    s3 = platform.client("s3")

    def there() -> bool:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"refused/{key}").get("Contents", [])
        return {each["Key"] for each in listed} == wanted

    platform.until(f"{key} is put aside", there)


def _feed(platform: Platform) -> None:
    """The deployed schedule's own target, at the next second instead of in a quarter of an hour."""
    event = Weather(
        event_id=uuid.uuid4().hex,
        event_time=datetime.now(UTC),
        store_id=1,
        temperature=21.5,
        precipitation=0.0,
        wind_speed=3.0,
    )
    s3, scheduler = platform.client("s3"), platform.client("scheduler")
    s3.create_bucket(Bucket=FEEDS)
    s3.put_object(Bucket=FEEDS, Key=WEATHER_KEY, Body=b"[" + WEATHER.encode(event) + b"]")
    deployed = scheduler.get_schedule(Name=f"{PREFIX}weather")
    at = datetime.now(UTC) + timedelta(seconds=1)
    scheduler.create_schedule(
        Name=f"{PREFIX}weather-{event.event_id}",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={name: deployed["Target"][name] for name in ("Arn", "RoleArn", "Input")},
        ActionAfterCompletion="DELETE",
    )
    platform.arrives(WEATHER, event.event_id)


def _nightly(platform: Platform) -> None:
    machines, glue = platform.client("stepfunctions"), platform.client("glue")
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}nightly"
    run = machines.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    platform.until(
        "the nightly run is over",
        lambda: machines.describe_execution(executionArn=run)["status"] != "RUNNING",
    )
    ended = machines.describe_execution(executionArn=run)
    if ended["status"] != "SUCCEEDED":
        raise SmokeError(f"The nightly run {ended['status'].lower()}: {ended.get('cause')}.")
    definition = json.loads(machines.describe_state_machine(stateMachineArn=arn)["definition"])
    # Upkeep and training are asked for by themselves.
    others = (f"{PREFIX}lake-maintain", f"{PREFIX}datasets-")
    named = [task for state in definition["States"].values() for task in _jobs(state)]
    nightly = [job for job in named if not job.startswith(others)]
    if idle := [job for job in nightly if not glue.get_job_runs(JobName=job)["JobRuns"]]:
        raise SmokeError(f"The nightly run did not start {', '.join(idle)}.")


def _pipeline(platform: Platform) -> None:
    sagemaker, name = platform.client("sagemaker"), f"{PREFIX}smoke-{uuid.uuid4().hex[:8]}"
    execution = sdk.start(platform.endpoint, "recommend", name)
    listed = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    sagemaker.delete_pipeline(PipelineName=name)
    if execution not in [each["PipelineExecutionArn"] for each in listed]:
        raise SmokeError(f"SageMaker does not know of {execution}, which the SDK started.")


def _jobs(state: dict[str, Any]) -> Iterator[str]:
    if "JobName" in state.get("Parameters", {}):
        yield state["Parameters"]["JobName"]
    for branch in state.get("Branches", []):
        for inner in branch["States"].values():
            yield from _jobs(inner)


def _click() -> Click:
    return Click(
        event_id=uuid.uuid4().hex,
        event_time=datetime.now(UTC),
        household_id=1,
        session_id="smoke",
        action="view",
        product_id=1,
    )


def _land(platform: Platform, key: str, content: bytes) -> str:
    s3 = platform.client("s3")
    bucket = f"{PREFIX}landing-{ACCOUNT}-{REGION}"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return bucket


def _expect(answer: tuple[int, Any], expected: HTTPStatus) -> Any:
    status, said = answer
    if status != expected:
        raise SmokeError(f"The answer is {status}, not {expected.value}: {said}")
    return said


def run(platform: Platform) -> None:
    """Take every step, two at a time: most of each is waiting, for a function to start or a clock to strike.

    Raises:
        MercatoError: a step does not show what it should.
    """

    def take(named: tuple[str, Callable[[Platform], None]]) -> None:
        shows, step = named
        began = time.monotonic()
        step(platform)
        print(f"  ok {time.monotonic() - began:5.1f} s  {shows}", flush=True)

    ensure_topics(platform.settings)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for taken in [pool.submit(take, each) for each in steps()]:
            taken.result()


def main() -> int:
    """Take every step against `make deploy-local`."""
    argparse.ArgumentParser(prog="python -m infra.emulator.smoke", description=__doc__).parse_args()
    print("==> using what was deployed", flush=True)
    try:
        platform = Platform(Emulator().endpoint, get_settings())
        run(platform)
        print(f"==> the admin panel: {platform.panel}", flush=True)
    except MercatoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
