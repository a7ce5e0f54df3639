"""Products, neighbours, popularity and promotions as people are told about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lambdas.api.last_good import Described
from mercato.contracts.tables import features, silver
from mercato.contracts.tables.features import ALL_STORES
from mercato.decisions.evidence import Store
from mercato.decisions.fallback import Popular
from mercato_models.recommend.catalogue import DISPLAYS, MAILERS, STATS, Catalogue, Promoted, rows_of

_DETAILS = silver.PRODUCTS.c
_LAST_PRICE = STATS.index(features.PRODUCT_STATS.c.last_price)


class CatalogueLookup:
    """Looks the model's catalogue up by product and store, with the products' details beside it.

    Args:
        catalogue: what the model knows.
        details: rows of the product details view, ordered by product.

    Attributes:
        popular: most bought products by store.
    """

    def __init__(self, catalogue: Catalogue, details: pa.Table) -> None:
        self._catalogue = catalogue
        self._details = details
        self._detailed = details[_DETAILS.product_id].to_numpy()
        self.popular = {
            store: Popular(catalogue.product_ids[ranking.rows].tolist(), ranking.scores.tolist())
            for store, ranking in catalogue.popular.items()
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
        """What is known of a product, `None` if it has no details and was not sold in the last year."""
        wanted = np.array([product_id])
        (row,), (place,) = self._catalogue.rows(wanted), rows_of(self._detailed, wanted)
        price = self._price(row) if row >= 0 else None
        if place < 0:
            return Described(product_id, price=price) if row >= 0 else None
        (details,) = self._details.slice(place, 1).to_pylist()
        return Described(
            product_id=product_id,
            product_type=details[_DETAILS.product_type],
            category=details[_DETAILS.category],
            department=details[_DETAILS.department],
            brand=details[_DETAILS.brand],
            size=details[_DETAILS.package_size],
            price=price,
        )

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
        store = self._stores.get(store_id or ALL_STORES) or self._stores.get(ALL_STORES)
        return store or Store(None, {}, {})

    def _price(self, row: int) -> float | None:
        """In US dollars; none of what was never sold by the unit (NaN) or is below a cent (fuel)."""
        last = round(float(self._catalogue.stats[row, _LAST_PRICE]), 2)
        return last if last > 0 else None


def _codes(catalogue: Catalogue, promoted: Promoted | None) -> dict[int, tuple[str, str]]:
    if promoted is None:
        return {}
    codes = (
        (DISPLAYS[display], MAILERS[mailer])
        for display, mailer in zip(promoted.displays.tolist(), promoted.mailers.tolist(), strict=True)
    )
    return dict(zip(catalogue.product_ids[promoted.rows].tolist(), codes, strict=True))
