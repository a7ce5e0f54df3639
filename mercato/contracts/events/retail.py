"""Events of the store: checkouts, payments, stock, promotions, the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mercato.contracts.events.base import (
    BasketId,
    Event,
    HouseholdId,
    Money,
    PlannedTime,
    ProductId,
    StoreId,
    Topic,
    UtcTime,
    Week,
)
from mercato.contracts.schema import Columns

Code = Annotated[str, Meta(min_length=1, max_length=4)]
CardId = Annotated[str, Meta(min_length=1, max_length=32, description="A token, never the card's number.")]
TerminalId = Annotated[str, Meta(min_length=1, max_length=32, description="Where the card is read.")]
#: A payment's id is part of addresses, where a slash or nothing but dots would name something else.
PAYMENT_ID = r"^[^/]*[^/.][^/]*$"
_AddressedId = Annotated[str, Meta(min_length=1, max_length=64, pattern=PAYMENT_ID)]
PaymentId = Annotated[_AddressedId, Meta(description="The payment's event_id.")]


class Transaction(Event, frozen=True, kw_only=True):
    """One line of a checkout, as scanned at the till."""

    household_id: HouseholdId
    store_id: StoreId
    basket_id: BasketId
    product_id: ProductId
    quantity: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Units; fuel is in thousandths of a gallon.")
    ]
    sales_value: Annotated[Money, Meta(description="Paid to the retailer, after retail_disc; US dollars.")]
    retail_disc: Annotated[Money, Meta(description="Loyalty-card discount given, US dollars.")]
    coupon_disc: Annotated[Money, Meta(description="Manufacturer coupon, US dollars.")]
    coupon_match_disc: Annotated[Money, Meta(description="Retailer's match of the coupon, US dollars.")]
    week: Week


class Payment(Event, frozen=True, kw_only=True):
    """One card payment of a checkout (simulated)."""

    event_id: Annotated[_AddressedId, Meta(description="Unique per topic; without a slash.")]
    household_id: HouseholdId
    store_id: StoreId
    basket_id: BasketId
    card_id: CardId
    terminal_id: TerminalId
    amount: Money
    entry_mode: Annotated[
        Literal["chip", "contactless", "swipe", "online"], Meta(description="How the card was read.")
    ]


class PaymentOutcome(Event, frozen=True, kw_only=True):
    """What a payment turned out to be: once nobody may dispute it any more (simulated), or by a review."""

    payment_id: PaymentId
    paid_at: Annotated[UtcTime, Meta(description="The payment's event_time.")]
    card_id: CardId
    terminal_id: TerminalId
    fraud: Annotated[bool, Meta(description="True if the cardholder did not make the payment.")]
    reviewer: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | None,
        Meta(description="Who reviewed the payment; null where the time for disputes ended instead."),
    ] = None
    note: Annotated[
        Annotated[str, Meta(max_length=500)] | None, Meta(description="What the reviewer saw.")
    ] = None


class Inventory(Event, frozen=True, kw_only=True):
    """Stock of a product in a store after a count or a delivery (simulated)."""

    store_id: StoreId
    product_id: ProductId
    on_hand: Annotated[int, Meta(ge=0, le=1_000_000, description="Units in the store afterwards.")]
    reason: Annotated[Literal["count", "delivery"], Meta(description="Why the stock is known.")]


class Placement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stores that show a product in the same places."""

    display: Annotated[Code, Meta(description="Complete Journey display code; `0` for none.")]
    mailer: Annotated[Code, Meta(description="Complete Journey mailer code; `0` for none.")]
    stores: Annotated[
        list[StoreId], Meta(min_length=1, max_length=10_000, description="Stores that show it there.")
    ]


#: Names of its fields, as columns of the struct.
PLACEMENT = Columns(Placement.__name__, Placement.__struct_fields__)
#: Code of a place where a product is not shown.
NOT_SHOWN = "0"


class Promotion(Event, frozen=True, kw_only=True):
    """Where a product is promoted during a week, in every store that takes part."""

    product_id: ProductId
    week: Week
    valid_from: Annotated[PlannedTime, Meta(description="First instant of the promotion.")]
    valid_to: Annotated[PlannedTime, Meta(description="First instant after the promotion.")]
    placements: Annotated[
        list[Placement],
        Meta(min_length=1, max_length=10_000, description="Where the product is shown, and in which stores."),
    ]


Text = Annotated[str, Meta(max_length=200)]


class Product(Event, frozen=True, kw_only=True):
    """A product of the catalogue, as of event_time."""

    product_id: ProductId
    manufacturer_id: Annotated[int, Meta(ge=0, lt=2**53, description="Who makes it.")]
    department: Annotated[Text, Meta(description="Department of the shop.")]
    brand: Annotated[Text, Meta(description="`National`, or `Private` for a store brand.")]
    category: Annotated[Text | None, Meta(description="Category within the department.")] = None
    product_type: Annotated[Text | None, Meta(description="Kind of product within the category.")] = None
    package_size: Annotated[Text | None, Meta(description="Contents of a package, as in `16 OZ`.")] = None


TRANSACTIONS = Topic("transactions.v1", Transaction, "household_id", "Checkout lines.")
PAYMENTS = Topic("payments.v1", Payment, "card_id", "Card payments.")
PAYMENT_OUTCOMES = Topic(
    "payment_outcomes.v1",
    PaymentOutcome,
    "terminal_id",
    "Which payments were frauds: a week later, or by review.",
    derived_fields=("reviewer", "note"),
    derived_ids="review-",
)
INVENTORY = Topic("inventory.v1", Inventory, "product_id", "Stock counts and deliveries.")
PROMOTIONS = Topic("promotions.v1", Promotion, "product_id", "Weekly display and mailer plans.")
PRODUCTS = Topic("products.v1", Product, "product_id", "The catalogue.", compact=True)
