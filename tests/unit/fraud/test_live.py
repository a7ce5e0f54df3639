"""What is served makes the features that the model learned from, whatever order events come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from msgspec.structs import replace as replaced

from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.events import Payment
from mercato.online.payments import (
    KEEP_OUTCOMES,
    KEEP_PAYMENTS,
    OUTCOMES,
    Card,
    Terminal,
    card_of,
    terminal_of,
)
from mercato.online.session import micros
from mercato_models.fraud.amount_likelihood import AmountLikelihood
from mercato_models.fraud.days import LABEL_DELAY
from mercato_models.fraud.labelled_payments import payments_of
from mercato_models.fraud.live import GIVEN, given
from mercato_models.fraud.payments import Payments
from mercato_models.fraud.preparation import Preparation
from mercato_models.fraud.replay import Past
from mercato_models.fraud.simulator import simulate
from mercato_models.fraud.state import FEATURES, TERMINAL
from tests.unit.fraud.events import START, outcome, paid, payment, rows
from tests.unit.fraud.world import SMALL, one_a_second

LIKELIHOOD = AmountLikelihood([-1.0, 0.5, 1.5], [0.0, 0.2, 300.0], 0.4)


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    LIKELIHOOD.save(tmp_path)
    return Preparation(tmp_path)


def served(payments: Payments, preparation: Preparation) -> np.ndarray:
    cards, terminals = dict[str, Card](), dict[str, Terminal]()
    found, open_ = [], list[tuple[Payment, bool]]()
    for number in range(len(payments)):
        one = payment(payments, number)
        while open_ and open_[0][0].event_time <= one.event_time - timedelta(seconds=LABEL_DELAY):
            old, fraud = open_.pop(0)
            ratio = cards[old.card_id].ratio(old.event_id)
            known = terminals.get(old.terminal_id, Terminal())
            terminals[old.terminal_id] = known.merged([(outcome(old, fraud), ratio)])
        card, terminal = cards.get(one.card_id, Card()), terminals.get(one.terminal_id, Terminal())
        found.append(given(card, terminal, one.event_time, one.amount)[0])
        cards[one.card_id] = card.merged([one])
        open_.append((one, bool(payments.fraud[number])))
    return preparation(np.array(found))


def test_what_is_served_is_what_was_learned_from(preparation: Preparation) -> None:
    payments = one_a_second(simulate(replace(SMALL, terminals=20))[0])
    assert np.bincount(payments.terminal).max() > 2 * KEEP_OUTCOMES
    past = Past(payments).features(LIKELIHOOD)
    assert np.isnan(past).any(axis=0).sum() > 5
    np.testing.assert_allclose(served(payments, preparation), past, rtol=1e-4, atol=1e-4)


@hypothesis_settings(max_examples=25, deadline=None)
@drawn(
    seed=st.integers(0, 2**32 - 1),
    number=st.integers(1, 1_500),
    frauds=st.sampled_from([0.0, 0.003, 0.05, 0.5, 0.97]),
    early=st.integers(0, KEEP_OUTCOMES - OUTCOMES),
    batch=st.integers(1, 400),
)
def test_a_terminal_is_told_as_it_was_learned_whatever_order_its_outcomes_come_in(
    seed: int, number: int, frauds: float, early: int, batch: int
) -> None:
    """One terminal with up to six times the outcomes that count; of the last week's some are known early."""
    generator = np.random.default_rng(seed)
    asked = 200 * DAY_SECONDS
    second = np.append(
        np.sort(generator.choice(190 * DAY_SECONDS, number, replace=False)),
        asked - LABEL_DELAY + 1 + np.arange(early),
    )
    everything = len(second)
    town = Payments(
        np.datetime64(START.replace(tzinfo=None), "s"),
        np.append(second, asked),
        generator.integers(0, 5, everything + 1),
        np.zeros(everything + 1, int),
        np.round(generator.exponential(50, everything + 1), 2) + 0.01,
        generator.random(everything + 1) < frauds,
    )
    past = Past(town)
    terminal = Terminal()
    for some in np.split(generator.permutation(everything), range(batch, everything, batch)):
        terminal = terminal.merged(
            (outcome(payment(town, each), bool(town.fraud[each])), float(past.ratio[each]))
            for each in some.tolist()
        )
    row = given(Card(), terminal, START + timedelta(seconds=asked), 10.0)[0]
    told = dict(zip(GIVEN, row.tolist(), strict=True))
    learned = dict(zip(FEATURES, past.features(LIKELIHOOD)[-1].tolist(), strict=True))
    assert [told[name] for name in TERMINAL] == pytest.approx(
        [learned[name] for name in TERMINAL], rel=1e-5, nan_ok=True
    )


def test_a_row_is_of_the_columns_that_it_names(preparation: Preparation) -> None:
    card = Card().merged([paid(1, 10, 30.0), paid(2, 20, 50.0)])
    row = given(card, Terminal(), START + timedelta(seconds=80), 40.0)
    told = dict(zip(GIVEN, row[0].tolist(), strict=True))
    assert told["amount"] == told["usual_amount"] == 40
    assert told["customer_payments"] == 2
    assert (told["recent_46_age"], told["recent_47_age"]) == (70, 60)
    assert told["recent_47_ratio"] == pytest.approx(50 / 30)
    assert told["second_of_day"] == 80
    made = dict(zip(FEATURES, preparation(row)[0].tolist(), strict=True))
    assert made["payments_unlabelled"] == 2


