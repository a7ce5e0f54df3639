"""Logic: one household's recommendations, or the best that can be said without them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lambdas.api.catalogue_snapshot import CatalogueSnapshot, SnapshotKeeper
from lambdas.api.endpoints import ScorerUnavailableError
from lambdas.api.recent_lists import RecentLists
from lambdas.api.scorer import Scorer
from lambdas.circuit import Circuit
from lambdas.metrics import Metrics
from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.changes import Cause, Changes, compare
from mercato.decisions.evidence import EvidenceFor, Purchases
from mercato.decisions.fallback import Reason, popular_in_store
from mercato.decisions.recommend import Item, recommend
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import Household, OnlineFeatures, Session
from mercato.stopwatch import Stopwatch
from mercato_models.recommend.context import usual_store


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for."""

    household_id: int
    n: int = 10
    store_id: int | None = None
    exclude: tuple[int, ...] = ()
    cart: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known when a request came.

    Attributes:
        household: `None` for an unknown one, and where the features cannot be read.
        down: whether the features cannot be read.
        snapshot: the products as of now.
        tag: names all that the answer depends on but the model's version, for conditional requests.
        seconds: time it took to read.
    """

    household: Household | None
    down: bool
    snapshot: CatalogueSnapshot
    tag: str
    seconds: float

    @property
    def session(self) -> Session:
        """The open session, an empty one for an unknown household."""
        return self.household.session if self.household else Session()


@dataclass(frozen=True, slots=True)
class Decision:
    """A decided list, before it is put into words.

    Attributes:
        items: best first.
        store_id: the store meant, `None` for all stores.
        reason: why the list is not personal, `None` if it is.
        changes: what changed since the list the caller showed, `None` if that one is unknown.
        tag: entity tag of the list.
        seconds: by stage.
    """

    items: Sequence[Item]
    store_id: int | None
    reason: Reason | None
    changes: Changes | None
    tag: str
    seconds: dict[str, float]


class NotPersonalError(Exception):
    """A personal list cannot be made."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Recommender:
    """Decides recommendation requests; safe to use from several threads."""

    def __init__(
        self,
        *,
        online: OnlineFeatures | None,
        keeper: SnapshotKeeper,
        scorer: Scorer,
        metrics: Metrics,
    ) -> None:
        self._online = online
        self._keeper = keeper
        self._scorer = scorer
        self._metrics = metrics
        self._recent = RecentLists()
        # A Redis that hangs would else hold every request for its timeouts.
        self._circuit = Circuit()

    def look(self, wish: Wish) -> Moment:
        """Read the household's features; cheap enough for a long poll to do again and again."""
        started = time.perf_counter()
        household, down = self._read(wish.household_id)
        snapshot = self._keeper.snapshot
        session = household.session if household else Session()
        newest_basket = household.history.event_timestamp if household and household.history else None
        # Not the model's version: two fleets may answer in turn while a new one comes.
        state = (wish, snapshot.identity, down, newest_basket, session.last_event_id, session.updated_at)
        tag = hashlib.blake2b(repr(state).encode(), digest_size=8).hexdigest()
        return Moment(household, down, snapshot, tag, time.perf_counter() - started)

    def decide(self, wish: Wish, moment: Moment, since: str | None) -> Decision:
        """The list for a wish; `since` is the tag of the list that the caller shows now."""
        watch = Stopwatch({"features": moment.seconds})
        store_id, reason = wish.store_id, None
        try:
            store_id = self._store(wish, moment)
            items = self._personal(wish, moment, store_id, watch)
        except NotPersonalError as refusal:
            reason = refusal.reason
            items, popular_in = popular_in_store(
                moment.snapshot.popular, store_id, n=wish.n, hidden=_hidden(wish, moment.session)
            )
            store_id = popular_in if popular_in != ALL_STORES else None
        tag = f"{moment.tag}-{reason.value}" if reason else moment.tag
        before = self._recent.get(since) if since else None
        changed = (
            compare(before, items, _cause(moment.session), moment.snapshot.name)
            if before is not None
            else None
        )
        self._recent.put(tag, items)
        watch.lap("decision")
        return Decision(items, store_id, reason, changed, tag, watch.seconds)

    def count(self, decision: Decision) -> None:
        """Add a decision to the metrics, once it is answered with."""
        self._metrics.lists.inc()
        if decision.reason:
            self._metrics.fallbacks.labels(decision.reason.value).inc()
        for stage, seconds in decision.seconds.items():
            self._metrics.stages.labels(stage).observe(seconds)

    def _read(self, household_id: int) -> tuple[Household | None, bool]:
        """The household's features, and whether they cannot be read."""
        if self._online is None or not self._circuit.allows():
            return None, True
        try:
            household = self._online.household(household_id)
        except OnlineUnavailableError:
            self._circuit.failed()
            return None, True
        self._circuit.succeeded()
        return household, False

    def _personal(self, wish: Wish, moment: Moment, store_id: int | None, watch: Stopwatch) -> list[Item]:
        household, lookup, ranker = moment.household, moment.snapshot.lookup, moment.snapshot.ranker
        if moment.down:
            raise NotPersonalError(Reason.ONLINE_UNAVAILABLE)
        if household is None or household.history is None:
            unknown = wish.store_id is not None and wish.store_id not in moment.snapshot.popular
            raise NotPersonalError(Reason.UNKNOWN_STORE if unknown else Reason.UNKNOWN_HOUSEHOLD)
        if not self._scorer.started or lookup is None or ranker is None:
            raise NotPersonalError(Reason.NO_MODEL)
        now = datetime.now(UTC)
        cart = (*household.session.cart, *wish.cart)
        candidates = ranker.candidates(household, store_id, now, cart)
        watch.lap("candidates")
        try:
            scores = self._scorer.score(candidates.rows)
        except ScorerUnavailableError:
            raise NotPersonalError(Reason.SCORER_UNAVAILABLE) from None
        finally:
            watch.lap("model")
        evidence = EvidenceFor(
            Purchases(
                household.history.basket_times, household.history.basket_sizes, household.history.products
            ),
            now.timestamp(),
            cart=cart,
            viewed=household.session.viewed,
            latest=household.session.last_product_id,
            store=lookup.store(store_id),
            neighbours=lookup.neighbours,
            name=moment.snapshot.name,
        )
        return recommend(
            candidates.product_ids,
            scores,
            n=wish.n,
            hidden=_hidden(wish, household.session),
            sources=candidates.sources,
            evidence=evidence,
        )

    def _store(self, wish: Wish, moment: Moment) -> int | None:
        if wish.store_id or moment.household is None:
            return wish.store_id
        history = moment.household.history
        return moment.session.store_id or (usual_store(history.basket_stores) if history else None)


def _hidden(wish: Wish, session: Session) -> frozenset[int]:
    """Products not to show: they are in the cart, were just taken out of it, or are not wanted."""
    return frozenset((*session.cart, *session.removed, *wish.cart, *wish.exclude))


def _cause(session: Session) -> Cause | None:
    if session.last_action is None:
        return None
    return Cause(session.last_action, session.last_product_id)
