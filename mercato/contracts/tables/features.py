"""As-of feature tables: every row holds what was known at its event_timestamp.

A row is built only from baskets at or before `event_timestamp`; the pair of
entity and `event_timestamp` is unique, as point-in-time joins need it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mercato.contracts.schema import Float32, Int32
from mercato.contracts.tables.base import Table

I32 = Annotated[int, Int32]
F32 = Annotated[float, Float32]

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

    `basket_times` (seconds since 1970), `basket_stores` and `basket_sizes` have one
    element per basket; `products` holds the baskets' products one after another
    (basket i has basket_sizes[i] of them), `quantities` and `values` (US dollars) beside it.
    """

    household_id: int
    event_timestamp: datetime
    basket_times: list[int]
    basket_stores: list[int]
    basket_sizes: list[I32]
    products: list[int]
    quantities: list[I32]
    values: list[F32]


class HouseholdProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A household's running figures right after each basket. Gaps in days, money in US dollars."""

    household_id: int
    event_timestamp: datetime
    baskets: int
    lines: int
    spend: float
    mean_basket_size: float
    mean_basket_value: float
    mean_gap_days: float | None
    last_gap_days: float | None
    baskets_28d: int
    spend_28d: float
    retail_discount_share: float
    coupon_share: float


class ProductStats(msgspec.Struct, frozen=True, kw_only=True):
    """A product's figures at the end of a week, over windows that end there.

    For the newest SNAPSHOT_WEEKS weeks and products sold in the trailing 52 weeks.
    """

    product_id: int
    event_timestamp: datetime
    baskets_1w: I32
    baskets_4w: I32
    baskets_13w: I32
    baskets_52w: I32
    households_52w: I32
    repeat_households_52w: I32  # of those, bought it in two baskets or more
    mean_price_13w: float | None  # loyalty price per unit, US dollars
    last_price: float | None  # the same in the last week it was sold in; None if never by the unit
    discount_share_4w: float | None


class ProductTrends(msgspec.Struct, frozen=True, kw_only=True):
    """In how many baskets a product was in the days up to the end of a day, and at what price.

    For the newest SNAPSHOT_DAYS days and products sold in the trailing 7 days.
    """

    product_id: int
    event_timestamp: datetime
    baskets_1d: I32
    baskets_3d: I32
    baskets_7d: I32
    mean_price_7d: float | None  # loyalty price per unit, US dollars


class ProductOccasions(msgspec.Struct, frozen=True, kw_only=True):
    """When and in what baskets a product was bought in the 52 weeks up to the end of a week.

    For products in OCCASION_BASKETS baskets or more of them.
    """

    product_id: int
    event_timestamp: datetime
    by_slot: list[I32]  # baskets in each SLOT_HOURS hours of the day
    by_weekday: list[I32]  # from Monday, UTC
    small_baskets: I32  # of at most SMALL_BASKET products
    mean_log_size: float  # natural logarithm of a basket's products
    mean_inverse_size: float


class ProductReturns(msgspec.Struct, frozen=True, kw_only=True):
    """How soon households bought a product again, of purchases in the 52 weeks up to the end of a week.

    For products in OCCASION_BASKETS baskets or more of them. The lists have one element for each step of
    RETURN_TIMES and, within it, each step of RETURN_BASKETS.
    """

    product_id: int
    event_timestamp: datetime
    returned: list[I32]  # purchases of so many times after which it came again so much later
    waited: list[int]  # baskets that came so much after one, without it in between


class ProductNeighbours(msgspec.Struct, frozen=True, kw_only=True):
    """Products bought together with a product, strongest first (cosine of basket sets)."""

    product_id: int
    event_timestamp: datetime
    neighbour_ids: list[int]
    scores: list[F32]


class StorePopular(msgspec.Struct, frozen=True, kw_only=True):
    """A store's most bought products at the end of a week, most popular first (decayed basket counts)."""

    store_id: int
    event_timestamp: datetime
    product_ids: list[int]
    scores: list[F32]


class StorePromotions(msgspec.Struct, frozen=True, kw_only=True):
    """What a store promotes during one promotion week; known from its first instant."""

    store_id: int
    event_timestamp: datetime
    valid_to: datetime
    product_ids: list[int]
    displays: list[str]
    mailers: list[str]


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
