"""The prequential test of the Fraud Detection Handbook: folds, cards that leave the test, measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mercato.contracts.durations import DAY_SECONDS
from mercato_models.arrays import Floats32, Ints
from mercato_models.curves import Curve
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.payments import Payments, PaymentsError

WEEK = 7
#: First days of the training weeks; the test week begins two weeks later.
TEST_STARTS = tuple(np.datetime64("2018-07-25") + WEEK * fold for fold in range(4))
_CARDS = 100
#: Weeks of a fold: training, delay, test.
_SPAN = 3


def newest_starts(payments: Payments, folds: int = 8) -> tuple[np.datetime64, ...]:
    """First days of the training weeks of the folds whose test weeks are the newest.

    Raises:
        PaymentsError: the payments don't reach back that far.
    """
    after = int(payments.day[-1]) + 1
    starts = [after - WEEK * (_SPAN + earlier) for earlier in reversed(range(folds))]
    if starts[0] < 0:
        least = WEEK * (_SPAN + folds - 1)
        raise PaymentsError(f"the payments reach over {after} days; {folds} weeks of test need {least}")
    return tuple(payments.start.astype("datetime64[D]") + day for day in starts)


@dataclass(frozen=True, slots=True)
class Fold:
    """One week of training, a week until its labels are known, one week of test.

    Attributes:
        week: rows of the training week.
        fortnight: rows of it and the week before.
        past: rows up to the end of the training week, as far back as there are any.
        test: rows of the test week whose card is not known to be compromised.
    """

    number: int
    week: Ints
    fortnight: Ints
    past: Ints
    test: Ints


def folds(payments: Payments, starts: tuple[np.datetime64, ...] = TEST_STARTS) -> Iterator[Fold]:
    """The folds whose training weeks begin at `starts`."""
    for number, start in enumerate(starts):
        first = int((start - payments.start.astype("datetime64[D]")).astype(int))
        before, begin, end = np.searchsorted(payments.day, [first - WEEK, first, first + WEEK])
        week = np.arange(begin, end)
        test = _test(payments, week, first + WEEK)
        yield Fold(number, week, np.arange(before, end), np.arange(end), test)


def _test(payments: Payments, week: Ints, after: int) -> Ints:
    day, customer, fraud = payments.day, payments.customer, payments.fraud
    compromised = np.zeros(int(customer.max()) + 1, bool)
    compromised[customer[week[fraud[week]]]] = True
    kept = []
    for passed in range(WEEK):
        edges = np.searchsorted(day, [after + passed - 1, after + passed])
        newly = np.arange(*edges)
        compromised[customer[newly[fraud[newly]]]] = True
        today = after + LABEL_DELAY // DAY_SECONDS + passed
        rows = np.arange(*np.searchsorted(day, [today, today + 1]))
        kept.append(rows[~compromised[customer[rows]]])
    return np.concatenate(kept)


def card_precision(payments: Payments, rows: Ints, score: Floats32, cards: int = _CARDS) -> float:
    """Share of compromised among the day's `cards` most suspicious cards, averaged over days.

    A card that was found on an earlier day of the fold is not listed again.
    """
    listed: set[int] = set()
    shares = []
    for day in np.unique(payments.day[rows]):
        today = payments.day[rows] == day
        card, place = np.unique(payments.customer[rows[today]], return_inverse=True)
        highest, struck = np.full(len(card), -np.inf), np.zeros(len(card), bool)
        np.maximum.at(highest, place, score[today])
        np.logical_or.at(struck, place, payments.fraud[rows[today]])
        new = ~np.isin(card, list(listed))
        best = np.argsort(-highest[new], kind="stable")[:cards]
        caught = card[new][best][struck[new][best]]
        shares.append(len(caught) / cards)
        listed.update(caught.tolist())
    return float(np.mean(shares))


def measure(payments: Payments, rows: Ints, score: Floats32) -> dict[str, float]:
    """All measures of one fold's test."""
    curve = Curve(payments.fraud[rows].astype(np.float32), score)
    return {
        "average_precision": curve.average_precision(),
        "card_precision_at_100": card_precision(payments, rows, score),
        "roc_auc": curve.auc(),
    }
