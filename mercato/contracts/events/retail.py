"""Events of the store: checkouts, payments, stock, promotions, the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mercato.contracts.events.base import (
    BasketId,
    Event,
    HouseholdId,
    Money,
    ProductId,
    StoreId,
    Topic,
    UtcTime,
    Week,
)

Code = Annotated[str, Meta(min_length=1, max_length=4)]
CardId = Annotated[str, Meta(min_length=1, max_length=32, description="A token, never the card's number.")]
TerminalId = Annotated[str, Meta(min_length=1, max_length=32, description="Where the card is read.")]
PaymentId = Annotated[str, Meta(min_length=1, max_length=64, description="The payment's event_id.")]


class Transaction(Event, frozen=True, kw_only=True):
    """One line of a checkout, as scanned at the till."""

    household_id: HouseholdId
    store_id: StoreId
    basket_id: BasketId
    product_id: ProductId
    quantity: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Units; fuel is in thousandths of a gallon.")
    ]
    sales_value: Annotated[Money, Meta(description="Paid to the retailer, after retail_disc.")]
    retail_disc: Annotated[Money, Meta(description="Loyalty-card discount given, as a positive amount.")]
    coupon_disc: Annotated[Money, Meta(description="Manufacturer coupon, as a positive amount.")]
    coupon_match_disc: Annotated[Money, Meta(description="Retailer's match of the coupon.")]
    week: Week


class Payment(Event, frozen=True, kw_only=True):
    """One card payment of a checkout (simulated)."""

    household_id: HouseholdId
    store_id: StoreId
    basket_id: BasketId
    card_id: CardId
    terminal_id: TerminalId
    amount: Money
    entry_mode: Literal["chip", "contactless", "swipe", "online"]


class PaymentOutcome(Event, frozen=True, kw_only=True):
    """What a payment turned out to be: once nobody may dispute it any more (simulated), or by a review."""

    payment_id: PaymentId
    paid_at: Annotated[UtcTime, Meta(description="The payment's event_time.")]
    card_id: CardId
    terminal_id: TerminalId
    fraud: bool
    reviewer: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    note: Annotated[str, Meta(max_length=500, description="What the reviewer saw.")] | None = None


class Inventory(Event, frozen=True, kw_only=True):
    """Stock of a product in a store after a count or a delivery (simulated)."""

    store_id: StoreId
    product_id: ProductId
    on_hand: Annotated[int, Meta(ge=0, le=1_000_000)]
    reason: Literal["count", "delivery"]


class Placement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stores that show a product in the same places."""

    display: Annotated[Code, Meta(description="Complete Journey display code; 0 = none.")]
    mailer: Annotated[Code, Meta(description="Complete Journey mailer code; 0 = none.")]
    stores: Annotated[list[StoreId], Meta(min_length=1, max_length=10_000)]


class Promotion(Event, frozen=True, kw_only=True):
    """Where a product is promoted during a week, in every store that takes part."""

    product_id: ProductId
    week: Week
    valid_from: UtcTime
    valid_to: UtcTime
    placements: Annotated[list[Placement], Meta(min_length=1, max_length=10_000)]


Text = Annotated[str, Meta(max_length=200)]


class Product(Event, frozen=True, kw_only=True):
    """A product of the catalogue, as of event_time."""

    product_id: ProductId
    manufacturer_id: Annotated[int, Meta(ge=0)]
    department: Text
    brand: Text
    category: Text | None = None
    product_type: Text | None = None
    package_size: Text | None = None


TRANSACTIONS = Topic("transactions.v1", Transaction, "household_id", "Checkout lines.")
PAYMENTS = Topic("payments.v1", Payment, "household_id", "Card payments.")
PAYMENT_OUTCOMES = Topic(
    "payment_outcomes.v1",
    PaymentOutcome,
    "terminal_id",
    "Which payments were frauds: a week later, or by review.",
)
INVENTORY = Topic("inventory.v1", Inventory, "product_id", "Stock counts and deliveries.")
PROMOTIONS = Topic("promotions.v1", Promotion, "product_id", "Weekly display and mailer plans.")
PRODUCTS = Topic("products.v1", Product, "product_id", "The catalogue.", compact=True)
