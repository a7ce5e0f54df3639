"""The smallest shops there can be, as events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mercato.contracts.events import (
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    Placement,
    Product,
    Promotion,
    Transaction,
)
from mercato.lake.tables import Lake
from tests.integration.records import write_bronze

#: Monday 05:00 UTC, the end of a week: a basket of then is in a complete one.
MONDAY = datetime(2026, 1, 5, 5, tzinfo=UTC)
WEEK = timedelta(weeks=1)
#: Names of the jobs that read what is written here, and their layer.
JOBS, LAYERS = ("silver.transactions", "silver.products", "silver.promotions"), ("gold",)

#: Baskets of household 1 by name of the shop: time and products of each.
SHOPS: Mapping[str, Sequence[tuple[datetime, Sequence[int]]]] = {
    "empty": (),
    "one-line": ((MONDAY, (1,)),),
    "one-basket": ((MONDAY, (1, 2)),),
    "one-product": ((MONDAY, (1,)), (MONDAY + WEEK, (1,))),
    "one-instant": tuple((MONDAY, (1, 2)) for _ in range(6)),
}


def write(lake: Lake, shop: str) -> None:
    """Write the shop's bronze, with a catalogue and a promotion of product 1."""
    lines = [
        Transaction(
            event_id=f"{basket}-{product}", event_time=at, household_id=1, store_id=1, basket_id=basket,
            product_id=product, quantity=1, sales_value=1.5, retail_disc=0.5, coupon_disc=0.0,
            coupon_match_disc=0.0, week=1,
        )
        for basket, (at, products) in enumerate(SHOPS[shop], 1)
        for product in products
    ]  # fmt: skip
    product = Product(
        event_id="1", event_time=MONDAY, product_id=1, manufacturer_id=1, department="GROCERY", brand="own"
    )
    promotion = Promotion(
        event_id="1", event_time=MONDAY, product_id=1, week=1, valid_from=MONDAY, valid_to=MONDAY + WEEK,
        placements=[Placement(display="1", mailer="A", stores=[1])],
    )  # fmt: skip
    write_bronze(lake, TRANSACTIONS, [*map(TRANSACTIONS.encode, lines)])
    write_bronze(lake, PRODUCTS, [PRODUCTS.encode(product)])
    write_bronze(lake, PROMOTIONS, [PROMOTIONS.encode(promotion)])
