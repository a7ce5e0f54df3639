"""What the online store forgets by itself, and what it must not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mercato.contracts.events import CLICKSTREAM, PAYMENT_OUTCOMES, PAYMENTS, Click
from mercato.online import views
from mercato.online.codec import Codec, redis_key
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.online.views import View
from mercato.stream.updates import update
from tests.integration.rig import Rig
from tests.integration.seed import HOUSEHOLDS, seed
from tests.unit.fraud.events import outcome, paid

pytestmark = pytest.mark.integration

#: With a history from the lake, and without.
KNOWN, NEW = HOUSEHOLDS[0], 777


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.start_redis()
    try:
        yield rig
    finally:
        rig.kill("redis")


@pytest.fixture
def store(rig: Rig) -> Iterator[OnlineStore]:
    store = rig.store
    try:
        yield store
    finally:
        store.close()


def click(store: OnlineStore, *households: int) -> None:
    now = datetime.now(UTC)
    clicks = [
        Click(
            event_id=f"{now.timestamp()}-{household}",
            event_time=now,
            household_id=household,
            session_id="s",
            action="view",
            product_id=1,
        )
        for household in households
    ]
    assert update(store, {CLICKSTREAM.name: clicks}, now)[0].written == len(clicks)


def left(store: OnlineStore, view: View, entity: int | str) -> int:
    """Seconds that a hash stays; -1 for good, -2 if it is not there."""
    seconds: int = store.redis.ttl(redis_key(view, entity))
    return seconds


def test_sessions_end_and_histories_stay(store: OnlineStore) -> None:
    day = timedelta(days=1).total_seconds()
    click(store, KNOWN, NEW)
    assert left(store, views.HOUSEHOLD_SESSION, KNOWN) == -1
    assert 0 < left(store, views.HOUSEHOLD_SESSION, NEW) <= day


def test_what_the_lake_brings_of_a_household_makes_it_stay(store: OnlineStore) -> None:
    click(store, NEW)
    (history,) = [row for _, row in store.read_many(Codec(views.HOUSEHOLD_HISTORY), [KNOWN])]
    store.write(views.HOUSEHOLD_HISTORY, [{**history, views.HOUSEHOLD_HISTORY.entity: NEW}])
    assert left(store, views.HOUSEHOLD_HISTORY, NEW) == -1
    click(store, NEW)
    assert left(store, views.HOUSEHOLD_HISTORY, NEW) == -1


def test_a_lasting_row_is_there_when_the_session_beside_it_is_over(
    store: OnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = replace(views.HOUSEHOLD_SESSION, keep=timedelta(seconds=1))
    monkeypatch.setattr(views, "HOUSEHOLD_SESSION", brief)
    click(store, KNOWN, NEW)
    time.sleep(1.1)
    assert left(store, brief, KNOWN) == -1
    assert left(store, brief, NEW) == -2


def test_a_card_and_a_terminal_of_which_nothing_new_is_heard_are_forgotten(store: OnlineStore) -> None:
    one, now = paid(1, 10, 30.0), datetime.now(UTC)
    update(store, {PAYMENTS.name: [one], PAYMENT_OUTCOMES.name: [outcome(one, fraud=True)]}, now)
    for view, entity in ((views.CARD_PAYMENTS, one.card_id), (views.TERMINAL_OUTCOMES, one.terminal_id)):
        assert timedelta(days=365).total_seconds() < left(store, view, entity) < 2**31


def test_what_is_materialised_stays(store: OnlineStore) -> None:
    seed(store)
    kept = [store.redis.ttl(key) for key in store.redis.scan_iter()]
    assert set(kept) == {-1}


def test_a_materialisation_is_alone_for_as_long_as_it_takes(
    store: OnlineStore, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercato.online.store._LOCK_SECONDS", 0.3)
    entered = threading.Event()

    def enter() -> None:
        with rig.store.exclusive():
            entered.set()

    other = threading.Thread(target=enter)
    with store.exclusive():
        other.start()
        assert not entered.wait(1)
    other.join()
    assert entered.is_set()


def test_ctrl_c_ends_a_materialisation(store: OnlineStore, rig: Rig) -> None:
    """It ended after its work, and said that all was well."""
    assert rig.settings.redis_url
    environment = os.environ | {"MERCATO_HOME": str(rig.home), "MERCATO_REDIS_URL": rig.settings.redis_url}
    # Ignored where tests run in the background.
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from mercato.__main__ import main; main()"
    )
    command = [sys.executable, "-c", script, "features", "materialize"]
    with store.exclusive():
        process = subprocess.Popen(command, env=environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == 130
        finally:
            process.kill()
            process.wait()


def test_a_shop_of_millions_lists_only_so_many_households(rig: Rig) -> None:
    with closing(OnlineFeatures(rig.settings)) as online:
        assert online.household_ids() == list(HOUSEHOLDS)
        some = online.household_ids(len(HOUSEHOLDS) - 1)
    assert len(some) == len(HOUSEHOLDS) - 1
    assert set(some) < set(HOUSEHOLDS)
