"""Recommendations under load, and the time from a click to the changed list.

python -m benchmarks.api                  # against the API that `mercato up` started
python -m benchmarks.api --seconds 10 --clicks 20 --url http://127.0.0.1:8000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from statistics import fmean
from typing import Any

import aiohttp

from benchmarks.latency import percentiles
from benchmarks.machine import describe_machine, write_result
from mercato.settings import get_settings

STAGES = ("features", "candidates", "model", "decision")
#: Give up on a click after this time, in seconds.
CLICK_TIMEOUT = 10.0


async def load(
    client: aiohttp.ClientSession, households: Sequence[int], rate: float, seconds: float
) -> dict[str, Any]:
    """Open loop: requests start on schedule, whether or not earlier ones are answered.

    Latencies count from the scheduled start, so a stall shows in every request that it delays.
    """
    latencies: list[float] = []
    answers: list[dict[str, Any]] = []
    statuses: Counter[int] = Counter()
    start = time.perf_counter() + 0.1

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        household = households[number % len(households)]
        async with client.get(f"/v1/recommendations/{household}", params={"n": 10}) as response:
            body = await response.read()
            latencies.append(time.perf_counter() - due)
            statuses[response.status] += 1
            answers.append(json.loads(body))

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    took = time.perf_counter() - start
    timings = {stage: [answer["timings"][stage] for answer in answers] for stage in STAGES}
    total = sum(sum(values) for values in timings.values())
    return {
        "requests": len(latencies),
        "rate_per_second": round(len(latencies) / took, 1),
        "statuses": {str(status): count for status, count in statuses.items()},
        "fallbacks": sum(answer["fallback"] for answer in answers),
        "latency_ms": _spread([latency * 1000 for latency in latencies]),
        "stage_ms": {stage: _spread(values) for stage, values in timings.items()},
        "stage_share": {stage: round(sum(values) / total, 3) for stage, values in timings.items()},
    }


async def clicks(client: aiohttp.ClientSession, households: Sequence[int], number: int) -> dict[str, Any]:
    """One click after the other, each awaited until the list has followed."""
    shown, online, changed = [], [], 0
    for turn in range(number):
        household = households[turn % len(households)]
        url = f"/v1/recommendations/{household}"
        async with client.get(url, params={"n": 12}) as before:
            items, etag = (await before.json())["items"], before.headers["ETag"]
        started = time.perf_counter()
        async with client.post(
            "/v1/events",
            json={
                "household_id": household,
                "session_id": f"bench-{uuid.uuid4().hex[:8]}",
                "action": "add_to_cart" if turn % 2 else "view",
                "product_id": items[turn % len(items)]["product_id"],
            },
        ) as taken:
            taken.raise_for_status()
            event = (await taken.json())["events"][0]
        answer = await _answer_to(client, url, event["event_id"], etag)
        shown.append((time.perf_counter() - started) * 1000)
        online.append(answer["session"]["reached_online_ms"])
        after = [item["product_id"] for item in answer["items"]]
        changed += after != [item["product_id"] for item in items]
    return {
        "clicks": number,
        "click_to_list_ms": _spread(shown),
        "click_to_online_features_ms": _spread(online),
        "lists_changed": changed,
    }


async def _answer_to(client: aiohttp.ClientSession, url: str, event_id: str, etag: str) -> dict[str, Any]:
    deadline = time.perf_counter() + CLICK_TIMEOUT
    while time.perf_counter() < deadline:
        headers = {"If-None-Match": etag, "Prefer": "wait=2"}
        async with client.get(url, params={"n": 12}, headers=headers) as response:
            if response.status == HTTPStatus.NOT_MODIFIED:
                continue
            answer: dict[str, Any] = await response.json()
            etag = response.headers["ETag"]
        if answer["session"] and answer["session"]["last_event_id"] == event_id:
            return answer
    raise TimeoutError(f"event {event_id} did not reach the list in {CLICK_TIMEOUT} s")


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": round(fmean(values), 3), **percentiles(values), "max": round(max(values), 3)}


async def measure(url: str, rate: float, seconds: float, number: int) -> dict[str, Any]:
    """Both measurements against a running API."""
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(base_url=url, timeout=timeout) as client:
        async with client.get("/v1/households", params={"limit": 100}) as response:
            page = await response.json()
        households = [one["household_id"] for one in page["items"]]
        if not households:
            raise SystemExit("No household is online: run `mercato demo` first.")
        await load(client, households, rate, 2)  # warm caches and connections
        print(f"{rate:.0f} requests/s for {seconds:.0f} s ...", file=sys.stderr)
        under_load = await load(client, households, rate, seconds)
        print(f"{number} clicks ...", file=sys.stderr)
        return {"load": under_load, "clicks": await clicks(client, households, number)}


def main() -> None:
    """Measure and write `bench/api.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="default: the API that `mercato up` started")
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clicks", type=int, default=200)
    chosen = parser.parse_args()
    url = chosen.url or get_settings().require("api_url")
    figures = asyncio.run(measure(url, chosen.rate, chosen.seconds, chosen.clicks))
    write_result("api", {"machine": describe_machine(), "target_rate": chosen.rate, **figures})


if __name__ == "__main__":
    main()
