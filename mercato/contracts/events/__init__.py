"""Event contracts: every Kafka topic of Mercato and the events it carries."""

from __future__ import annotations

from mercato.contracts.events.base import Event, Topic, Violation, by_name
from mercato.contracts.events.clickstream import CLICKSTREAM, Click
from mercato.contracts.events.retail import (
    INVENTORY,
    PAYMENTS,
    PRODUCTS,
    PROMOTIONS,
    TRANSACTIONS,
    Inventory,
    Payment,
    Placement,
    Product,
    Promotion,
    Transaction,
)

TOPICS = by_name(TRANSACTIONS, CLICKSTREAM, INVENTORY, PROMOTIONS, PAYMENTS, PRODUCTS)

__all__ = [
    "CLICKSTREAM",
    "INVENTORY",
    "PAYMENTS",
    "PRODUCTS",
    "PROMOTIONS",
    "TOPICS",
    "TRANSACTIONS",
    "Click",
    "Event",
    "Inventory",
    "Payment",
    "Placement",
    "Product",
    "Promotion",
    "Topic",
    "Transaction",
    "Violation",
]
