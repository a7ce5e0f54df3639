"""A valid event of each topic that callers may send, for the reference page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mercato.contracts.events import (
    CLICKSTREAM,
    COMPETITOR_PRICES,
    INVENTORY,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    WEATHER,
    Click,
    CompetitorPrice,
    Event,
    Inventory,
    Payment,
    PaymentOutcome,
    Placement,
    Product,
    Promotion,
    Transaction,
    Weather,
)

_BANANAS, _STORE, _HOUSEHOLD, _BASKET = 1082185, 367, 1, 31198570044
_NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)
_PAYMENT = f"{_BASKET}-payment"

EXAMPLES: Mapping[str, Event] = {
    TRANSACTIONS.name: Transaction(
        event_id=f"{_BASKET}-{_BANANAS}",
        event_time=_NOON,
        household_id=_HOUSEHOLD,
        store_id=_STORE,
        basket_id=_BASKET,
        product_id=_BANANAS,
        quantity=1,
        sales_value=0.97,
        retail_disc=0.2,
        coupon_disc=0.0,
        coupon_match_disc=0.0,
        week=22,
    ),
    CLICKSTREAM.name: Click(
        event_id="tab-1-7",
        event_time=_NOON,
        household_id=_HOUSEHOLD,
        session_id="tab-1",
        action="add_to_cart",
        store_id=_STORE,
        product_id=_BANANAS,
    ),
    INVENTORY.name: Inventory(
        event_id=f"{_STORE}-{_BANANAS}-22",
        event_time=_NOON,
        store_id=_STORE,
        product_id=_BANANAS,
        on_hand=240,
        reason="delivery",
    ),
    PROMOTIONS.name: Promotion(
        event_id=f"{_BANANAS}-23",
        event_time=_NOON,
        product_id=_BANANAS,
        week=23,
        valid_from=_NOON + timedelta(days=7),
        valid_to=_NOON + timedelta(days=14),
        placements=[
            Placement(display="3", mailer="D", stores=[_STORE, 406]),
            Placement(display="0", mailer="A", stores=[292]),
        ],
    ),
    PAYMENTS.name: Payment(
        event_id=_PAYMENT,
        event_time=_NOON,
        household_id=_HOUSEHOLD,
        store_id=_STORE,
        basket_id=_BASKET,
        card_id="1-1",
        terminal_id="367-2",
        amount=41.5,
        entry_mode="chip",
    ),
    PAYMENT_OUTCOMES.name: PaymentOutcome(
        event_id=f"{_PAYMENT}-outcome",
        event_time=_NOON + timedelta(days=1),
        payment_id=_PAYMENT,
        paid_at=_NOON,
        card_id="1-1",
        terminal_id="367-2",
        fraud=False,
    ),
    PRODUCTS.name: Product(
        event_id=f"{_BANANAS}-1",
        event_time=_NOON,
        product_id=_BANANAS,
        manufacturer_id=2,
        department="PRODUCE",
        brand="National",
        category="TROPICAL FRUIT",
        product_type="BANANAS",
        package_size="40 LB",
    ),
    WEATHER.name: Weather(
        event_id=f"{_STORE}-{_NOON:%Y%m%d%H}",
        event_time=_NOON,
        store_id=_STORE,
        temperature=21.5,
        precipitation=0.0,
        wind_speed=3.2,
    ),
    COMPETITOR_PRICES.name: CompetitorPrice(
        event_id=f"corner-shop-{_BANANAS}-{_NOON:%Y%m%d}",
        event_time=_NOON,
        product_id=_BANANAS,
        competitor="corner shop",
        price=0.89,
        promoted=True,
    ),
}
