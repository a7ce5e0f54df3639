"""The API while what it depends on is really stopped, and when that is back."""

from __future__ import annotations

import json

import httpx2
import pytest

from mercato.online import catalogue, views
from tests.integration.rig import Rig
from tests.integration.seed import STORES
from tests.waiting import eventually

pytestmark = pytest.mark.integration


def _reason(api: httpx2.Client) -> str | None:
    response = api.get("/v1/recommendations/1")
    assert response.status_code == 200
    answer = response.json()
    assert answer["items"]
    assert answer["fallback"] == (answer["fallback_reason"] is not None)
    reason: str | None = answer["fallback_reason"]
    return reason


def test_redis_killed_and_back(rig: Rig, api: httpx2.Client) -> None:
    assert _reason(api) is None
    rig.kill("redis")
    assert _reason(api) == "online_unavailable"
    assert api.get("/healthz").json()["dependencies"]["redis"]["ok"] is False
    assert api.get("/v1/households?limit=1").json()["items"]
    rig.start_redis()
    eventually(lambda: _reason(api) is None)


def test_scorer_killed_and_back(rig: Rig, api: httpx2.Client) -> None:
    assert _reason(api) is None
    rig.kill("scorer")
    assert [_reason(api) for _ in range(5)] == ["scorer_unavailable"] * 5
    answer = api.get("/v1/recommendations/1").json()
    assert answer["store_id"] == STORES[1]
    assert answer["timings"]["model"] < 5, "an open circuit does not wait"
    rig.start_scorer()
    eventually(lambda: _reason(api) is None)


def test_a_restart_without_redis_answers_from_disk(rig: Rig) -> None:
    with rig.serve() as client:
        assert _reason(client) is None
    rig.kill("redis")
    with rig.serve() as client:
        answer = client.get(f"/v1/recommendations/1?store_id={STORES[0]}").json()
        assert answer["fallback_reason"] == "online_unavailable"
        assert [item["name"] for item in answer["items"][:2]] == ["Bananas", "Strawberries"]
        page = client.get("/?household=1").text
        assert "Live features are out of reach" in page
        assert "Strawberries" in page


@pytest.mark.parametrize("state", ["gone", "empty"])
def test_a_catalogue_that_is_not_there_yet_takes_no_list_away(rig: Rig, state: str) -> None:
    with rig.serve() as client:
        assert _reason(client) is None
    redis = rig.store.redis
    redis.delete("mercato:catalogue")
    if state == "empty":
        for view in views.CATALOGUE:
            catalogue.merge(redis, view, view.arrow_schema.empty_table())
    with rig.serve() as client:
        assert _reason(client) is None
    kept = json.loads((rig.home / "state" / "popular.json").read_text())
    assert kept["popular"][str(STORES[0])]["product_ids"][:2] == [1, 2]
