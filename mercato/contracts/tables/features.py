"""As-of feature tables: every row holds what was known at its event_timestamp.

A row is built only from baskets at or before `event_timestamp`; the pair of
entity and `event_timestamp` is unique, as point-in-time joins need it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.columns import (
    F32,
    I32,
    CouponShare,
    Household,
    KnownFrom,
    Product,
    RetailDiscountShare,
    Store,
)

#: Baskets that a household's history keeps (the evaluation protocol's limit).
HISTORY_BASKETS = 50
#: Snapshots kept per household: enough for the target baskets that training uses.
HISTORY_SNAPSHOTS = 12
#: Neighbours kept per product.
NEIGHBOURS = 50
#: Products kept per store.
POPULAR_PRODUCTS = 300
#: Newest ended weeks at whose ends products and stores have snapshots. What training targets
#: before them would see is unknown, so training takes none.
SNAPSHOT_WEEKS = 17
#: The same for figures of days.
SNAPSHOT_DAYS = 7 * SNAPSHOT_WEEKS
#: Slots of three hours (UTC) that a day has.
SLOT_HOURS = 3
#: Baskets of so many products at most are small.
SMALL_BASKET = 2
#: Weekday of 1970-01-01, from Monday.
EPOCH_WEEKDAY = 3
#: A product in fewer baskets has no occasions and no returns: they would be chance.
OCCASION_BASKETS = 5
#: Steps of how often a household had bought a product, and of how many baskets later it does so again.
RETURN_TIMES = (1, 2, 4, 8)
RETURN_BASKETS = (1, 2, 3, 4, 6, 9, 14, 22, 35)
#: Weeks between two snapshots of neighbours, occasions and returns, which change slowly; the newest week's
#: end is one.
SNAPSHOT_STEP_WEEKS = 4
#: `store_id` that stands for all stores together.
ALL_STORES = 0


class HouseholdHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The last HISTORY_BASKETS baskets, oldest first, right after the newest of them.

    There is a row for each of the household's newest HISTORY_SNAPSHOTS checkouts. `basket_times`,
    `basket_stores` and `basket_sizes` have one element per basket; `products` holds the baskets' products
    one after another (basket i has basket_sizes[i] of them), `quantities` and `values` beside it.
    """

    household_id: Household
    event_timestamp: KnownFrom
    basket_times: Annotated[
        list[int], Meta(description="When each basket was bought, in seconds since 1970 UTC.")
    ]
    basket_stores: Annotated[list[int], Meta(description="Store of each basket.")]
    basket_sizes: Annotated[list[I32], Meta(description="Products in each basket.")]
    products: Annotated[list[int], Meta(description="Products of the baskets, one basket after another.")]
    quantities: Annotated[list[I32], Meta(description="Units of each of these products; at most 2^31 - 1.")]
    values: Annotated[list[F32], Meta(description="US dollars paid for each of these products.")]


class HouseholdProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A household's running figures right after each basket. Gaps in days, money in US dollars."""

    household_id: Household
    event_timestamp: KnownFrom
    baskets: Annotated[int, Meta(description="Baskets so far.")]
    lines: Annotated[int, Meta(description="Basket lines so far.")]
    spend: Annotated[float, Meta(description="Paid to the retailer so far.")]
    mean_basket_size: Annotated[float, Meta(description="Products per basket.")]
    mean_basket_value: Annotated[float, Meta(description="Spend per basket.")]
    mean_gap_days: Annotated[
        float | None, Meta(description="Mean days between its baskets; null after the first.")
    ]
    last_gap_days: Annotated[
        float | None, Meta(description="Days since the basket before; null after the first.")
    ]
    baskets_28d: Annotated[int, Meta(description="Baskets of the last 28 days.")]
    spend_28d: Annotated[float, Meta(description="Spend of the last 28 days.")]
    retail_discount_share: RetailDiscountShare
    coupon_share: CouponShare


class ProductStats(msgspec.Struct, frozen=True, kw_only=True):
    """A product's figures at the end of a week, over windows that end there.

    For the newest SNAPSHOT_WEEKS weeks and products sold in the trailing 52 weeks.
    """

    product_id: Product
    event_timestamp: KnownFrom
    baskets_1w: Annotated[I32, Meta(description="Baskets with it in the last week.")]
    baskets_4w: Annotated[I32, Meta(description="Baskets with it in the last 4 weeks.")]
    baskets_13w: Annotated[I32, Meta(description="Baskets with it in the last 13 weeks.")]
    baskets_52w: Annotated[I32, Meta(description="Baskets with it in the last 52 weeks.")]
    households_52w: Annotated[I32, Meta(description="Households that bought it in the last 52 weeks.")]
    repeat_households_52w: Annotated[
        I32, Meta(description="Of those, how many bought it in two baskets or more.")
    ]
    mean_price_13w: Annotated[
        float | None,
        Meta(description="Loyalty price per unit, US dollars; null if none was sold by the unit."),
    ]
    last_price: Annotated[
        float | None, Meta(description="The same in the last week it was sold in; null if never by the unit.")
    ]
    discount_share_4w: Annotated[
        float | None,
        Meta(description="Loyalty-card discounts as a share of the value before them; null without sales."),
    ]


