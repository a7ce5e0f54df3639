"""Cases end alike whatever comes first, and are kept for a while."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from mercato.contracts.events import PAYMENT_DECISIONS, PAYMENT_OUTCOMES
from mercato.online import cases
from mercato.online.cases import KEEP_CASES, KEEP_EARLY_TIME, KEEP_TIME, CaseBook
from mercato.online.session import micros
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from tests.integration.payment_cases import NOW, decided, disputed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]


@pytest.fixture
def book(own: Settings) -> CaseBook:
    return CaseBook(OnlineStore(own).redis)


def test_a_dispute_closes_a_case_and_a_later_one_changes_nothing(book: CaseBook) -> None:
    book.open([decided(1)])
    book.close([disputed(1), disputed(2)], NOW)
    ((case,), total) = book.page("all", 0, 10)
    assert (case.outcome, total) == (disputed(1), 1)
    assert book.case("p2") is None
    later = msgspec.structs.replace(disputed(1), event_id="again", fraud=False)
    book.close([later, disputed(1)], NOW)
    assert book.open([decided(1)]) == 0
    assert book.page("closed", 0, 10) == ([case], 1)
    assert book.page("open", 0, 10) == ([], 0)


def test_whatever_comes_first_cases_end_alike(own: Settings, book: CaseBook) -> None:
    """A held payment with an outcome, one without, one that was approved; all in any order, some twice."""
    steps: list[Callable[[], object]] = [
        lambda: book.open([decided(1)]),
        lambda: book.close([disputed(1), disputed(3)], NOW),
        lambda: book.open([decided(2), decided(3, "approve")]),
        lambda: book.close([disputed(1)], NOW),
        lambda: book.open([decided(1), decided(2)]),
    ]
    for order in itertools.permutations(steps):
        for step in order:
            step()
        assert [each.decided.payment_id for each in book.page("open", 0, 10).cases] == ["p2"]
        assert [each.outcome for each in book.page("closed", 0, 10).cases] == [disputed(1)]
        assert [each.decided.payment_id for each in book.page("all", 0, 10).cases] == ["p2", "p1"]
        OnlineStore(own).redis.flushdb()


def test_the_newest_payments_are_kept(own: Settings, book: CaseBook) -> None:
    book.open([decided(number) for number in range(KEEP_CASES)])
    book.close([disputed(0), disputed(1)], NOW)
    assert [book.page(state, 0, 1).total for state in ("all", "open", "closed")] == [
        KEEP_CASES, KEEP_CASES - 2, 2,
    ]  # fmt: skip
    assert book.open([decided(KEEP_CASES + number) for number in range(3)]) == 3
    assert book.page("all", KEEP_CASES - 1, 9).cases[0].decided == decided(3)
    assert [book.page(state, 0, 1).total for state in ("all", "open", "closed")] == [
        KEEP_CASES, KEEP_CASES, 0,
    ]  # fmt: skip
    assert [book.case(f"p{number}") is None for number in range(4)] == [True, True, True, False]


def test_cases_are_forgotten_after_sixty_days(
    own: Settings, book: CaseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = OnlineStore(own).redis
    book.open([decided(1), decided(2)])
    book.close([disputed(1), disputed(3)], NOW)
    kept, early = int(KEEP_TIME.total_seconds()), int(KEEP_EARLY_TIME.total_seconds())
    assert {redis.ttl(f"mercato:case:p{number}") for number in (1, 2)} <= {kept, kept - 1}
    assert redis.ttl("mercato:case:p3") in (early, early - 1)
    monkeypatch.setattr(cases, "KEEP_TIME", timedelta(seconds=1))
    book.open([decided(3), decided(4)])
    assert [each.decided.payment_id for each in book.page("closed", 0, 10).cases] == ["p3", "p1"]
    time.sleep(1.1)
    assert [each.decided.payment_id for each in book.page("all", 0, 10).cases] == ["p2", "p1"]
    assert [book.page(state, 0, 10).total for state in ("all", "open", "closed")] == [2, 1, 1]


def test_outcomes_of_a_replayed_year_are_not_kept_for_cases_that_can_not_come(
    own: Settings, book: CaseBook
) -> None:
    old = msgspec.structs.replace(disputed(1), paid_at=NOW - KEEP_TIME - timedelta(seconds=1))
    book.close([old, msgspec.structs.replace(old, payment_id="p2", reviewer="ada")], NOW)
    assert [OnlineStore(own).redis.exists(f"mercato:case:p{number}") for number in (1, 2)] == [0, 1]
    book.open([decided(1)])
    book.close([old], NOW)
    assert book.page("closed", 0, 10).cases[0].outcome == old


def test_cases_of_a_version_without_these_lists_are_found(own: Settings, book: CaseBook) -> None:
    redis = OnlineStore(own).redis
    for number in range(5):
        key = f"mercato:case:p{number}"
        redis.hset(key, "decided", PAYMENT_DECISIONS.encode(decided(number)))
        redis.zadd("mercato:cases", {f"p{number}": micros(decided(number).paid_at)})
        if number > 2:
            redis.hset(key, "outcome", PAYMENT_OUTCOMES.encode(disputed(number)))
    redis.zadd("mercato:cases", {"gone": 1})
    book.open([decided(5)])
    assert [each.decided.payment_id for each in book.page("open", 0, 10).cases] == ["p5", "p2", "p1", "p0"]
    assert book.page("closed", 0, 10).total == 2
    assert book.page("all", 0, 10).total == 6
