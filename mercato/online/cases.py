"""Payments that were not simply approved, and what a person or time found: the newest, in Redis.

What happened is in Kafka and the lake. This is the view of it that a reviewer reads; every change of it may
be repeated, and comes in any order.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import redis

from mercato.contracts.events import PAYMENT_DECISIONS, PAYMENT_OUTCOMES, PaymentDecided, PaymentOutcome
from mercato.online.connection import translated
from mercato.online.session import micros

#: Cases that are kept, newest payments first, and for how long.
KEEP_CASES = 10_000
KEEP_SECONDS = 60 * 86_400

_INDEX = "mercato:cases"
_DECIDED, _OUTCOME = "decided", "outcome"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was held or declined; open as long as it has no outcome."""

    decided: PaymentDecided
    outcome: PaymentOutcome | None = None


class CaseBook:
    """The cases in the online store's Redis. Safe to use from several threads.

    Every method raises OnlineUnavailable where Redis does not answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def open(self, decisions: Iterable[PaymentDecided]) -> int:
        """Remember decisions that a person may look at; returns how many were new."""
        new = 0
        with translated():
            for decided in decisions:
                if not decided.held:
                    continue
                key = _key(decided.payment_id)
                new += self._redis.hset(key, _DECIDED, PAYMENT_DECISIONS.encode(decided))
                self._redis.expire(key, KEEP_SECONDS)
                self._redis.zadd(_INDEX, {decided.payment_id: micros(decided.paid_at)})
            forgotten = self._redis.zrange(_INDEX, 0, -KEEP_CASES - 1)
            if forgotten:
                self._redis.delete(*(_key(each.decode()) for each in forgotten))
                self._redis.zrem(_INDEX, *forgotten)
        return new

    def close(self, outcomes: Iterable[PaymentOutcome]) -> None:
        """Tell cases their outcomes; the first stays. Other payments' are not kept but for a reviewer's."""
        with translated():
            for outcome in outcomes:
                key = _key(outcome.payment_id)
                if outcome.reviewer or self._redis.exists(key):
                    self._redis.hsetnx(key, _OUTCOME, PAYMENT_OUTCOMES.encode(outcome))
                    self._redis.expire(key, KEEP_SECONDS)

    def claim(self, outcome: PaymentOutcome) -> PaymentOutcome:
        """Be the first to tell a case its outcome; gives the outcome that it has then."""
        self.close([outcome])
        found = self.case(outcome.payment_id)
        return found.outcome if found and found.outcome else outcome

    def release(self, outcome: PaymentOutcome) -> None:
        """Take back a claim that nobody else got to know of."""
        with translated():
            self._redis.hdel(_key(outcome.payment_id), _OUTCOME)

    def case(self, payment_id: str) -> Case | None:
        """One case, `None` if there is none of that payment."""
        with translated():
            decided, outcome = self._redis.hmget(_key(payment_id), [_DECIDED, _OUTCOME])
        return _case(decided, outcome)

    def newest(self, count: int) -> list[Case]:
        """Cases of the newest payments, newest first."""
        with translated():
            pipeline = self._redis.pipeline(transaction=False)
            for payment_id in self._redis.zrevrange(_INDEX, 0, count - 1):
                pipeline.hmget(_key(payment_id.decode()), [_DECIDED, _OUTCOME])
            stored = pipeline.execute()
        return [case for found in stored if (case := _case(*found))]


def _key(payment_id: str) -> str:
    return f"mercato:case:{payment_id}"


def _case(decided: bytes | None, outcome: bytes | None) -> Case | None:
    if decided is None:
        return None
    return Case(
        decided=msgspec.json.decode(decided, type=PaymentDecided),
        outcome=msgspec.json.decode(outcome, type=PaymentOutcome) if outcome else None,
    )
