"""The model beside the baselines on each household's last basket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Judgement over the test households.

    Attributes:
        qualities: by way to make a list.
        households: in test order; products, scores: their LISTED best beside them, best first.
    """

    qualities: dict[str, Quality]
    households: list[int]
    products: list[NDArray[np.int64]]
    scores: list[NDArray[np.float32]]

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


def evaluate(tests: Iterable[tuple[Target, Catalogue]], score: Score) -> Evaluation:
    """Judge the model, with the basket's store and time known and without, and the baselines."""
    held: list[Target] = []

    def asked() -> Iterator[tuple[Context, Catalogue]]:
        for target, catalogue in tests:
            held.append(target)
            yield target.context, catalogue
            yield hide(target).context, catalogue

    found = list(ranked_each(asked(), score, LISTED))
    products, scores = [best for best, _ in found[::2]], [values for _, values in found[::2]]
    blind = [best.tolist() for best, _ in found[1::2]]
    histories = [target.context.history for target in held]
    truths = [target.truth for target in held]
    popularity = Popularity.of(histories)
    lists = {
        POPULAR: [popularity.top()] * len(held),
        PERSONAL: [personal(history, popularity) for history in histories],
        MODEL: [best.tolist() for best in products],
        WITHOUT_CONTEXT: blind,
    }
    qualities = {name: quality(ways, truths) for name, ways in lists.items()}
    return Evaluation(qualities, [target.household_id for target in held], products, scores)
