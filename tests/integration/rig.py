"""The API over processes of its own that a test can stop one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import numpy as np
import uvicorn
from fastapi import FastAPI

from lambdas.api.app import assemble, create_app
from lambdas.api.endpoints import Container
from lambdas.api.payment_decisions import PaymentJudge
from lambdas.api.ranking import Candidates
from lambdas.api.scorer import Scorer
from lambdas.api.services import Services
from lambdas.event_log import EventLog
from mercato.contracts.events import Click
from mercato.local.ports import free_port
from mercato.online import views
from mercato.online.reader import Household, OnlineFeatures
from mercato.online.session import household_session, reduce, step
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato_models.recommend.catalogue import Catalogue
from tests.integration.seed import PRODUCTS, partner, seed
from tests.waiting import eventually

HERE = Path(__file__).parent


class CountingRanker:
    """Candidates are all products; a row counts purchases, and companions of the session."""

    def __init__(self, _catalogue: Catalogue) -> None:
        self._ids = np.array(PRODUCTS)

    def candidates(
        self, household: Household, _store_id: int | None, _now: datetime, cart: Sequence[int]
    ) -> Candidates:
        assert household.history is not None
        bought = (household.history.products[:, None] == self._ids).sum(axis=0)
        liked = [partner(product) for product in (*cart, *household.session.viewed)]
        rows = np.column_stack([bought, 100 * np.isin(self._ids, liked)]).astype(np.float32)
        return Candidates(self._ids, rows, lambda _position: ("all",))


@dataclass
class Rig:
    """A shop of processes that can be stopped one by one."""

    home: Path
    redis_port: int = field(default_factory=free_port)
    scorer_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def running(cls, home: Path) -> Iterator[Rig]:
        """One with Redis and the scorer, until the block ends."""
        rig = cls(home)
        try:
            rig.start_redis()
            rig.start_scorer()
            yield rig
        finally:
            for name in list(rig.processes):
                rig.kill(name)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, redis_url=f"redis://127.0.0.1:{self.redis_port}/0")

    @property
    def store(self) -> OnlineStore:
        return OnlineStore(self.settings)

    def start_redis(self) -> None:
        self._start(
            "redis", "redis-server", "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1"
        )
        eventually(self.store.ping)
        seed(self.store)

    def start_scorer(self) -> None:
        self._start("scorer", sys.executable, str(HERE / "scorer.py"), str(self.scorer_port))
        eventually(lambda: httpx2.get(f"http://127.0.0.1:{self.scorer_port}/ping"))

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def open_services(self, settings: Settings) -> Services:
        return assemble(
            settings,
            events=EventLog(settings) if settings.kafka_bootstrap else None,
            online=OnlineFeatures(settings),
            scorer=Scorer(Container(lambda: f"http://127.0.0.1:{self.scorer_port}", "scorer")),
            payments=PaymentJudge(Scorer(Container(lambda: None, "fraud-scorer"))),
            make_ranker=CountingRanker,
        )

    @contextmanager
    def serve(self, settings: Settings | None = None) -> Iterator[httpx2.Client]:
        """The API on a real server."""
        port = free_port()
        app = create_app(settings or self.settings, self.open_services)
        with served(app, port) as url, httpx2.Client(base_url=url, timeout=10) as client:
            yield client

    def click(self, *clicks: Click) -> None:
        """Write the session that the stream updater would write for these clicks."""
        row = household_session(clicks[0].household_id, reduce((), map(step, clicks)), datetime.now(UTC))
        c = row.__struct_fields__
        self.store.write(views.HOUSEHOLD_SESSION, [{name: getattr(row, name) for name in c}])

    def _start(self, name: str, *command: str) -> None:
        self.processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def served(app: FastAPI, port: int) -> Iterator[str]:
    """An app on a real server, and its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
