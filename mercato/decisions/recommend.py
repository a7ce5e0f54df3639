"""Which products to show a household, in which order, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercato.decisions.wording import count, days_ago, in_sentence

#: Complete Journey mailer codes, in a shopper's words.
MAILERS: Mapping[str, str] = {
    "A": "Featured inside this week's mailer",
    "C": "Listed inside this week's mailer",
    "D": "On the front page of this week's mailer",
    "F": "On the back page of this week's mailer",
    "H": "On the wrap of this week's mailer",
    "J": "Coupon inside the wrap of this week's mailer",
    "L": "On the back of this week's mailer wrap",
    "P": "Coupon inside this week's mailer",
    "X": "Free offer inside this week's mailer",
    "Z": "Free offer on the cover of this week's mailer",
}
#: Complete Journey display codes.
DISPLAYS: Mapping[str, str] = {
    "1": "On display at the front",
    "2": "On display at the rear",
    "3": "On a front aisle end",
    "4": "On a mid-aisle end",
    "5": "On a rear aisle end",
    "6": "On the side of an aisle end",
    "7": "On display in the aisle",
    "9": "On a second display",
    "A": "On a shelf display",
}
#: "Popular" is said of a store's first hundred products, not of all it lists.
POPULAR_RANKS = 100


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one product for one household at one moment.

    Attributes:
        times_bought: baskets of the household's history that hold the product.
        mean_gap_days: days between those baskets, `None` for fewer than two.
        days_since: days since the last of them, `None` if never bought.
        partner_id: product of the cart or just viewed that it is most often bought with.
        partner_name: that product's name.
        partner_in_cart: whether the partner is in the cart (else it was viewed).
        mailer, display: this week's promotion codes in the store, `"0"` for none.
        popular_rank: 1 for the store's most bought product, `None` beyond its list.
        usual_partner_name: product of the household's own baskets that it goes with.
        store_id: the store meant, `None` where all stores stand in.
    """

    times_bought: int = 0
    mean_gap_days: float | None = None
    days_since: float | None = None
    partner_id: int | None = None
    partner_name: str | None = None
    partner_in_cart: bool = True
    mailer: str = "0"
    display: str = "0"
    popular_rank: int | None = None
    usual_partner_name: str | None = None
    store_id: int | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: a machine code and a plain sentence without its full stop."""

    code: str
    text: str


#: The model alone found it.
NOTHING_BETTER = Why("similar_households", "Bought by households like yours")


@dataclass(frozen=True, slots=True)
class Item:
    """One recommended product; `rank` starts at 1, `why` holds the strongest reason first."""

    product_id: int
    rank: int
    score: float
    sources: tuple[str, ...]
    why: tuple[Why, ...]
    because_of: int | None = None


def reasons(evidence: Evidence) -> tuple[Why, ...]:
    """Every reason the evidence supports, strongest first, at least one.

    A rhythm of one's own purchases says more than a companion in the cart, which
    says more than a promotion; a single purchase long ago says least of the three.
    """
    found = [
        _habit(evidence) if evidence.times_bought > 1 else None,
        _partner(evidence),
        _promotion(evidence),
        _habit(evidence) if evidence.times_bought == 1 else None,
        _popular(evidence),
        _usual_partner(evidence),
    ]
    return tuple(why for why in found if why) or (NOTHING_BETTER,)


def popular_in(store_id: int | None) -> Why:
    """The reason of a popular product; `None` means all stores together."""
    return Why("popular", f"Popular in store {store_id}" if store_id else "Popular in all stores")


def _habit(e: Evidence) -> Why | None:
    ago = None if e.days_since is None else days_ago(e.days_since)
    if e.times_bought == 1:
        return Why("bought_once", f"You bought it once, {ago}" if ago else "You bought it once")
    rhythm = None
    if e.mean_gap_days is not None:
        gap = max(1, round(e.mean_gap_days))
        rhythm = "about every day" if gap == 1 else f"about every {gap} days"
    facts = "; ".join(part for part in (rhythm, ago and f"last {ago}") if part)
    said = f"You bought it {count(e.times_bought, 'time')}"
    return Why("bought_before", f"{said}, {facts}" if facts else said)


def _partner(e: Evidence) -> Why | None:
    if e.partner_name is None:
        return None
    name = in_sentence(e.partner_name)
    if e.partner_in_cart:
        return Why("goes_with_cart", f"Often bought with {name} in your cart")
    return Why("goes_with_viewed", f"Often bought with {name}, which you just viewed")


def _promotion(e: Evidence) -> Why | None:
    where = f" in store {e.store_id}" if e.store_id else ""
    if text := MAILERS.get(e.mailer):
        return Why("mailer", text + where)
    if text := DISPLAYS.get(e.display):
        return Why("display", f"{text}{where or ' in your store'}")
    return None


def _popular(e: Evidence) -> Why | None:
    if e.popular_rank is None or e.popular_rank > POPULAR_RANKS:
        return None
    return popular_in(e.store_id)


def _usual_partner(e: Evidence) -> Why | None:
    if e.usual_partner_name is None:
        return None
    return Why("goes_with_usual", f"Often bought with {in_sentence(e.usual_partner_name)}, which you buy")


def recommend(
    product_ids: NDArray[np.int64],
    scores: NDArray[np.floating],
    *,
    n: int,
    hidden: Collection[int],
    sources: Callable[[int], tuple[str, ...]],
    evidence: Callable[[int], Evidence],
) -> list[Item]:
    """The n best candidates that may be shown.

    The order is the ranker's own: a weekly shop repeats categories, so spreading
    them apart would hide what the household came for.

    Args:
        product_ids: candidates, each once.
        scores: the ranker's score per candidate, higher is better; NaN ranks last.
        n: items wanted; fewer come back if there are fewer candidates.
        hidden: products not to show: in the cart, just removed from it, excluded by the caller.
        sources: position in `product_ids` -> names of the candidate generators that found it.
        evidence: product id -> what is known about it; asked only for what is shown.
    """
    shown: list[Item] = []
    ranking = np.where(np.isnan(scores), -np.inf, scores)
    for position in np.lexsort((product_ids, -ranking)):  # ties by product_id, as the evaluation does
        if len(shown) == n:
            break
        product_id = int(product_ids[position])
        if product_id in hidden:
            continue
        known = evidence(product_id)
        shown.append(
            Item(
                product_id=product_id,
                rank=len(shown) + 1,
                score=float(scores[position]),
                sources=sources(int(position)),
                why=reasons(known),
                because_of=known.partner_id,
            )
        )
    return shown


def sentence(why: Sequence[Why], most: int = 2) -> str:
    """The strongest reasons as text: `Popular in store 367. On display at the front.`"""
    return " ".join(f"{reason.text}." for reason in why[:most])
