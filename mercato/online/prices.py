"""Proposed prices, what people decided of them, and the prices to charge: in Redis.

What was decided is in Kafka and the lake. This is the view of it that merchandisers and shops read; every
change of it may be repeated.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
import redis

from mercato.contracts.events import PRICE_DECISIONS, PriceDecided
from mercato.contracts.tables.proposals import ProposedPrice
from mercato.online.connection import translated

#: Proposals that are kept, those of most gain, and for how long what was decided of a week's.
KEEP_PROPOSALS = 10_000
KEEP_SECONDS = 60 * 86_400

_PROPOSED = "mercato:prices:proposed"
_STORES = "mercato:prices:stores"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal, and what was decided of it or of one before it for the same week."""

    proposed: ProposedPrice
    decided: PriceDecided | None = None


class Claim(NamedTuple):
    """What was decided of a price `before` somebody decided, and what `stands` now."""

    before: PriceDecided | None
    stands: PriceDecided


class PriceBook:
    """The prices in the online store's Redis. Safe to use from several threads.

    Every method raises OnlineUnavailable where Redis does not answer.
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
                pipeline.hset(_PROPOSED, mapping={_cell(row): msgspec.json.encode(row) for row in kept})
            pipeline.execute()
        return len(kept)

    def offers(self) -> list[Offer]:
        """All proposals, most gain first."""
        with translated():
            stored = self._redis.hgetall(_PROPOSED)
            proposed = {cell: _proposed(value) for cell, value in stored.items()}
            weeks = {row.week for row in proposed.values()}
            decided = {week: self._redis.hgetall(_decisions(week)) for week in weeks}
        found = [
            Offer(proposed=row, decided=_decided(decided[row.week].get(cell)))
            for cell, row in proposed.items()
        ]
        return sorted(found, key=lambda each: (-each.proposed.gain, _cell(each.proposed)))

    def proposed(self, cells: Sequence[tuple[int, int]]) -> list[ProposedPrice | None]:
        """What is proposed for products in stores, `None` where nothing is."""
        with translated():
            stored = self._redis.hmget(_PROPOSED, [f"{product}:{store}" for product, store in cells])
        return [_proposed(value) if value else None for value in stored]

    def accepted(self, cells: Sequence[tuple[int, int]]) -> list[PriceDecided | None]:
        """The newest acceptances of products' prices in stores, or what took them back."""
        pipeline = self._redis.pipeline(transaction=False)
        for product, store in cells:
            pipeline.hget(_charged(store), str(product))
        with translated():
            return [_decided(value) for value in pipeline.execute()]

    def claim(self, decision: PriceDecided) -> Claim:
        """Decide, unless somebody did before.

        A week's proposal is accepted or rejected once, and an acceptance withdrawn once.
        """
        key, field = _place(decision)

        def step(pipeline: redis.client.Pipeline) -> Claim:
            before = _decided(pipeline.hget(key, field))
            pipeline.multi()
            if before and not _takes_back(decision, before):
                return Claim(before, before)
            pipeline.hset(key, field, PRICE_DECISIONS.encode(decision))
            return Claim(before, decision)

        with translated():
            claim: Claim = self._redis.transaction(step, key, value_from_callable=True)
        return claim

    def release(self, claim: Claim) -> None:
        """Take back a claim that nobody else got to know of."""
        if claim.stands is claim.before:
            return
        key, field = _place(claim.stands)
        with translated():
            if claim.before is None:
                self._redis.hdel(key, field)
            else:
                self._redis.hset(key, field, PRICE_DECISIONS.encode(claim.before))

    def follow(self, decisions: Iterable[PriceDecided]) -> int:
        """Take up what was decided, in the order of each product's decisions; returns how many were new."""
        new = 0
        with translated():
            for decided in decisions:
                key = _decisions(decided.week)
                self._newest(key, _cell(decided), decided)
                self._redis.expire(key, KEEP_SECONDS)
                if decided.changes_prices:
                    new += self._charge(decided)
        return new

    def charged(self, store_id: int) -> list[PriceDecided]:
        """The acceptances whose prices a store is to charge, by product."""
        with translated():
            stored = self._redis.hvals(_charged(store_id))
        found = [decided for value in stored if (decided := _decided(value)) and decided.action == "accept"]
        return sorted(found, key=lambda each: each.product_id)

    def changed(self) -> list[PriceDecided]:
        """The newest acceptance of every price that ever had one, or what took it back."""
        pipeline = self._redis.pipeline(transaction=False)
        with translated():
            for store in self._redis.smembers(_STORES):
                pipeline.hvals(_charged(int(store)))
            stored = chain.from_iterable(pipeline.execute())
        return [decided for value in stored if (decided := _decided(value))]

    def _charge(self, decided: PriceDecided) -> bool:
        """Keep an acceptance, or a withdrawal of the one that is kept: an older event must not undo it."""
        key, product = _charged(decided.store_id), str(decided.product_id)
        held = _decided(self._redis.hget(key, product))
        if decided.action == "withdraw" and held and held.week != decided.week:
            return False  # of a price that another took the place of
        self._redis.sadd(_STORES, decided.store_id)
        return self._newest(key, product, decided)

    def _newest(self, key: str, field: str | bytes, decided: PriceDecided) -> bool:
        held = _decided(self._redis.hget(key, field))
        if held and held.event_time >= decided.event_time:
            return False
        self._redis.hset(key, field, PRICE_DECISIONS.encode(decided))
        return True


def _takes_back(decision: PriceDecided, before: PriceDecided) -> bool:
    withdraws = decision.action == "withdraw" and before.action == "accept"
    return withdraws and decision.week == before.week


def _place(decision: PriceDecided) -> tuple[str, bytes]:
    """Key and field of what a decision must be the first to change."""
    if decision.action == "withdraw":
        return _charged(decision.store_id), str(decision.product_id).encode()
    return _decisions(decision.week), _cell(decision)


def _cell(row: ProposedPrice | PriceDecided) -> bytes:
    return f"{row.product_id}:{row.store_id}".encode()


def _decisions(week: int) -> str:
    return f"mercato:prices:decided:{week}"


def _charged(store_id: int) -> str:
    return f"mercato:prices:charged:{store_id}"


def _proposed(value: bytes) -> ProposedPrice:
    return msgspec.json.decode(value, type=ProposedPrice)


def _decided(value: bytes | None) -> PriceDecided | None:
    return msgspec.json.decode(value, type=PriceDecided) if value else None
