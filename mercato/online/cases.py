"""Payments that were not simply approved, and what a person or time found: the newest, in Redis.

What happened is in Kafka and the lake. This is the view of it that a reviewer reads; every change of it may
be repeated, and comes in any order: an outcome is kept before its case is there, and a case looks for its
outcome after it is put among the open ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
import redis

from mercato.contracts.events import PAYMENT_DECISIONS, PAYMENT_OUTCOMES, PaymentDecided, PaymentOutcome
from mercato.online.connection import translated
from mercato.online.session import micros

#: Cases that are kept, newest payments first, and for how long.
KEEP_CASES = 10_000
KEEP_TIME = timedelta(days=60)
#: How long an outcome waits for the decision on its payment, which comes by another topic.
KEEP_EARLY_TIME = timedelta(hours=6)
#: How long a review that Kafka may not have holds off another one.
CLAIM_TIME = timedelta(days=1)

State = Literal["open", "closed", "all"]

#: Payment ids of each state's cases; the closed ones by when that was found, the others by when it was paid.
_INDEX: dict[State, str] = {
    "all": "mercato:cases",
    "open": "mercato:cases:open",
    "closed": "mercato:cases:closed",
}
_DECIDED, _OUTCOME = "decided", "outcome"
#: Cases that are read at a time.
_BATCH = 1_000


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was held or declined; open as long as it has no outcome."""

    decided: PaymentDecided
    outcome: PaymentOutcome | None = None

    @property
    def state(self) -> State:
        """Whether somebody still has to look at it."""
        return "closed" if self.outcome else "open"


class Page(NamedTuple):
    """Some of the cases of a state, and how many there are."""

    cases: list[Case]
    total: int


