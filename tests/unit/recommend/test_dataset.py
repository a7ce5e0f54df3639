"""What is learned of baskets: which products stand beside those that were bought, and what is hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import examples, hide, ranked, ranked_each, reveal, training_set
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.history import History
from tests.unit.recommend import world
from tests.unit.recommend.world import PRODUCTS, target


def test_what_is_bought_is_labelled_and_large_baskets_weigh_less() -> None:
    catalogue = world.catalogue()
    data = training_set(examples([(target(seed), catalogue) for seed in range(30)], negatives=5))
    assert data.features.shape == (len(data.labels), len(FEATURES))
    for group in range(30):
        mine = data.group == group
        assert 1 <= data.labels[mine].sum() <= 4
        assert (data.labels[mine] == 0).sum() == 5
    cart = data.features[:, FEATURES.index("cart_size")]
    assert np.allclose(data.weights, (4 - cart) ** -0.5)


def test_rows_stand_for_all_candidates_of_contexts_that_are_not_hidden() -> None:
    catalogue = world.catalogue()
    data = training_set(examples([(target(seed), catalogue) for seed in range(40)], negatives=5))
    whole = training_set(examples([(target(seed), catalogue) for seed in range(40)], negatives=1000))
    hidden = np.isnan(data.features[:, FEATURES.index("hour")])
    assert 0 < hidden.sum() < len(hidden) / 2
    assert not data.stands_for[hidden].any()
    assert (data.stands_for[(data.labels == 1) & ~hidden] == 1).all()
    for group in range(40):
        mine, candidates = data.group == group, (whole.group == group).sum()
        assert data.stands_for[mine].sum() == pytest.approx(0 if hidden[mine].any() else candidates)


def test_the_basket_itself_never_reaches_the_features() -> None:
    catalogue = world.catalogue()
    one = target(3)
    other = replace(one, truth=frozenset(PRODUCTS[:2]))
    seen = [ranked(t.context, catalogue, lambda rows: rows.sum(axis=1), 5)[0].tolist() for t in (one, other)]
    assert seen[0] == seen[1]


def test_training_is_repeatable() -> None:
    made = [
        training_set(examples([(target(s), world.catalogue()) for s in range(9)], negatives=5, seed=4))
        for _ in "ab"
    ]
    assert np.array_equal(made[0].features, made[1].features, equal_nan=True)


def test_what_is_learned_of_a_target_does_not_depend_on_the_others() -> None:
    catalogue = world.catalogue()
    asked = [(target(seed), catalogue) for seed in range(20)]
    backwards = list(examples(asked[::-1], negatives=5))[::-1]
    for one, other in zip(examples(asked, negatives=5), backwards, strict=True):
        assert np.array_equal(one.features, other.features, equal_nan=True)
        assert one.labels.tolist() == other.labels.tolist()


def test_a_revealed_cart_is_no_longer_to_be_predicted() -> None:
    generator = np.random.default_rng(0)
    before = target(5)
    shown = [reveal(before, np.array(PRODUCTS), generator) for _ in range(300)]
    with_cart = [each for each in shown if each.context.cart]
    assert 0.2 < len(with_cart) / len(shown) < 0.4
    assert any(each.context.viewed for each in with_cart)
    for each in with_cart:
        assert each.truth | set(each.context.cart) == before.truth
        assert not each.truth & set(each.context.cart)
        assert each.truth


def test_a_hidden_target_knows_neither_place_nor_time() -> None:
    hidden = hide(target()).context
    assert (hidden.store_id, hidden.time) == (None, None)


def test_nothing_bought_is_an_error() -> None:
    never = replace(target(), truth=frozenset([5]))
    with pytest.raises(ValueError, match="label is constant"):
        training_set(examples([(never, world.catalogue())], negatives=5))


def test_lists_that_are_scored_together_are_those_of_each_alone() -> None:
    catalogue = world.catalogue()
    asked = [(target(seed).context, catalogue) for seed in range(130)]
    asked[64] = Context(History.of()), Catalogue.bare([])  # nothing to propose

    def by_sum(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        sums: NDArray[np.float32] = np.nan_to_num(rows).sum(axis=1)
        return sums

    together = list(ranked_each(asked, by_sum, 5))
    assert len(together) == len(asked)
    for (products, scores), (context, known) in zip(together, asked, strict=True):
        alone = ranked(context, known, by_sum, 5)
        assert products.tolist() == alone[0].tolist()
        assert scores.tolist() == alone[1].tolist()
    assert len(together[64][0]) == 0