class ProductTrends(msgspec.Struct, frozen=True, kw_only=True):
    """In how many baskets a product was in the days up to the end of a day, and at what price.

    For the newest SNAPSHOT_DAYS days and products sold in the trailing 7 days.
    """

    product_id: Product
    event_timestamp: KnownFrom
    baskets_1d: Annotated[I32, Meta(description="Baskets with it on the last day.")]
    baskets_3d: Annotated[I32, Meta(description="Baskets with it in the last 3 days.")]
    baskets_7d: Annotated[I32, Meta(description="Baskets with it in the last 7 days.")]
    mean_price_7d: Annotated[
        float | None,
        Meta(description="Loyalty price per unit, US dollars; null if none was sold by the unit."),
    ]


class ProductOccasions(msgspec.Struct, frozen=True, kw_only=True):
    """When and in what baskets a product was bought in the 52 weeks up to the end of a week.

    Every SNAPSHOT_STEP_WEEKS weeks, for products in OCCASION_BASKETS baskets or more of them.
    """

    product_id: Product
    event_timestamp: KnownFrom
    by_slot: Annotated[
        list[I32], Meta(description=f"Baskets in each {SLOT_HOURS} hours of the day, from midnight UTC.")
    ]
    by_weekday: Annotated[list[I32], Meta(description="Baskets on each weekday (UTC), from Monday.")]
    small_baskets: Annotated[I32, Meta(description=f"Baskets of at most {SMALL_BASKET} products.")]
    mean_log_size: Annotated[float, Meta(description="Mean natural logarithm of a basket's products.")]
    mean_inverse_size: Annotated[float, Meta(description="Mean of 1 / a basket's products.")]


class ProductReturns(msgspec.Struct, frozen=True, kw_only=True):
    """How soon households bought a product again, of purchases in the 52 weeks up to the end of a week.

    Every SNAPSHOT_STEP_WEEKS weeks, for products in OCCASION_BASKETS baskets or more of them. The lists have
    one element for each step of how often the household had bought it, RETURN_TIMES, and within it for each
    step of how many baskets later it did so again, RETURN_BASKETS. A step is named by its first number.
    """

    product_id: Product
    event_timestamp: KnownFrom
    returned: Annotated[
        list[I32],
        Meta(
            description="Purchases after which it was bought again, by steps of times and of baskets later."
        ),
    ]
    waited: Annotated[
        list[int],
        Meta(description="Baskets that came after a purchase without it in between, by the same steps."),
    ]


class ProductNeighbours(msgspec.Struct, frozen=True, kw_only=True):
    """Up to NEIGHBOURS products bought together with a product, strongest first (cosine of basket sets).

    Every SNAPSHOT_STEP_WEEKS weeks.
    """

    product_id: Product
    event_timestamp: KnownFrom
    neighbour_ids: Annotated[list[int], Meta(description="The other products, strongest first.")]
    scores: Annotated[list[F32], Meta(description="Cosine with each of them.")]


class StorePopular(msgspec.Struct, frozen=True, kw_only=True):
    """A store's most bought products at the end of a week, most popular first (decayed basket counts).

    Up to POPULAR_PRODUCTS products, for the newest SNAPSHOT_WEEKS weeks.
    """

    store_id: Annotated[int, Meta(description=f"Physical store; {ALL_STORES} for all stores together.")]
    event_timestamp: KnownFrom
    product_ids: Annotated[list[int], Meta(description="Products, the most bought first.")]
    scores: Annotated[list[F32], Meta(description="Baskets with each of them; older ones count less.")]


class StorePromotions(msgspec.Struct, frozen=True, kw_only=True):
    """All that a store promotes from an instant on, until its next row, or `valid_to` where that is earlier.

    A store has a row at each instant at which one of its promotions begins, or ends before others do. One
    that is told of after its `valid_from` begins at the first full hour at or after its `event_time`.
    """

    store_id: Store
    event_timestamp: KnownFrom
    valid_to: Annotated[datetime, Meta(description="First instant after the last of these promotions.")]
    product_ids: Annotated[list[int], Meta(description="Products promoted, by number.")]
    displays: Annotated[list[str], Meta(description="Display code of each of them; `0` for none.")]
    mailers: Annotated[list[str], Meta(description="Mailer code of each of them; `0` for none.")]


HOUSEHOLD_HISTORY = Table(
    "gold.household_history", HouseholdHistory, ("household_id", "event_timestamp"), "Recent baskets, raw."
)
HOUSEHOLD_PROFILE = Table(
    "gold.household_profile", HouseholdProfile, ("household_id", "event_timestamp"), "Running figures."
)
PRODUCT_STATS = Table(
    "gold.product_stats", ProductStats, ("product_id", "event_timestamp"), "Weekly product figures."
)
PRODUCT_TRENDS = Table(
    "gold.product_trends", ProductTrends, ("product_id", "event_timestamp"), "Daily product figures."
)
PRODUCT_OCCASIONS = Table(
    "gold.product_occasions", ProductOccasions, ("product_id", "event_timestamp"), "When products are bought."
)
PRODUCT_RETURNS = Table(
    "gold.product_returns",
    ProductReturns,
    ("product_id", "event_timestamp"),
    "How soon products are bought again.",
)
PRODUCT_NEIGHBOURS = Table(
    "gold.product_neighbours", ProductNeighbours, ("product_id", "event_timestamp"), "Bought together."
)
STORE_POPULAR = Table(
    "gold.store_popular", StorePopular, ("store_id", "event_timestamp"), "Popular in the store."
)
STORE_PROMOTIONS = Table(
    "gold.store_promotions", StorePromotions, ("store_id", "event_timestamp"), "Promoted in the store."
)
