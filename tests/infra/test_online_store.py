"""The rights of the online store's user, on a real server: enough for every function, and no more."""

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
from mercato.online.prices import PriceBook
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.online.views import BATCH
from mercato.settings import Settings
from mercato.stream.updates import update
from tests.infra.templates import resources
from tests.integration.rig import eventually
from tests.integration.seed import HOUSEHOLDS, seed
from tests.integration.test_prices import decided as priced
from tests.integration.test_prices import proposed
from tests.integration.test_reviews import decided, disputed
from tests.unit.fraud.events import outcome, paid

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

PASSWORD = "of-a-test"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A server that knows only the template's user."""
    (user,) = resources("prod", "AWS::ElastiCache::User").values()
    rights = user["Properties"]["AccessString"]
    name, port = user["Properties"]["UserName"], free_port()
    config = tmp_path / "redis.conf"
    config.write_text(
        f'port {port}\nbind 127.0.0.1\nsave ""\nuser default off\nuser {name} {rights} >{PASSWORD}\n'
    )
    server = subprocess.Popen(["redis-server", str(config)], stdout=subprocess.DEVNULL)
    settings = Settings(home=tmp_path, redis_url=f"redis://{name}:{PASSWORD}@127.0.0.1:{port}/0")
    try:
        eventually(OnlineStore(settings).ping)
        yield settings
    finally:
        server.terminate()
        server.wait()


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
        store.delete(view)
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
