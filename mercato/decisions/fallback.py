"""What to show when a personal answer cannot be had: the store's popular products, marked as such."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.recommend import Item, popular_in


class Reason(StrEnum):
    """Why an answer is not personal."""

    UNKNOWN_HOUSEHOLD = "unknown_household"
    UNKNOWN_STORE = "unknown_store"
    UNKNOWN_PRODUCT = "unknown_product"
    NO_NEIGHBOURS = "no_neighbours"
    ONLINE_UNAVAILABLE = "online_unavailable"
    SCORER_UNAVAILABLE = "scorer_unavailable"
    NO_MODEL = "no_model"


SENTENCES: Mapping[Reason, str] = {
    Reason.UNKNOWN_HOUSEHOLD: "This household is new, so these are the store's most popular products.",
    Reason.UNKNOWN_STORE: "This store is new, so these are the most popular products of all stores.",
    Reason.UNKNOWN_PRODUCT: "This product is unknown, so these are the most popular ones.",
    Reason.NO_NEIGHBOURS: "Nothing is often bought with it yet, so these are the most popular products.",
    Reason.ONLINE_UNAVAILABLE: "Live features are out of reach, so these are the last known popular ones.",
    Reason.SCORER_UNAVAILABLE: "The model is out of reach, so these are the last known popular ones.",
    Reason.NO_MODEL: "No model is trained yet, so these are the store's most popular products.",
}


@dataclass(frozen=True, slots=True)
class Popular:
    """A store's most bought products, most popular first, with their decayed basket counts."""

    product_ids: Sequence[int]
    scores: Sequence[float]


def popular_in_store(
    lists: Mapping[int, Popular], store_id: int | None, *, n: int, hidden: Collection[int]
) -> tuple[list[Item], int]:
    """The n most popular products of a store, and the store they are of.

    Args:
        lists: popular products by store; ALL_STORES stands for all together.
        store_id: the wanted store; all stores stand in where it is unknown.
        n: items wanted; the list of all stores fills up a short one.
        hidden: products not to show.
    """
    found = store_id if store_id in lists else ALL_STORES
    items: list[Item] = []
    seen = set(hidden)
    for source in dict.fromkeys((found, ALL_STORES)):
        popular = lists.get(source or ALL_STORES, Popular((), ()))
        why = (popular_in(source or None),)
        for product_id, score in zip(popular.product_ids, popular.scores, strict=True):
            if len(items) == n:
                return items, found or ALL_STORES
            if product_id in seen:
                continue
            seen.add(product_id)
            items.append(Item(product_id, len(items) + 1, float(score), ("popular",), why))
    return items, found or ALL_STORES
