"""What the API answers. Prices in US dollars, durations as their names say, times in UTC."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from lambdas.schemas import Answer, WhyPart
from mercato.contracts.events import PriceDecided
from mercato.decisions.fallback import Reason


class ProductCard(Answer):
    """A product as a shopper sees it."""

    product_id: int = Field(description="As in the events.", examples=[1082185])
    name: str = Field(description="In a shopper's words.", examples=["Bananas"])
    aisle: str = Field(description="Where the storefront shows it.", examples=["Produce"])
    category: str | None = Field(default=None, description="In readable words.", examples=["Tropical fruit"])
    department: str | None = Field(default=None, description="In readable words.", examples=["Produce"])
    brand: str | None = Field(default=None, description="`National` or `Private`.", examples=["National"])
    size: str | None = Field(default=None, description="Contents of a package.", examples=["40 lb"])
    price: float | None = Field(default=None, description="Last loyalty price per unit.", examples=[0.99])


class RecommendedProduct(ProductCard):
    """A recommended product and the reason for it."""

    rank: int = Field(description="1 for the best.", examples=[1])
    score: float = Field(description="The ranker's score, comparable within one answer only.")
    why: str = Field(
        description="All reasons as one sentence.",
        examples=["You bought it 6 times, about every 12 days; last 14 days ago."],
    )
    reasons: list[WhyPart] = Field(description="The same one by one.")
    because_of: int | None = Field(default=None, description="Product of the session that led to it.")
    sources: list[str] = Field(
        description="Candidate generators that found it.", examples=[["history", "popular"]]
    )


class Moved(Answer):
    """A product that changed its place; `before` is null if it entered, `after` if it left."""

    product_id: int = Field(description="As in the events.")
    name: str = Field(description="In a shopper's words.")
    before: int | None = Field(description="Its rank in the earlier list.")
    after: int | None = Field(description="Its rank in this one.")


class ListChanges(Answer):
    """What changed since the list that the request named in If-None-Match."""

    summary: str = Field(
        description="What changed and why, for people.",
        examples=["You added bananas. 3 items came in, 2 moved up."],
    )
    entered: list[Moved] = Field(description="Not in the earlier list.")
    left: list[Moved] = Field(description="Only in the earlier list.")
    moved_up: list[Moved] = Field(description="To a better rank.")
    moved_down: list[Moved] = Field(description="To a worse rank.")


class SessionState(Answer):
    """The household's open shopping session as the online features have it."""

    cart: list[ProductCard] = Field(description="Products in the cart.")
    last_event_id: str | None = Field(default=None, description="Of the newest click.")
    last_event_time: datetime | None = Field(default=None, description="Of the newest click.")
    last_action: str | None = Field(default=None, description="Of the newest click.")
    reached_online_ms: float | None = Field(
        default=None, description="From the last event's time to its arrival in the online features."
    )


class Timings(Answer):
    """Where the time of this answer went, in milliseconds."""

    features: float = Field(description="Reading features.")
    candidates: float = Field(description="Finding candidates.")
    model: float = Field(description="Asking the model.")
    decision: float = Field(description="Ordering, reasons, changes.")
    total: float = Field(description="All of these.")


class Recommendations(Answer):
    """A ranked list for one household."""

    household_id: int = Field(description="As asked.")
    store_id: int | None = Field(description="The store meant; null for all stores.")
    items: list[RecommendedProduct] = Field(description="Best first.")
    session: SessionState | None = Field(description="Null where the household's features are not known.")
    changes: ListChanges | None = Field(
        default=None, description="Null unless If-None-Match names a list that is remembered."
    )
    fallback: bool = Field(description="True if the list is not personal.")
    fallback_reason: Reason | None = Field(default=None, description="Null if the list is personal.")
    notice: str | None = Field(default=None, description="The fallback reason as a sentence.")
    model_version: str | None = Field(
        default=None, description="Version of the model that scored; null in a fallback."
    )
    as_of: datetime = Field(description="When this answer was made.")
    freshness_seconds: float | None = Field(description="Age of the newest feature value used.")
    timings: Timings = Field(description="Where the time of this answer went.")


class SimilarProducts(Answer):
    """Products often bought in the same basket."""

    product_id: int = Field(description="As asked.")
    items: list[RecommendedProduct] = Field(description="Strongest first.")
    fallback: bool = Field(description="True if they are popular products instead.")
    fallback_reason: Reason | None = Field(default=None, description="Why; null if they are not.")
    notice: str | None = Field(default=None, description="The fallback reason as a sentence.")


class FoundProduct(ProductCard):
    """A product that a search found."""

    rank: int = Field(description="1 for the best of all that fit.", examples=[1])
    score: float = Field(description="How well it fits; comparable within one answer only.")