@hypothesis_settings(max_examples=50, deadline=None)
@drawn(st.data())
def test_logs_do_not_mind_order_and_repetition(data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True))
    payments = [paid(number, second, 1.0 + number) for number, second in enumerate(times)]
    outcomes = [(outcome(each, each.basket_id % 3 == 0), 1.0) for each in payments]
    card, terminal = Card().merged(payments), Terminal().merged(outcomes)
    order = data.draw(st.permutations(range(len(times)))) + data.draw(
        st.lists(st.integers(0, len(times) - 1), max_size=5)
    )
    late, again = Card(), Terminal()
    for number in order:
        late, again = late.merged([payments[number]]), again.merged([outcomes[number]])
    assert (late, again) == (card, terminal)


@hypothesis_settings(max_examples=100, deadline=None)
@drawn(st.data())
def test_the_newest_outcome_of_a_payment_counts_as_in_training_whatever_order_they_come_in(
    data: st.DataObject,
) -> None:
    """Some are of the same instant, and some came before the payment, so that its ratio was not known."""
    payments = [paid(number, 10 * number, 10.0) for number in range(data.draw(st.integers(1, 5)))]
    made = st.tuples(st.sampled_from(payments), st.integers(0, 3), st.booleans(), st.booleans())
    told = [
        (replaced(outcome(one, fraud), event_time=one.event_time + timedelta(days=days)), early)
        for one, days, fraud, early in data.draw(st.lists(made, min_size=1, max_size=12))
    ]
    # Honest by itself, so that training leaves nothing out.
    told.append((outcome(last := paid(99, 10**6, 10.0), fraud=False), False))
    known = [(each, float("nan") if early else 1.0 + int(each.payment_id)) for each, early in told]
    logs = set[str]()
    for _ in range(2):
        order, terminal = data.draw(st.permutations(known)), Terminal()
        ends = sorted(data.draw(st.sets(st.integers(1, len(order)))))
        for begin, end in zip([0, *ends], [*ends, len(order)], strict=True):
            terminal = terminal.merged(order[begin:end])
        logs.add(repr(terminal.merged(data.draw(st.lists(st.sampled_from(known), max_size=4)))))
    assert len(logs) == 1
    learned = payments_of(rows([*payments, last]), rows([each for each, _ in told]))
    assert [each.fraud for each in terminal.known] == learned.fraud.tolist()
    assert [each.time for each in terminal.known] == [
        micros(START) + 1_000_000 * second for second in learned.second.tolist()
    ]


def test_what_is_forgotten_is_counted_and_does_not_come_back() -> None:
    payments = [paid(number, number, 10.0) for number in range(KEEP_PAYMENTS + 30)]
    card = Card().merged(payments)
    assert (len(card.paid), card.forgotten) == (KEEP_PAYMENTS, 30)
    assert card.merged(payments[:5]) == card
    assert np.isnan(card.ratio("3"))
    told = dict(zip(GIVEN, given(card, Terminal(), START + timedelta(days=1), 10.0)[0].tolist(), strict=True))
    assert told["customer_payments"] == KEEP_PAYMENTS + 30
    assert told["amount_ratio"] == 1


@hypothesis_settings(max_examples=50, deadline=None)
@drawn(st.data())
def test_a_forgotten_payment_that_comes_again_is_not_counted_again(data: st.DataObject) -> None:
    """Many are of one instant, as the oldest that is kept may be."""
    count = KEEP_PAYMENTS + data.draw(st.integers(1, 30))
    second = data.draw(st.integers(1, 60))
    payments = [paid(number, number // second, 10.0) for number in range(count)]
    card = Card().merged(payments)
    assert card.forgotten == count - KEEP_PAYMENTS
    assert card.merged(data.draw(st.lists(st.sampled_from(payments), max_size=40))) == card


def test_rows_of_the_online_store_hold_all_of_a_log() -> None:
    payments = [paid(1, 10, 30.0), paid(2, 20, 50.0)]
    card = Card(forgotten=3).merged(payments)
    terminal = Terminal().merged([(outcome(payments[0], fraud=True), 1.5)])
    as_read = [asdict(row) for row in (card.row("7"), terminal.row("8"))]
    assert card_of(as_read[0]) == card
    assert terminal_of(as_read[1]) == terminal
    earlier = terminal_of(as_read[1] | {"told": None})
    assert earlier == Terminal((terminal.known[0]._replace(told=0),))
    assert earlier.merged([(outcome(payments[0], fraud=False), 1.5)]).known[0].fraud is False


def test_outcomes_that_an_earlier_release_wrote_over_newer_ones_are_all_read() -> None:
    """It left when they were told as it was: of fewer."""
    terminal = Terminal().merged((outcome(paid(number, number, 9.0), False), 1.0) for number in range(5))
    row = asdict(terminal.row("t"))
    assert len(terminal_of(row | {"told": row["told"][:3]}).known) == 5
