"""Columns that several tables share, with what they mean."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from mercato.contracts.schema import Float32, Int32

I32 = Annotated[int, Int32]
F32 = Annotated[float, Float32]

Household = Annotated[int, Meta(description="Loyalty household.")]
Basket = Annotated[int, Meta(description="One checkout.")]
Product = Annotated[int, Meta(description="Product (UPC level).")]
Store = Annotated[int, Meta(description="Physical store.")]
#: Of as-of tables.
KnownFrom = Annotated[datetime, Meta(description="Instant from which the row is known.")]

SalesValue = Annotated[float, Meta(description="Paid to the retailer, US dollars.")]
RetailDisc = Annotated[float, Meta(description="Loyalty-card discounts given, US dollars.")]
CouponDisc = Annotated[float, Meta(description="Manufacturers' coupons, US dollars.")]
CouponMatchDisc = Annotated[float, Meta(description="The retailer's match of coupons, US dollars.")]

RetailDiscountShare = Annotated[
    float, Meta(description="Loyalty-card discounts as a share of the value before them.")
]
CouponShare = Annotated[float, Meta(description="Coupons and their match as a share of the same value.")]