class CaseBook:
    """The cases in the online store's Redis. Safe to use from several threads.

    Every method raises OnlineUnavailableError where Redis does not answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def open(self, decisions: Iterable[PaymentDecided]) -> int:
        """Remember decisions that a person may look at; returns how many were new.

        One that was held stays, even if the payment is asked about again and approved.
        """
        held = [decided for decided in decisions if decided.held]
        if not held:
            return 0
        pipeline = self._redis.pipeline(transaction=False)
        with translated():
            for decided in held:
                key, paid_at = _key(decided.payment_id), micros(decided.paid_at)
                pipeline.hset(key, _DECIDED, PAYMENT_DECISIONS.encode(decided))
                pipeline.expire(key, KEEP_TIME)
                pipeline.zadd(_INDEX["all"], {decided.payment_id: paid_at})
                pipeline.zadd(_INDEX["open"], {decided.payment_id: paid_at})
                pipeline.hget(key, _OUTCOME)
            answers = pipeline.execute()
            self._closed([_outcome(value) for value in answers[4::5] if value])
            self._forget(self._redis.zrange(_INDEX["all"], 0, -KEEP_CASES - 1))
        return sum(answers[::5])

    def close(self, outcomes: Iterable[PaymentOutcome], now: datetime) -> None:
        """Tell cases their outcomes; the first stays.

        An outcome whose case is not there waits for it; not one of a payment so long ago that its case would
        be forgotten, of which a replay brings many.
        """
        outcomes = list(outcomes)
        pipeline = self._redis.pipeline(transaction=False)
        with translated():
            for outcome in outcomes:
                pipeline.hexists(_key(outcome.payment_id), _DECIDED)
            known = pipeline.execute()
            lately = now - KEEP_TIME
            kept = [
                outcome
                for outcome, case in zip(outcomes, known, strict=True)
                if case or outcome.reviewer or outcome.paid_at >= lately
            ]
            for outcome in kept:
                key = _key(outcome.payment_id)
                pipeline.hsetnx(key, _OUTCOME, PAYMENT_OUTCOMES.encode(outcome))
                pipeline.expire(key, KEEP_TIME if outcome.reviewer else KEEP_EARLY_TIME, nx=True)
                pipeline.hexists(key, _DECIDED)
            answers = pipeline.execute()
            closed = [outcome for outcome, case in zip(kept, answers[2::3], strict=True) if case]
            for outcome in closed:
                pipeline.expire(_key(outcome.payment_id), KEEP_TIME)
            pipeline.execute()
            self._closed(closed)

    def claim(self, outcome: PaymentOutcome) -> PaymentOutcome:
        """Be the first to review a case; gives the review that was first. Its case stays open."""
        key = f"mercato:claim:{outcome.payment_id}"
        with translated():
            self._redis.set(key, PAYMENT_OUTCOMES.encode(outcome), nx=True, ex=CLAIM_TIME)
            stored = self._redis.get(key)
        return _outcome(stored) if stored else outcome

    def case(self, payment_id: str) -> Case | None:
        """One case, `None` if there is none of that payment."""
        with translated():
            decided, outcome = self._redis.hmget(_key(payment_id), [_DECIDED, _OUTCOME])
        return _case(decided, outcome)

    def page(self, state: State, offset: int, limit: int) -> Page:
        """Cases of a state: the closed ones by when that was found, the others by payment; newest first."""
        with translated():
            page, sound = self._page(state, offset, limit)
            if not sound:
                self._index_again()
                page, _ = self._page(state, offset, limit)
        return page

    def _page(self, state: State, offset: int, limit: int) -> tuple[Page, bool]:
        """A page, and whether the indexes say what the cases do."""
        pipeline = self._redis.pipeline(transaction=False)
        for index in _INDEX.values():
            pipeline.zcard(index)
        pipeline.zrevrange(_INDEX[state], offset, offset + limit - 1)
        *sizes, ids = pipeline.execute()
        total = dict(zip(_INDEX, sizes, strict=True))
        loaded = self._read(ids)
        cases = [case for case in loaded if case and state in (case.state, "all")]
        sound = total["all"] == total["open"] + total["closed"] and len(cases) == len(loaded)
        return Page(cases, total[state]), sound

    def _read(self, ids: Iterable[bytes]) -> list[Case | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for payment_id in ids:
            pipeline.hmget(_key(payment_id.decode()), [_DECIDED, _OUTCOME])
        return [_case(*stored) for stored in pipeline.execute()]

    def _index_again(self) -> None:
        """Put every case where it belongs: some have expired, some are of a version without these indexes."""
        ids = self._redis.zrange(_INDEX["all"], 0, -1)
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            loaded = list(zip(some, self._read(some), strict=True))
            self._forget([payment_id for payment_id, case in loaded if case is None])
            self._closed([case.outcome for _, case in loaded if case and case.outcome])
            waiting = [case.decided for _, case in loaded if case and not case.outcome]
            if waiting:
                times = {each.payment_id: micros(each.paid_at) for each in waiting}
                self._redis.zadd(_INDEX["open"], times)
                self._redis.zrem(_INDEX["closed"], *times)
        for index in (_INDEX["open"], _INDEX["closed"]):  # what is not among all is nowhere
            self._redis.zinterstore(index, {index: 1, _INDEX["all"]: 0})

    def _closed(self, outcomes: Sequence[PaymentOutcome]) -> None:
        """Put cases that have these outcomes among the closed ones; again changes nothing."""
        pipeline = self._redis.pipeline(transaction=False)
        for outcome in outcomes:
            pipeline.zrem(_INDEX["open"], outcome.payment_id)
            pipeline.zadd(_INDEX["closed"], {outcome.payment_id: micros(outcome.event_time)}, nx=True)
        pipeline.execute()

    def _forget(self, ids: Sequence[bytes]) -> None:
        if ids:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.delete(*(_key(each.decode()) for each in ids))
            for index in _INDEX.values():
                pipeline.zrem(index, *ids)
            pipeline.execute()


def _key(payment_id: str) -> str:
    return f"mercato:case:{payment_id}"


def _case(decided: bytes | None, outcome: bytes | None) -> Case | None:
    if decided is None:
        return None
    return Case(
        decided=msgspec.json.decode(decided, type=PaymentDecided),
        outcome=_outcome(outcome) if outcome else None,
    )


def _outcome(stored: bytes) -> PaymentOutcome:
    return msgspec.json.decode(stored, type=PaymentOutcome)
