"""The model beside the baselines on each household's last basket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mercato_models.gate import Verdict, above
from mercato_models.recommend.baselines import Popularity, personal
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import Score, Target, hide, ranked_each
from mercato_models.recommend.metrics import Quality, quality

#: Length of the lists that are written out.
LISTED = 20
#: Names of the ways to make a list, as metrics are prefixed.
POPULAR, PERSONAL, MODEL, WITHOUT_CONTEXT = "popular", "personal", "model", "model_without_context"


class Ranked(NamedTuple):
    """Products with their scores, best first."""

    products: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Judgement over the test households.

    Attributes:
        qualities: by way to make a list.
        households: in test order.
        lists: by the model's two ways, the LISTED best products of each household.
    """

    qualities: dict[str, Quality]
    households: list[int]
    lists: dict[str, list[Ranked]]

    @property
    def verdict(self) -> Verdict:
        """The gate of a champion: better than both baselines by both measures."""
        model, verdict = self.qualities[MODEL], Verdict()
        for name in (POPULAR, PERSONAL):
            other = self.qualities[name]
            verdict += above(f"R@10 beside {name}", model.recall, other.recall)
            verdict += above(f"nDCG@10 beside {name}", model.ndcg, other.ndcg)
        return verdict

    @property
    def metrics(self) -> dict[str, float]:
        """Every figure by metric name."""
        flat: dict[str, float] = {"test_households": float(len(self.households))}
        for name, quality_ in self.qualities.items():
            flat |= quality_.flat(f"{name}_")
        return flat


@dataclass(frozen=True, slots=True)
class Listed:
    """The model's lists for one test: with the basket's store and time known, and with both hidden."""

    known: Ranked
    blind: Ranked


def lists(tests: Iterable[tuple[Target, Catalogue]], score: Score) -> Iterator[Listed]:
    """Rank the candidates of every test, with the basket's store and time known and without."""
    asked = ((each, catalogue) for target, catalogue in tests for each in _both(target))
    ranked = ranked_each(asked, score, LISTED)
    for known, blind in zip(ranked, ranked, strict=True):
        yield Listed(Ranked(*known), Ranked(*blind))


def _both(target: Target) -> tuple[Context, Context]:
    return target.context, hide(target).context


def evaluate(tests: Sequence[Target], listed: Sequence[Listed]) -> Evaluation:
    """Judge the model by its lists, one of each test, beside the baselines."""
    histories = [target.context.history for target in tests]
    truths = [target.truth for target in tests]
    popularity = Popularity.of(histories)
    ranked = {
        MODEL: [each.known for each in listed],
        WITHOUT_CONTEXT: [each.blind for each in listed],
    }
    by_way = {
        POPULAR: [popularity.top()] * len(tests),
        PERSONAL: [personal(history, popularity) for history in histories],
    } | {name: [best.products.tolist() for best in each] for name, each in ranked.items()}
    qualities = {name: quality(ways, truths) for name, ways in by_way.items()}
    return Evaluation(qualities, [target.household_id for target in tests], ranked)
