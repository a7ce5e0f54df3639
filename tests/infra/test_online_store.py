"""The online store's user and parameters, on a real server: enough for every function, and no more."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from mercato.contracts.events import (
    CLICKSTREAM,
    PAYMENT_DECISIONS,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRICE_DECISIONS,
    Click,
    Event,
)
from mercato.local.ports import free_port
from mercato.online.cases import CaseBook
from mercato.online.connection import OnlineUnavailableError
from mercato.online.prices import PriceBook
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.online.views import BATCH, CARD_PAYMENTS
from mercato.settings import Settings
from mercato.stream.updates import update
from tests.infra.templates import resources
from tests.integration.payment_cases import decided, disputed
from tests.integration.price_offers import decided as priced
from tests.integration.price_offers import proposed
from tests.integration.seed import HOUSEHOLDS, seed
from tests.unit.fraud.events import outcome, paid
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

PASSWORD = "of-a-test"
KEEPER = "keeper"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A server with the template's parameters, and its user's name and rights beside the server's keeper."""
    (user,) = resources("prod", "AWS::ElastiCache::User").values()
    (group,) = resources("prod", "AWS::ElastiCache::ParameterGroup").values()
    rights = user["Properties"]["AccessString"]
    name, port = user["Properties"]["UserName"], free_port()
    lines = [f"{parameter} {value}" for parameter, value in group["Properties"]["Properties"].items()]
    lines += [f"port {port}", "bind 127.0.0.1", 'save ""']
    lines += ["user default off", f"user {name} {rights} >{PASSWORD}"]
    lines += [f"user {KEEPER} on +@all >{PASSWORD}"]
    config = tmp_path / "redis.conf"
    config.write_text("\n".join(lines))
    process = subprocess.Popen(["redis-server", str(config)], stdout=subprocess.DEVNULL)
    settings = Settings(home=tmp_path, redis_url=f"redis://{name}:{PASSWORD}@127.0.0.1:{port}/0")
    try:
        eventually(OnlineStore(settings).ping)
        yield settings
    finally:
        process.terminate()
        process.wait()


def test_it_may_all_that_mercato_does(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OnlineStore(settings)
    monkeypatch.setattr("mercato.online.store._LOCK_SECONDS", 0.3)
    with store.exclusive():
        seed(store)
        time.sleep(0.5)  # it is renewed meanwhile
    online = OnlineFeatures(settings)
    assert online.household_ids() == list(HOUSEHOLDS)
    assert online.household(HOUSEHOLDS[0]) is not None
    assert all(table.num_rows for table in online.catalogue().values())
    store.count("test", {"rows": 1})
    assert store.counts("test") == {"rows": 1}
    for view in BATCH:
        store.delete(view, store.entities(view))
    assert online.household_ids() == []
    _follow(store)
    store.close()
    online.close()


def _follow(store: OnlineStore) -> None:
    """What comes by Kafka, and what people see of it."""
    now = datetime.now(UTC)
    one = paid(1, 10, 30.0)
    click = Click(
        event_id="c", event_time=now, household_id=1, session_id="s", action="view", product_id=1
    )  # fmt: skip
    events: dict[str, Sequence[Event]] = {
        CLICKSTREAM.name: [click],
        PAYMENTS.name: [one],
        PAYMENT_DECISIONS.name: [decided(1), decided(2)],
        PAYMENT_OUTCOMES.name: [outcome(one, fraud=True), disputed(1)],
        PRICE_DECISIONS.name: [priced("accept", 50, 0), priced("withdraw", 50, 1)],
    }
    counts, failed = update(store, events, now)
    assert (counts.written, failed) == (8, [])
    cases, prices = CaseBook(store.redis), PriceBook(store.redis)
    store.redis.delete("mercato:cases:open", "mercato:cases:closed")
    assert [cases.page(state, 0, 9).total for state in ("open", "closed")] == [1, 1]
    assert cases.claim(disputed(2)) == disputed(2)
    assert prices.propose([proposed(1)]) == len(prices.offers()) == 1
    assert prices.charged_anywhere() == []


def test_it_may_not_look_after_the_server(settings: Settings) -> None:
    client = redis.Redis.from_url(settings.require("redis_url"))
    for command in ("FLUSHALL", "CONFIG GET maxmemory", "KEYS *", "ACL LIST", "SHUTDOWN"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())


def test_a_full_store_refuses_and_forgets_nothing(settings: Settings) -> None:
    """By default it would make room with what expires: cards' payments, reviewers' claims."""
    store = OnlineStore(settings)
    update(store, {PAYMENTS.name: [paid(1, 10, 30.0)]}, datetime.now(UTC))
    held = store.entities(CARD_PAYMENTS)
    keeper = redis.Redis(port=store.redis.get_connection_kwargs()["port"], username=KEEPER, password=PASSWORD)
    keeper.config_set("maxmemory", 1)  # less than it holds: full, whatever its buffers take
    with pytest.raises(OnlineUnavailableError):
        seed(store)
    assert store.entities(CARD_PAYMENTS) == held != []
    store.close()
