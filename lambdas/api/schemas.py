"""What the API answers. Prices in US dollars, durations as their names say, times in UTC."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mercato.contracts.events import PriceDecided
from mercato.decisions.fallback import Reason
from mercato.decisions.fraud import Action


class Answer(BaseModel):
    """Base of every answer; `model_` is no reserved prefix here."""

    model_config = ConfigDict(protected_namespaces=(), frozen=True)


class ProductCard(Answer):
    """A product as a shopper sees it."""

    product_id: int = Field(examples=[1082185])
    name: str = Field(examples=["Bananas"])
    aisle: str = Field(examples=["Produce"])
    category: str | None = Field(default=None, examples=["Tropical fruit"])
    department: str | None = Field(default=None, examples=["Produce"])
    brand: str | None = Field(default=None, description="`National` or `Private`.", examples=["National"])
    size: str | None = Field(default=None, examples=["40 lb"])
    price: float | None = Field(default=None, description="Last loyalty price per unit.", examples=[0.99])


class WhyPart(Answer):
    """One reason."""

    code: str = Field(examples=["bought_before"])
    text: str = Field(examples=["You bought it 6 times, about every 12 days; last 14 days ago"])


class RecommendedProduct(ProductCard):
    """A recommended product and the reason for it."""

    rank: int = Field(examples=[1])
    score: float = Field(description="The ranker's score, comparable within one answer only.")
    why: str = Field(examples=["You bought it 6 times, about every 12 days; last 14 days ago."])
    reasons: list[WhyPart]
    because_of: int | None = Field(default=None, description="Product of the session that led to it.")
    sources: list[str] = Field(
        description="Candidate generators that found it.", examples=[["history", "popular"]]
    )


class Moved(Answer):
    """A product that changed its place; `before` is null if it entered, `after` if it left."""

    product_id: int
    name: str
    before: int | None
    after: int | None


class ListChanges(Answer):
    """What changed since the list that the request named in If-None-Match."""

    summary: str = Field(examples=["You added bananas. 3 items came in, 2 moved up."])
    entered: list[Moved]
    left: list[Moved]
    moved_up: list[Moved]
    moved_down: list[Moved]


class SessionState(Answer):
    """The household's open shopping session as the online features have it."""

    cart: list[ProductCard]
    last_event_id: str | None = None
    last_event_time: datetime | None = None
    last_action: str | None = None
    reached_online_ms: float | None = Field(
        default=None, description="From the last event's time to its arrival in the online features."
    )


class Timings(Answer):
    """Where the time of this answer went, in milliseconds."""

    features: float
    candidates: float
    model: float
    decision: float
    total: float


class Recommendations(Answer):
    """A ranked list for one household."""

    household_id: int
    store_id: int | None = Field(description="The store meant; null for all stores.")
    items: list[RecommendedProduct]
    session: SessionState | None
    changes: ListChanges | None = None
    fallback: bool = Field(description="True if the list is not personal.")
    fallback_reason: Reason | None = None
    notice: str | None = Field(default=None, description="The fallback reason as a sentence.")
    model_version: str | None = None
    as_of: datetime = Field(description="When this answer was made.")
    freshness_seconds: float | None = Field(description="Age of the newest feature value used.")
    timings: Timings


class SimilarProducts(Answer):
    """Products often bought in the same basket."""

    product_id: int
    items: list[RecommendedProduct]
    fallback: bool
    fallback_reason: Reason | None = None
    notice: str | None = None


class FoundProduct(ProductCard):
    """A product that a search found."""

    rank: int = Field(examples=[1])
    score: float = Field(description="How well it fits; comparable within one answer only.")


class FacetValue(Answer):
    """A value that the search can be narrowed to."""

    value: str = Field(description="To be sent as the parameter.", examples=["FROZEN GROCERY"])
    name: str = Field(description="To be shown.", examples=["Frozen grocery"])
    count: int = Field(description="Products that this would leave.")


