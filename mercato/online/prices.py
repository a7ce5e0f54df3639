"""Proposed prices, what people decided of them, and the prices to charge: in Redis.

What was decided is in Kafka and the lake. This is the view of it that merchandisers and shops read. Whoever
follows the events writes it, each product's in their order; they may come again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from typing import Protocol

import msgspec
import redis

from mercato.contracts.events import PRICE_DECISIONS, PriceDecided
from mercato.contracts.tables.proposals import Cell, ProposedPrice
from mercato.online.connection import translated

#: Proposals that are kept, those of most gain, and for how long what was decided of a week's.
KEEP_PROPOSALS = 10_000
KEEP_TIME = timedelta(days=60)

_PROPOSED, _STORES = "mercato:prices:proposed", "mercato:prices:stores"


class CellOfWeek(Protocol):
    """A product in a store in a week."""

    @property
    def product_id(self) -> int:
        """As in the events."""

    @property
    def store_id(self) -> int:
        """As in the events."""

    @property
    def week(self) -> int:
        """As proposed."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal, and what was decided of it or of one before it for the same week."""

    proposed: ProposedPrice
    decided: PriceDecided | None = None


class PriceBook:
    """The prices in the online store's Redis. Safe to use from several threads.

    Every method raises OnlineUnavailableError where Redis does not answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def propose(self, rows: Iterable[ProposedPrice]) -> int:
        """Replace all proposals at once by those that move a price; returns how many are kept."""
        moving = (row for row in rows if row.moves)
        kept = heapq.nlargest(KEEP_PROPOSALS, moving, key=lambda row: row.gain)
        with translated():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.delete(_PROPOSED)
            if kept:
                pipeline.hset(_PROPOSED, mapping={_field(row): msgspec.json.encode(row) for row in kept})
            pipeline.execute()
        return len(kept)

    def offers(self) -> list[Offer]:
        """All proposals, most gain first."""
        with translated():
            stored = self._redis.hgetall(_PROPOSED)
            proposed = {field: _proposed(value) for field, value in stored.items()}
            weeks = {row.week for row in proposed.values()}
            decided = {week: self._redis.hgetall(_decisions(week)) for week in weeks}
        offers = [
            Offer(proposed=row, decided=_decided(decided[row.week].get(field)))
            for field, row in proposed.items()
        ]
        return sorted(offers, key=lambda each: (-each.proposed.gain, _field(each.proposed)))

    def proposed(self, cells: Sequence[Cell]) -> list[ProposedPrice | None]:
        """What is proposed for products in stores, `None` where nothing is."""
        with translated():
            stored = self._redis.hmget(_PROPOSED, [f"{product}:{store}" for product, store in cells])
        return [_proposed(value) if value else None for value in stored]

    def decided(self, asked: Sequence[CellOfWeek]) -> list[PriceDecided | None]:
        """What was decided of products in stores in weeks, `None` where nothing was."""
        pipeline = self._redis.pipeline(transaction=False)
        for each in asked:
            pipeline.hget(_decisions(each.week), _field(each))
        with translated():
            return [_decided(value) for value in pipeline.execute()]

    def charged(self, store_id: int, products: Sequence[int] = ()) -> list[PriceDecided]:
        """The acceptances whose prices a store is to charge, by product; of these products alone, if any."""
        key, wanted = _charged(store_id), sorted(set(products))
        with translated():
            stored = self._redis.hmget(key, list(map(str, wanted))) if wanted else self._redis.hvals(key)
        return sorted(_accepted(stored), key=lambda each: each.product_id)

    def charged_in(self, cells: Sequence[Cell]) -> list[PriceDecided | None]:
        """The same of products in stores, `None` where the shop's own price holds."""
        pipeline = self._redis.pipeline(transaction=False)
        for product, store in cells:
            pipeline.hget(_charged(store), str(product))
        with translated():
            decisions = map(_decided, pipeline.execute())
            return [each if each and each.accepted else None for each in decisions]

    def charged_anywhere(self) -> list[PriceDecided]:
        """The same of all stores."""
        pipeline = self._redis.pipeline(transaction=False)
        with translated():
            for store in self._redis.smembers(_STORES):
                pipeline.hvals(_charged(int(store)))
            return _accepted(chain.from_iterable(pipeline.execute()))

    def follow(self, decisions: Iterable[PriceDecided]) -> int:
        """Take up decisions, each product's in their order; returns how many changed anything.

        The first decision on a week's proposal counts, and a withdrawal of what is charged. What comes again
        changes nothing, as it is the first no more; and if what was decided of its week is forgotten, it is
        older than what changed the product's price last, which is never forgotten.
        """
        with translated():
            return sum(map(self._follow, decisions))

    def _follow(self, decided: PriceDecided) -> bool:
        week, charged = _decisions(decided.week), _charged(decided.store_id)
        product = str(decided.product_id)
        last = _decided(self._redis.hget(charged, product))
        if last and (decided.event_time < last.event_time or decided.event_id == last.event_id):
            return False
        if decided.withdrawn:
            counts = last is not None and last.accepted and last.week == decided.week
        else:
            counts = not self._redis.hexists(week, _field(decided))
        if counts:
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hset(week, _field(decided), PRICE_DECISIONS.encode(decided))
            pipeline.expire(week, KEEP_TIME)
            if decided.changes_prices:
                pipeline.hset(charged, product, PRICE_DECISIONS.encode(decided))
                pipeline.sadd(_STORES, decided.store_id)
            pipeline.execute()
        return counts


def _field(row: CellOfWeek) -> bytes:
    return f"{row.product_id}:{row.store_id}".encode()


def _decisions(week: int) -> str:
    return f"mercato:prices:decided:{week}"


def _charged(store_id: int) -> str:
    """By product the acceptance that is charged, or the withdrawal after which the shop's own price holds."""
    return f"mercato:prices:charged:{store_id}"


def _proposed(value: bytes) -> ProposedPrice:
    return msgspec.json.decode(value, type=ProposedPrice)


def _decided(value: bytes | None) -> PriceDecided | None:
    return msgspec.json.decode(value, type=PriceDecided) if value else None


def _accepted(values: Iterable[bytes | None]) -> list[PriceDecided]:
    return [each for each in map(_decided, values) if each and each.accepted]