class FacetValue(Answer):
    """A value that the search can be narrowed to."""

    value: str = Field(description="To be sent as the parameter.", examples=["FROZEN GROCERY"])
    name: str = Field(description="To be shown.", examples=["Frozen grocery"])
    count: int = Field(description="Products that this would leave.")


class Facets(Answer):
    """What a search can be narrowed by; a facet is not narrowed by its own choice."""

    department: list[FacetValue] = Field(description="Departments.")
    brand: list[FacetValue] = Field(description="Brands.")


class SearchAnswer(Answer):
    """Products that fit what was asked, best first."""

    query: str = Field(description="As asked.")
    total: int = Field(description="All products that fit.")
    relaxed: bool = Field(description="True if they have only some of the words, as none had more.")
    hits: list[FoundProduct] = Field(description="This page of them.")
    facets: Facets = Field(description="What the search can be narrowed by.")
    took_ms: int = Field(description="The search engine's own time.")


class Suggestions(Answer):
    """Names of products that begin as what was typed."""

    query: str = Field(description="As asked.")
    names: list[str] = Field(
        description="Most bought first.", examples=[["Frozen pizza", "Frozen waffles, pancakes"]]
    )


class HouseholdSummary(Answer):
    """One line of the household picker."""

    household_id: int = Field(description="As in the events.")
    baskets: int = Field(description="Baskets so far.")
    mean_basket_value: float | None = Field(description="US dollars.")
    mean_gap_days: float | None = Field(description="Mean days between baskets; null after the first.")
    last_basket_time: datetime | None = Field(description="Of the newest basket.")


class HouseholdPage(Answer):
    """A page of households in order of their number; of a larger shop, of ten thousand of them."""

    items: list[HouseholdSummary] = Field(description="This page of them.")
    total: int = Field(description="All that fit.")
    next_offset: int | None = Field(description="Where the next page begins; null on the last.")


class BasketLine(ProductCard):
    """A product of a past basket."""

    quantity: int = Field(description="Units.")
    value: float = Field(description="US dollars paid.")


class Basket(Answer):
    """A past basket."""

    time: datetime = Field(description="When it was bought.")
    store_id: int = Field(description="Where it was bought.")
    value: float = Field(description="US dollars paid.")
    lines: list[BasketLine] = Field(description="Its products, the dearest first.")


class Outlook(Answer):
    """What is expected of a household that is active."""

    as_of: datetime = Field(description="End of the newest day that was known.")
    churn_probability: float = Field(description="Of no basket in the next 28 days.", examples=[0.12])
    expected_spend: float = Field(description="In the next 180 days.", examples=[412.5])
    reasons: list[WhyPart] = Field(description="What speaks for its leaving, strongest first.")
    model_version: str = Field(description="Version of the model that says so.")


class HouseholdDetail(HouseholdSummary):
    """A household's profile and newest baskets."""

    favourite_store_id: int | None = Field(description="The store of most of its last baskets.")
    spend: float | None = Field(description="US dollars so far.")
    baskets_28d: int | None = Field(description="Baskets in the 28 days up to the newest.")
    recent_baskets: list[Basket] = Field(description="Newest first.")
    outlook: Outlook | None = Field(
        description="Null unless the household was active when `mercato churn score` last ran."
    )


class ChargedPrice(Answer):
    """A price that a person accepted."""

    product_id: int = Field(description="As in the events.")
    price: float = Field(description="To charge, US dollars per unit.", examples=[2.49])
    week: int = Field(description="For which it was proposed.")
    accepted_at: datetime = Field(description="When the person accepted it.")

    @classmethod
    def of(cls, decided: PriceDecided) -> ChargedPrice:
        """From its event."""
        return cls(
            product_id=decided.product_id,
            price=decided.proposed_price,
            week=decided.week,
            accepted_at=decided.event_time,
        )


class ChargedPrices(Answer):
    """A page of a store's prices in order of the products' numbers."""

    store_id: int = Field(description="As asked.")
    prices: list[ChargedPrice] = Field(description="This page of them.")
    total: int = Field(description="All that fit.")
    next_offset: int | None = Field(description="Where the next page begins; null on the last.")


class DependencyState(Answer):
    """Whether a dependency answers."""

    ok: bool = Field(description="Whether it answers.")
    detail: str = Field(description="The same in words.")


class Health(Answer):
    """Liveness and the state of each dependency; the API itself answers even where they don't."""

    status: str = Field(description="`ok` or `degraded`.")
    model_version: str | None = Field(description="Version of the model that scores.")
    catalogue_as_of: datetime | None = Field(
        description="When the products and lists in use were brought online."
    )
    dependencies: dict[str, DependencyState] = Field(
        description="`kafka`, `redis`, `scorer` and `catalogue`."
    )