class Facets(Answer):
    """What a search can be narrowed by; a facet is not narrowed by its own choice."""

    department: list[FacetValue]
    brand: list[FacetValue]


class SearchAnswer(Answer):
    """Products that fit what was asked, best first."""

    query: str
    total: int = Field(description="All products that fit.")
    relaxed: bool = Field(description="True if they have only some of the words, as none had more.")
    hits: list[FoundProduct]
    facets: Facets
    took_ms: int = Field(description="The search engine's own time.")


class Suggestions(Answer):
    """Names of products that begin as what was typed."""

    query: str
    names: list[str] = Field(examples=[["Frozen pizza", "Frozen waffles, pancakes"]])


class HouseholdSummary(Answer):
    """One line of the household picker."""

    household_id: int
    baskets: int
    mean_basket_value: float | None
    mean_gap_days: float | None
    last_basket_time: datetime | None


class HouseholdPage(Answer):
    """A page of households in order of their number."""

    items: list[HouseholdSummary]
    total: int
    next_offset: int | None


class BasketLine(ProductCard):
    """A product of a past basket."""

    quantity: int
    value: float


class Basket(Answer):
    """A past basket."""

    time: datetime
    store_id: int
    value: float
    lines: list[BasketLine]


class Outlook(Answer):
    """What is expected of a household that is active."""

    as_of: datetime = Field(description="End of the newest day that was known.")
    churn_probability: float = Field(description="Of no basket in the next 28 days.", examples=[0.12])
    expected_spend: float = Field(description="In the next 180 days.", examples=[412.5])
    reasons: list[WhyPart] = Field(description="What speaks for its leaving, strongest first.")
    model_version: str


class HouseholdDetail(HouseholdSummary):
    """A household's profile and newest baskets."""

    favourite_store_id: int | None
    spend: float | None
    baskets_28d: int | None
    recent_baskets: list[Basket]
    outlook: Outlook | None = Field(
        description="Null unless the household was active when `mercato churn score` last ran."
    )


class ChargedPrice(Answer):
    """A price that a person accepted."""

    product_id: int
    price: float = Field(description="To charge, US dollars per unit.", examples=[2.49])
    week: int = Field(description="For which it was proposed.")
    accepted_at: datetime

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

    store_id: int
    prices: list[ChargedPrice]
    total: int
    next_offset: int | None


class PaymentToDecide(BaseModel):
    """A card payment about to be made; `paid_at` is now unless given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payment_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Its event_id in `payments.v1`; made up if missing.",
    )
    card_id: str = Field(min_length=1, max_length=32, description="As in the events.", examples=["1-1"])
    terminal_id: str = Field(min_length=1, max_length=32, description="As in the events.", examples=["367-2"])
    amount: float = Field(gt=0, le=100_000, description="US dollars.", examples=[41.5])
    paid_at: AwareDatetime | None = None


class PaymentDecision(Answer):
    """What to do with a payment."""

    payment_id: str = Field(description="To be sent as the event_id in `payments.v1`.")
    recorded: bool = Field(description="Whether the decision is on `payment_decisions.v1`, for reviewers.")
    action: Action = Field(description="The one of least expected cost.")
    probability: float = Field(description="Of a fraud.", examples=[0.003])
    review_from: float = Field(
        description="Probability from which such an amount is not simply approved.", examples=[0.12]
    )
    reasons: list[WhyPart] = Field(description="What speaks for a fraud, strongest first.")
    card_payments: int = Field(description="Earlier payments that are known of the card.")
    terminal_outcomes: int = Field(description="Payments at the terminal whose outcome is known.")
    model_version: str | None = None


class DependencyState(Answer):
    """Whether a dependency answers."""

    ok: bool
    detail: str


class Health(Answer):
    """Liveness and the state of each dependency; the API itself answers even where they don't."""

    status: str = Field(description="`ok` or `degraded`.")
    model_version: str | None
    catalogue_as_of: datetime | None
    dependencies: dict[str, DependencyState]
