"""What the API knows of products: the live catalogue, or what was kept of the last one."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lambdas.api import last_good
from lambdas.api.catalogue_lookup import CatalogueLookup
from lambdas.api.last_good import KEEP, Described, LastGood
from lambdas.api.ranking import Ranker
from mercato.contracts.tables.features import HOUSEHOLD_PROFILE
from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.aisles import aisle
from mercato.decisions.fallback import Popular
from mercato.decisions.wording import department_name, product_name, readable, size_name
from mercato.online import views
from mercato.online.connection import OnlineUnavailableError
from mercato.online.reader import Marker, OnlineFeatures
from mercato_models.recommend.catalogue import Catalogue

_PROFILE = HOUSEHOLD_PROFILE.c

MakeRanker = Callable[[Catalogue], Ranker]

log = logging.getLogger(__name__)

#: Households to pick from at most: a shop of millions has no use for a list of them, and no memory.
_PICKED = 10_000
#: Seconds between looks at the materialisation marker.
REFRESH_SECONDS = 2.0


class CatalogueSnapshot:
    """Products in a shopper's words, and what is popular where.

    Attributes:
        as_of: when these lists were materialised, `None` for the empty snapshot.
        popular: most bought products by store.
        lookup, ranker: of the live catalogue, `None` where only the last good lists are known.
        households: profiles by household number, for the picker, of up to _PICKED households.
        until: when the first promotion in it ends, `None` without any.
        identity: of what is in it, the same in every process; `as_of` is not, as views are materialised one
            by one and promotions end by themselves.
    """

    def __init__(
        self,
        as_of: datetime | None,
        popular: Mapping[int, Popular],
        describe: Callable[[int], Described | None],
        lookup: CatalogueLookup | None = None,
        ranker: Ranker | None = None,
        households: Sequence[Mapping[str, Any]] = (),
        until: datetime | None = None,
        token: str | None = None,
    ) -> None:
        self.as_of = as_of
        self.popular = popular
        self.lookup = lookup
        self.ranker = ranker
        self.households = households
        self.until = until
        self.identity = (token or as_of, until)
        self._describe = describe
        self.card = functools.lru_cache(maxsize=8_192)(self._card)

    @classmethod
    def kept(cls, lists: LastGood | None) -> CatalogueSnapshot:
        """The snapshot of the lists kept on disk; an empty one if there are none."""
        if lists is None:
            return cls(None, {}, lambda _product_id: None)
        return cls(lists.as_of, lists.popular, lists.products.get)

    @classmethod
    def live(cls, online: OnlineFeatures, marker: Marker, make_ranker: MakeRanker) -> CatalogueSnapshot:
        """The snapshot of what is materialised now; `marker` was read before it."""
        rows = online.catalogue()
        tables = {view.table: rows[view.name] for view in views.CATALOGUE}
        catalogue = Catalogue.from_tables(tables, datetime.now(UTC))
        lookup = CatalogueLookup(catalogue, tables[PRODUCTS])
        profiles = online.profiles(online.household_ids(_PICKED)).sort_by(_PROFILE.household_id).to_pylist()
        ranker = make_ranker(catalogue)
        return cls(
            marker.as_of,
            lookup.popular,
            lookup.describe,
            lookup,
            ranker,
            profiles,
            until=catalogue.until,
            token=marker.token,
        )

    def knows(self, product_id: int) -> bool:
        """Whether the catalogue has this product."""
        return self._describe(product_id) is not None

    def name(self, product_id: int) -> str:
        """What a shopper calls the product."""
        return str(self.card(product_id)["name"])

    def to_keep(self) -> LastGood:
        """The part of it that answers when everything else is down."""
        lists = {
            store: Popular(list(entry.product_ids[:KEEP]), list(entry.scores[:KEEP]))
            for store, entry in self.popular.items()
        }
        wanted = {product_id for entry in lists.values() for product_id in entry.product_ids}
        described = {product_id: self._describe(product_id) for product_id in wanted}
        assert self.as_of is not None
        return LastGood(self.as_of, lists, {i: entry for i, entry in described.items() if entry})

    def _card(self, product_id: int) -> dict[str, Any]:
        known = self._describe(product_id) or Described(product_id)
        return {
            "product_id": product_id,
            "name": product_name(known.product_type, known.category, product_id),
            "aisle": str(aisle(known.department, known.category)),
            "category": readable(known.category) if known.category else None,
            "department": department_name(known.department),
            "brand": known.brand,
            "size": size_name(known.size),
            "price": known.price,
        }


class SnapshotKeeper:
    """Holds the newest snapshot, follows the materialisation marker, keeps the last good lists on disk.

    Attributes:
        snapshot: replaced as a whole, so a request uses one snapshot from start to end.
    """

    def __init__(self, online: OnlineFeatures | None, kept_at: Path, make_ranker: MakeRanker) -> None:
        self.snapshot = CatalogueSnapshot.kept(last_good.load(kept_at))
        self._online = online
        self._kept_at = kept_at
        self._make_ranker = make_ranker
        self._token: str | None = None
        self._looked_at = -REFRESH_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="catalogue", daemon=True)

    def start(self) -> None:
        """Load the catalogue once, then follow it in the background."""
        self._try_refresh()
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Load the catalogue if the marker moved or a promotion ended; keep what there is if that fails."""
        if self._online is None:
            return
        try:
            marker, until = self._online.marker(), self.snapshot.until
            ended = until is not None and datetime.now(UTC) >= until
            if marker is None:
                return
            if marker.token == self._token and not ended:
                self.snapshot.as_of = marker.as_of  # views that did not change are newer all the same
                return
            self.snapshot = CatalogueSnapshot.live(self._online, marker, self._make_ranker)
            self._token = marker.token
        except OnlineUnavailableError as error:
            log.warning("catalogue not refreshed: %s", error)
            return
        if self.snapshot.popular:  # not yet, while the first materialisation is at work
            last_good.save(self._kept_at, self.snapshot.to_keep())
        log.info("catalogue as of %s loaded", self.snapshot.as_of)

    def refresh_when_due(self) -> None:
        """Refresh if the last look is REFRESH_SECONDS ago: for a process that is frozen between requests."""
        now = time.monotonic()
        if now - self._looked_at >= REFRESH_SECONDS:
            self._try_refresh()
            self._looked_at = time.monotonic()

    def _follow(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            self._try_refresh()

    def _try_refresh(self) -> None:
        try:
            self.refresh()
        except Exception:  # what is known answers on, whatever a new catalogue is like
            log.exception("catalogue not refreshed")
