"""Event contracts: every Kafka topic of Mercato and the events it carries."""

from __future__ import annotations

from mercato.contracts.events.base import UNREADABLE, Event, Topic, Violation, by_name, unreadable
from mercato.contracts.events.clickstream import CLICKSTREAM, Click
from mercato.contracts.events.decisions import (
    PAYMENT_DECISIONS,
    PRICE_DECISIONS,
    PaymentDecided,
    PriceAction,
    PriceDecided,
)
from mercato.contracts.events.outside import COMPETITOR_PRICES, WEATHER, CompetitorPrice, Weather
from mercato.contracts.events.retail import (
    INVENTORY,
    PAYMENT_OUTCOMES,
    PAYMENTS,
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    Inventory,
    Payment,
    PaymentOutcome,
    Placement,
    Product,
    Promotion,
    Transaction,
)
from mercato.contracts.events.sessions import SESSIONS, Session

TOPICS = by_name(
    TRANSACTIONS,
    CLICKSTREAM,
    INVENTORY,
    PROMOTIONS,
    PAYMENTS,
    PAYMENT_OUTCOMES,
    PAYMENT_DECISIONS,
    PRICE_DECISIONS,
    PRODUCTS,
    SESSIONS,
    WEATHER,
    COMPETITOR_PRICES,
)
#: Topics that a shop may send.
OPEN_TOPICS = {name: topic for name, topic in TOPICS.items() if not topic.derived}

__all__ = [
    "CLICKSTREAM",
    "COMPETITOR_PRICES",
    "INVENTORY",
    "OPEN_TOPICS",
    "PAYMENTS",
    "PAYMENT_DECISIONS",
    "PAYMENT_OUTCOMES",
    "PRICE_DECISIONS",
    "PRODUCTS",
    "PROMOTIONS",
    "SESSIONS",
    "TOPICS",
    "TRANSACTIONS",
    "UNREADABLE",
    "WEATHER",
    "Click",
    "CompetitorPrice",
    "Event",
    "Inventory",
    "Payment",
    "PaymentDecided",
    "PaymentOutcome",
    "Placement",
    "PriceAction",
    "PriceDecided",
    "Product",
    "Promotion",
    "Session",
    "Topic",
    "Transaction",
    "Violation",
    "Weather",
    "unreadable",
]
