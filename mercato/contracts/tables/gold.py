"""Gold: what people, features and models read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.columns import (
    I32,
    Basket,
    CouponDisc,
    CouponMatchDisc,
    CouponShare,
    Household,
    Product,
    RetailDisc,
    RetailDiscountShare,
    SalesValue,
    Store,
)


class BasketLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product of one basket. Money in US dollars."""

    household_id: Household
    basket_id: Basket
    product_id: Product
    store_id: Store
    basket_time: Annotated[
        datetime, Meta(description="When the basket's last line was scanned; the same on all its lines.")
    ]
    basket_seq: Annotated[
        I32, Meta(description="1 for the household's first basket; by basket_time, then basket_id.")
    ]
    week: Annotated[I32, Meta(description="Number of the retail week.")]
    quantity: Annotated[int, Meta(description="Units; fuel is in thousandths of a gallon.")]
    sales_value: SalesValue
    retail_disc: RetailDisc
    coupon_disc: CouponDisc
    coupon_match_disc: CouponMatchDisc


class Customer360(msgspec.Struct, frozen=True, kw_only=True):
    """A household's life so far. Spend in US dollars, gaps in days."""

    household_id: Household
    first_basket_time: Annotated[datetime, Meta(description="Time of the first basket.")]
    last_basket_time: Annotated[datetime, Meta(description="Time of the newest basket.")]
    baskets: Annotated[int, Meta(description="Baskets bought.")]
    lines: Annotated[int, Meta(description="Basket lines: products summed over the baskets.")]
    products: Annotated[int, Meta(description="Different products bought.")]
    spend: Annotated[float, Meta(description="Paid to the retailer so far.")]
    mean_basket_value: Annotated[float, Meta(description="Spend per basket.")]
    mean_basket_size: Annotated[float, Meta(description="Products per basket.")]
    mean_gap_days: Annotated[
        float | None, Meta(description="Mean days between its baskets; null for a single one.")
    ]
    favourite_store_id: Annotated[
        int, Meta(description="Store with most of its baskets; of equals the smallest number.")
    ]
    favourite_store_share: Annotated[float, Meta(description="Share of its baskets in that store.")]
    stores: Annotated[int, Meta(description="Stores it bought in.")]
    retail_discount_share: RetailDiscountShare
    coupon_share: CouponShare
    top_department: Annotated[
        str | None,
        Meta(
            description="Department with most of its lines; null if the catalogue has none of its products."
        ),
    ]
    repeat_share: Annotated[
        float, Meta(description="Share of basket lines whose product the household had bought before.")
    ]


class ProductDaily(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a product in a store on a UTC day."""

    product_id: Product
    store_id: Store
    day: Annotated[date, Meta(description="UTC day on which the line was scanned.")]
    units: Annotated[int, Meta(description="Units sold.")]
    baskets: Annotated[int, Meta(description="Baskets with the product.")]
    households: Annotated[int, Meta(description="Households that bought it.")]
    sales_value: SalesValue
    retail_disc: RetailDisc
    coupon_disc: CouponDisc
    coupon_match_disc: CouponMatchDisc


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Prices seen at the till for a product in a store during a retail week, per unit."""

    product_id: Product
    store_id: Store
    week: Annotated[I32, Meta(description="Number of the retail week.")]
    first_sold_at: Annotated[datetime, Meta(description="First sale of the week.")]
    units: Annotated[int, Meta(description="Units sold, on lines that have units and a price.")]
    regular_price: Annotated[float, Meta(description="Before every discount.")]
    loyalty_price: Annotated[float, Meta(description="After the loyalty-card discount.")]
    net_price: Annotated[float, Meta(description="What the shopper paid, coupons and their match included.")]
    discount_share: Annotated[float, Meta(description="1 - loyalty_price / regular_price.")]


class HouseholdProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A household's history with one product."""

    household_id: Household
    product_id: Product
    baskets: Annotated[int, Meta(description="Baskets with the product.")]
    quantity: Annotated[int, Meta(description="Units bought.")]
    sales_value: SalesValue
    first_time: Annotated[datetime, Meta(description="First basket with it.")]
    last_time: Annotated[datetime, Meta(description="Newest basket with it.")]
    mean_gap_days: Annotated[
        float | None, Meta(description="Mean days between these baskets; null for a single one.")
    ]


class ProductPair(msgspec.Struct, frozen=True, kw_only=True):
    """A product often bought in the same basket as another: the strongest 50 for each product."""

    product_id: Product
    neighbour_id: Annotated[int, Meta(description="The other product.")]
    rank: Annotated[I32, Meta(description="1 for the strongest.")]
    baskets_together: Annotated[int, Meta(description="Baskets with both.")]
    lift: Annotated[
        float, Meta(description="Baskets with both, by the number to expect if the two were independent.")
    ]
    cosine: Annotated[
        float, Meta(description="Baskets with both, by the root of the product of the baskets with each.")
    ]


BASKET_LINES = Table(
    "gold.basket_lines",
    BasketLine,
    ("household_id", "basket_id", "product_id"),
    "Baskets, one row per product.",
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
