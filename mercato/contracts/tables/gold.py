"""Gold: what people, features and models read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table

I32 = Annotated[int, Int32]


class BasketLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product of one basket. Money in US dollars."""

    household_id: int
    basket_id: int
    product_id: int
    store_id: int
    basket_time: datetime  # of the basket's last line, the same on all its lines
    basket_seq: I32  # 1 for the household's first basket; by basket_time, then basket_id
    week: I32
    quantity: int
    sales_value: float
    retail_disc: float
    coupon_disc: float
    coupon_match_disc: float


class Customer360(msgspec.Struct, frozen=True, kw_only=True):
    """A household's life so far. Spend in US dollars, gaps in days."""

    household_id: int
    first_basket_time: datetime
    last_basket_time: datetime
    baskets: int
    lines: int
    products: int
    spend: float
    mean_basket_value: float
    mean_basket_size: float
    mean_gap_days: float | None
    favourite_store_id: int
    favourite_store_share: float
    stores: int
    retail_discount_share: float
    coupon_share: float
    top_department: str | None
    repeat_share: float  # share of basket lines whose product the household had bought before


class ProductDaily(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a product in a store on a UTC day."""

    product_id: int
    store_id: int
    day: date
    units: int
    baskets: int
    households: int
    sales_value: float
    retail_disc: float
    coupon_disc: float
    coupon_match_disc: float


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Prices seen at the till for a product in a store during a retail week, per unit."""

    product_id: int
    store_id: int
    week: I32
    first_sold_at: datetime
    units: int
    regular_price: float  # before every discount
    loyalty_price: float  # after the loyalty-card discount
    net_price: float  # what the shopper paid, coupons and their match included
    discount_share: float  # 1 - loyalty_price / regular_price


class HouseholdProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A household's history with one product."""

    household_id: int
    product_id: int
    baskets: int
    quantity: int
    sales_value: float
    first_time: datetime
    last_time: datetime
    mean_gap_days: float | None


class ProductPair(msgspec.Struct, frozen=True, kw_only=True):
    """A product often bought in the same basket as another: the strongest 50 for each product."""

    product_id: int
    neighbour_id: int
    rank: I32
    baskets_together: int
    lift: float
    cosine: float


BASKET_LINES = Table(
    "gold.basket_lines", BasketLine, ("basket_id", "product_id"), "Baskets, one row per product."
)
CUSTOMER_360 = Table("gold.customer_360", Customer360, ("household_id",), "Each household's summary.")
PRODUCT_DAILY = Table(
    "gold.product_daily", ProductDaily, ("product_id", "store_id", "day"), "Daily sales per store."
)
PRICE_HISTORY = Table(
    "gold.price_history", PriceHistory, ("product_id", "store_id", "week"), "Weekly prices per store."
)
HOUSEHOLD_PRODUCT = Table(
    "gold.household_product", HouseholdProduct, ("household_id", "product_id"), "What each household buys."
)
PRODUCT_PAIRS = Table(
    "gold.product_pairs", ProductPair, ("product_id", "neighbour_id"), "Products bought together."
)
