"""Products, neighbours, popularity and promotions as people are told about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lambdas.api.popular import Described
from mercato.contracts.tables import features, silver
from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.evidence import Store
from mercato.decisions.fallback import Popular
from mercato_models.recommend.catalogue import DISPLAYS, MAILERS, STATS, Catalogue, Promoted

_DETAILS = silver.PRODUCTS.c
_LAST_PRICE = STATS.index(features.PRODUCT_STATS.c.last_price)


class Shop:
    """Looks the model's catalogue up by product and store, with the products' details beside it.

    Args:
        catalogue: what the model knows.
        details: rows of the product details view.

    Attributes:
        popular: most bought products by store.
    """

    def __init__(self, catalogue: Catalogue, details: pa.Table) -> None:
        self._catalogue = catalogue
        self._described = _described(catalogue, details)
        self.popular = {
            store: Popular(catalogue.product_ids[found.rows].tolist(), found.scores.tolist())
            for store, found in catalogue.popular.items()
        }
        self._stores = {
            store: Store(
                store if store != ALL_STORES else None,
                _codes(catalogue, catalogue.promoted.get(store)),
                {product_id: rank for rank, product_id in enumerate(popular.product_ids, 1)},
            )
            for store, popular in self.popular.items()
        }

    def describe(self, product_id: int) -> Described | None:
        """What the catalogue says of a product, `None` if it has no such."""
        return self._described.get(product_id)

    def neighbours(self, product_id: int) -> tuple[Sequence[int], Sequence[float]]:
        """Products bought together with it and how strongly, strongest first."""
        row = int(self._catalogue.rows([product_id])[0])
        if row < 0:
            return (), ()
        near = self._catalogue.neighbours[row]
        there = near < len(self._catalogue)
        ids: list[int] = self._catalogue.product_ids[near[there]].tolist()
        return ids, self._catalogue.neighbour_scores[row][there].tolist()

    def store(self, store_id: int | None) -> Store:
        """What the store promotes and sells most; all stores for `None` or an unknown one."""
        found = self._stores.get(store_id or ALL_STORES) or self._stores.get(ALL_STORES)
        return found or Store(None, {}, {})


def _codes(catalogue: Catalogue, promoted: Promoted | None) -> dict[int, tuple[str, str]]:
    if promoted is None:
        return {}
    codes = (
        (DISPLAYS[display], MAILERS[mailer])
        for display, mailer in zip(promoted.displays.tolist(), promoted.mailers.tolist(), strict=True)
    )
    return dict(zip(catalogue.product_ids[promoted.rows].tolist(), codes, strict=True))


def _described(catalogue: Catalogue, details: pa.Table) -> dict[int, Described]:
    """Every product that has details or was sold in the last year."""
    last = catalogue.stats[:, _LAST_PRICE].astype(np.float64).round(2).tolist()
    # No price: never sold by the unit (NaN, which is not JSON), or below a cent (fuel by the 1/1000 gallon).
    known = (price if price > 0 else None for price in last)
    prices = dict(zip(catalogue.product_ids.tolist(), known, strict=True))
    described = {
        row[_DETAILS.product_id]: Described(
            product_id=row[_DETAILS.product_id],
            product_type=row[_DETAILS.product_type],
            category=row[_DETAILS.category],
            department=row[_DETAILS.department],
            brand=row[_DETAILS.brand],
            size=row[_DETAILS.package_size],
            price=prices.get(row[_DETAILS.product_id]),
        )
        for row in details.to_pylist()
    }
    return {
        product_id: Described(product_id, price=price) for product_id, price in prices.items()
    } | described
