"""The rights of the online store's user, on a real server: enough for every function, and no more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from mercato.local.ports import free_port
from mercato.online.reader import OnlineFeatures
from mercato.online.store import OnlineStore
from mercato.online.views import BATCH
from mercato.settings import Settings
from tests.infra.templates import resources
from tests.integration.rig import eventually
from tests.integration.seed import HOUSEHOLDS, seed

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


def test_it_may_all_that_mercato_does(settings: Settings) -> None:
    store = OnlineStore(settings)
    with store.exclusive():
        seed(store)
    online = OnlineFeatures(settings)
    assert online.household_ids() == list(HOUSEHOLDS)
    assert online.household(HOUSEHOLDS[0]) is not None
    assert all(table.num_rows for table in online.catalogue().values())
    store.count("test", {"rows": 1})
    assert store.counts("test") == {"rows": 1}
    for view in BATCH:
        store.delete(view)
    assert online.household_ids() == []
    store.close()
    online.close()


def test_it_may_not_look_after_the_server(settings: Settings) -> None:
    client = redis.Redis.from_url(settings.require("redis_url"))
    for command in ("FLUSHALL", "CONFIG GET maxmemory", "KEYS *", "ACL LIST", "SHUTDOWN"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())
