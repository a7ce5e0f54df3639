"""Events from outside the shop: what the weather and the competitors do."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mercato.contracts.events.base import Event, Money, ProductId, StoreId, Topic


class Weather(Event, frozen=True, kw_only=True):
    """The weather at a store, as measured at event_time."""

    store_id: StoreId
    temperature: Annotated[float, Meta(ge=-90, le=60, description="Degrees Celsius.")]
    precipitation: Annotated[float, Meta(ge=0, le=500, description="Millimetres in the hour before.")]
    wind_speed: Annotated[float, Meta(ge=0, le=150, description="Metres per second.")]


class CompetitorPrice(Event, frozen=True, kw_only=True):
    """What a competitor asks for a product, as seen at event_time."""

    product_id: ProductId
    competitor: Annotated[str, Meta(min_length=1, max_length=64, description="Name of the competitor.")]
    price: Annotated[Money, Meta(description="US dollars per unit.")]
    promoted: Annotated[bool, Meta(description="True where it is a promotional price.")] = False


WEATHER = Topic("weather.v1", Weather, "store_id", "The weather at the stores, polled; not replayed.")
COMPETITOR_PRICES = Topic(
    "competitor_prices.v1", CompetitorPrice, "product_id", "Prices of competitors, polled; not replayed."
)
