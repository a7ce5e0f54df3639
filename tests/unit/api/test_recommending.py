"""What the API does about features and scores that are slow, broken or half there."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from lambdas.api import answers
from lambdas.api.app import create_app
from lambdas.api.catalogue_snapshot import CatalogueSnapshot, SnapshotKeeper
from lambdas.api.endpoints import Answer, ScorerUnavailableError
from lambdas.api.recommending import Recommender, Wish
from lambdas.api.routers import recommendations
from lambdas.api.scorer import Scorer
from lambdas.metrics import Metrics
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import History, Household, Marker
from mercato.settings import Settings


class Hanging:
    """Online features of a Redis that takes connections and does not answer."""

    asked = 0

    def household(self, _household_id: int) -> Household:
        self.asked += 1
        raise OnlineUnavailableError("timed out")


class Model:
    """A model endpoint that answers with these bytes."""

    known = True

    def __init__(self, body: bytes) -> None:
        self.body = body

    def invoke(self, _rows: bytes, _accept: str) -> Answer:
        return Answer(self.body, "model_version=3")

    def forget(self) -> None:
        pass


def _npy(array: object) -> bytes:
    body = io.BytesIO()
    np.save(body, np.asarray(array))
    return body.getvalue()


def _zip() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("scores", "1")
    return body.getvalue()


def test_a_redis_that_hangs_is_asked_now_and_then_only(tmp_path: Path) -> None:
    online = Hanging()
    keeper = SnapshotKeeper(None, tmp_path / "kept.json", lambda _catalogue: pytest.fail("no catalogue"))
    recommender = Recommender(
        online=online,  # type: ignore[arg-type]
        keeper=keeper,
        scorer=Scorer(Model(b"")),  # type: ignore[arg-type]
        metrics=Metrics(),
    )
    looks = [recommender.look(Wish(1)) for _ in range(50)]
    assert all(moment.down for moment in looks)
    assert online.asked == 3


class Materialised:
    """An online store in which nothing changes."""

    def marker(self) -> Marker:
        return Marker("1", datetime.now(UTC), {})


def test_a_catalogue_is_loaded_again_when_a_promotion_in_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on to be shown as promoted until anything else was materialised."""
    ends = iter([datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)])
    loaded = []

    def live(*_: object) -> CatalogueSnapshot:
        loaded.append(CatalogueSnapshot(datetime.now(UTC), {}, lambda _product_id: None, until=next(ends)))
        return loaded[-1]

    monkeypatch.setattr(CatalogueSnapshot, "live", live)
    keeper = SnapshotKeeper(Materialised(), tmp_path / "kept.json", lambda _catalogue: pytest.fail("none"))  # type: ignore[arg-type]
    for _ in range(3):
        keeper.refresh()
    assert len(loaded) == 2


class Marked(Hanging):
    """An online store whose catalogue has these markers, one after the other."""

    def __init__(self, *markers: Marker) -> None:
        super().__init__()
        self._markers = iter(markers)

    def marker(self) -> Marker:
        return next(self._markers)


def test_a_list_of_another_catalogue_has_another_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the catalogue was read while it was written, or a promotion ended, which moves no time."""
    now = datetime.now(UTC)
    ends = iter([None, now, None])

    def live(_online: object, marker: Marker, _make: object) -> CatalogueSnapshot:
        return CatalogueSnapshot(marker.as_of, {}, lambda _id: None, until=next(ends), token=marker.token)

    monkeypatch.setattr(CatalogueSnapshot, "live", live)
    before, later = now - timedelta(days=1), now + timedelta(days=1)
    markers = [
        Marker("1", before, {}),
        Marker("2", before, {}),
        Marker("2", later, {}),
        Marker("2", later, {}),
    ]
    online = Marked(*markers)
    keeper = SnapshotKeeper(online, tmp_path / "kept.json", lambda _catalogue: pytest.fail("none"))  # type: ignore[arg-type]
    recommender = Recommender(
        online=online,  # type: ignore[arg-type]
        keeper=keeper,
        scorer=Scorer(Model(b"")),  # type: ignore[arg-type]
        metrics=Metrics(),
    )
    tags = []
    for _ in markers[:3]:
        keeper.refresh()
        tags.append(recommender.look(Wish(1)).tag)
    assert len(set(tags)) == 3
    keeper.refresh()
    assert recommender.look(Wish(1)).tag == tags[2]
    assert keeper.snapshot.as_of == later


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"PK\x03\x04 broken", _zip(), _npy([1.0])[:-3], _npy([1.0, 2.0])]
)
def test_whatever_a_broken_model_answers_is_no_scores(body: bytes) -> None:
    scorer = Scorer(Model(body))  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(ScorerUnavailableError):
            scorer.score(np.zeros((1, 2), np.float32))
    assert scorer.circuit.state == "open"


def test_scores_are_read_and_the_models_version_noted() -> None:
    scorer = Scorer(Model(_npy([0.25, 0.5])))  # type: ignore[arg-type]
    assert scorer.score(np.zeros((2, 3), np.float32)).tolist() == [0.25, 0.5]
    assert scorer.model_version == "3"


def test_a_household_whose_profile_is_not_written_yet_is_not_known_yet() -> None:
    one = np.ones(1, np.int64)
    history = History(datetime.now(UTC), one, one, one, one, one, one.astype(np.float32))  # type: ignore[arg-type]
    snapshot = CatalogueSnapshot(datetime.now(UTC), {}, lambda _product_id: None)
    assert answers.household_detail(Household(1, history), snapshot, 5) is None


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(home=tmp_path))) as client:
        yield client


def test_a_poll_in_a_fallback_looks_seldom_and_is_counted_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations, "FALLBACK_PAUSE", 0.2)
    first = client.get("/v1/recommendations/1")
    started = time.monotonic()
    held = client.get(
        "/v1/recommendations/1", headers={"If-None-Match": first.headers["etag"], "Prefer": "wait=1"}
    )
    assert held.status_code == 304
    assert time.monotonic() - started >= 1
    told = client.get("/metrics").text
    assert 'mercato_api_fallbacks_total{reason="online_unavailable"} 1.0' in told
    found = re.search(r'request_seconds_sum\{route="/v1/recommendations/\{household_id\}"\} (.*)', told)
    assert found
    assert float(found[1]) < 0.9, "what was asked to wait is no delay"


def test_a_tag_that_was_made_weak_on_the_way_still_names_the_list(client: TestClient) -> None:
    tag = client.get("/v1/recommendations/1").headers["etag"]
    assert client.get("/v1/recommendations/1", headers={"If-None-Match": f"W/{tag}"}).status_code == 304


@pytest.mark.parametrize("household", ["²", "9" * 5_000, "1e3", "-1", "0"])
def test_what_is_no_household_number_is_said_on_the_page(client: TestClient, household: str) -> None:
    page = client.get("/", params={"household": household})
    assert page.status_code == 200
    assert "is not a household number" in page.text


def test_an_api_starts_whatever_the_catalogue_is_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_keeper: SnapshotKeeper) -> None:
        raise RuntimeError("a catalogue that cannot be read")

    monkeypatch.setattr(SnapshotKeeper, "refresh", broken)
    with TestClient(create_app(Settings(home=tmp_path))) as client:
        assert client.get("/v1/recommendations/1").status_code == 200
