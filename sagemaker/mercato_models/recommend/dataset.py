"""From contexts to what the ranker is fitted on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mercato_models.recommend.candidates import candidates
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.features import build
from mercato_models.recommend.metrics import order

#: Shares of training contexts that show an open cart, and a cart with views as well.
CART_SHARE = 0.2
VIEWS_SHARE = 0.1
#: Share of training contexts whose place and time are hidden, so that the model can do without.
HIDDEN_SHARE = 0.15
#: Products shown to the model in such a session at most.
SESSION_PRODUCTS = 4


@dataclass(frozen=True, slots=True)
class Target:
    """A basket to predict: what was known before it, and the products it then held."""

    household_id: int
    context: Context
    truth: frozenset[int]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Rows of all groups one after another.

    Attributes:
        features: rows x FEATURES.
        labels: 1 for products of the target basket.
        group: per row, number of its target.
        weights: per row, 1 / sqrt(products of the target basket): large baskets, which are easy
            to hit, would else drown the small ones, which count as much in the recall.
        stands_for: per row, how many candidates it is a sample of, of those that a model that serves will be
            asked about: none where the place and time are hidden.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.float32]
    group: NDArray[np.int32]
    weights: NDArray[np.float32]
    stands_for: NDArray[np.float64]


def reveal(target: Target, distractors: NDArray[np.int64], generator: np.random.Generator) -> Target:
    """Turn some targets into ones with an open session, so that the model learns to use it.

    The cart holds products of the basket itself, which are then no longer to be predicted.
    Views are half products of it, half distractors: a look is not yet a purchase.
    """
    kind = generator.random()
    if kind >= CART_SHARE + VIEWS_SHARE or len(target.truth) < 2:
        return target
    basket = generator.permutation(sorted(target.truth))
    shown = int(generator.integers(1, min(SESSION_PRODUCTS, len(basket) - 1) + 1))
    cart, rest = basket[:shown].tolist(), basket[shown:].tolist()
    viewed: list[int] = []
    if kind >= CART_SHARE:
        looks = int(generator.integers(1, 3))
        others = [int(p) for p in generator.permutation(distractors)[:looks] if p not in target.truth]
        viewed = [*rest[:looks], *others]
    context = replace(target.context, cart=tuple(cart), viewed=tuple(viewed))
    return replace(target, context=context, truth=frozenset(rest))


def hide(target: Target) -> Target:
    """The same target with the place and time of the basket unknown."""
    return replace(target, context=replace(target.context, store_id=None, time=None))


@dataclass(frozen=True, slots=True)
class Example:
    """Candidates of one target: all that were bought, and a sample of those that were not.

    Attributes:
        features: rows x FEATURES; labels: 1 for products of the target basket.
        weight, stands_for: see `TrainingSet`.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.float32]
    weight: float
    stands_for: NDArray[np.float64]


def examples(
    targets: Iterable[tuple[Target, Catalogue]], *, negatives: int, seed: int = 0
) -> Iterator[Example]:
    """What is learned of each target; nothing of those without a candidate that was bought.

    What chance decides of a target depends on it and the seed alone, not on the targets beside it.

    Args:
        targets: each with the catalogue as it was then.
        negatives: candidates kept of those that were not bought.
    """
    for target, catalogue in targets:
        generator = np.random.default_rng([seed, target.household_id, int(target.context.time or 0)])
        shown = reveal(target, _distractors(catalogue, target), generator)
        hidden = generator.random() < HIDDEN_SHARE
        if hidden:
            shown = hide(shown)
        proposed = candidates(shown.context, catalogue)
        bought = np.isin(catalogue.product_ids[proposed.rows], list(shown.truth))
        if not bought.any():
            continue
        missed = generator.permutation(np.flatnonzero(~bought))[:negatives]
        kept = np.sort(np.concatenate([np.flatnonzero(bought), missed]))
        features = build(shown.context, catalogue, proposed)[kept]
        stands_for = np.where(bought[kept], 1, (~bought).sum() / max(len(missed), 1)) * (not hidden)
        yield Example(features, bought[kept].astype(np.float32), len(shown.truth) ** -0.5, stands_for)


def training_set(learned: Iterable[Example]) -> TrainingSet:
    """All examples one after another.

    Raises:
        ValueError: there is none, so there is nothing to learn.
    """
    parts = list(learned)
    if not parts:
        raise ValueError("no candidate of any target was bought: the label is constant")
    sizes = [len(each.labels) for each in parts]
    return TrainingSet(
        np.concatenate([each.features for each in parts]),
        np.concatenate([each.labels for each in parts]),
        np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        np.repeat(np.array([each.weight for each in parts], np.float32), sizes),
        np.concatenate([each.stands_for for each in parts]),
    )


Score = Callable[[NDArray[np.float32]], NDArray[np.float32]]
#: Lists that are scored at once.
_TOGETHER = 64


def ranked(
    context: Context, catalogue: Catalogue, score: Score, n: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The n best products of a context and their scores, best first."""
    return next(ranked_each([(context, catalogue)], score, n))


def ranked_each(
    asked: Iterable[tuple[Context, Catalogue]], score: Score, n: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """The same for one context after another, scored so many at a time that threads have work to share."""
    coming = iter(asked)
    while together := list(itertools.islice(coming, _TOGETHER)):
        found = [candidates(context, catalogue) for context, catalogue in together]
        features = [build(*each, proposed) for each, proposed in zip(together, found, strict=True)]
        ends = np.cumsum([len(proposed.rows) for proposed in found])
        scores = score(np.concatenate(features)) if ends[-1] else np.empty(0, np.float32)
        for (_, catalogue), proposed, own in zip(together, found, np.split(scores, ends[:-1]), strict=True):
            products = catalogue.product_ids[proposed.rows]
            best = order(own, products)[:n]
            yield products[best], own[best]


def _distractors(catalogue: Catalogue, target: Target) -> NDArray[np.int64]:
    return catalogue.product_ids[catalogue.popular_in(target.context.store_id).rows]
