"""What changed between two lists, and which click changed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mercato.decisions.recommend import Item
from mercato.decisions.wording import count, in_sentence, ordinal

#: Reasons that name another product of the session.
GOES_WITH = ("goes_with_cart", "goes_with_viewed")

_VERBS = {
    "view": "viewed",
    "add_to_cart": "added",
    "remove_from_cart": "removed",
    "search": "searched",
    "checkout": "checked out",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """The newest event of the session; `product_id` is `None` for searches and checkouts."""

    action: str
    product_id: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """A product and its ranks; `before` is `None` if it entered, `after` if it left."""

    product_id: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Difference of two lists, each part in the order of the list it is read from."""

    entered: tuple[Move, ...]
    left: tuple[Move, ...]
    moved_up: tuple[Move, ...]
    moved_down: tuple[Move, ...]
    summary: str


def compare(
    before: Sequence[Item],
    after: Sequence[Item],
    cause: Cause | None,
    name: Callable[[int], str],
) -> Changes:
    """Explain how `before` became `after`.

    A product counts as moved only if its rank and its order against the other products that
    stayed both changed: what slides up by one because another item left did not move.

    Args:
        before, after: lists as shown.
        cause: the event that lies between them.
        name: product id -> what a shopper calls it.
    """
    old = {item.product_id: item.rank for item in before}
    new = {item.product_id: item.rank for item in after}
    entered = tuple(Move(i.product_id, None, i.rank) for i in after if i.product_id not in old)
    left = tuple(Move(i.product_id, i.rank, None) for i in before if i.product_id not in new)
    stayed_before = [i.product_id for i in before if i.product_id in new]
    stayed_after = [i.product_id for i in after if i.product_id in old]
    place = {product_id: position for position, product_id in enumerate(stayed_before)}
    up, down = [], []
    for position, product_id in enumerate(stayed_after):
        was, now = old[product_id], new[product_id]
        if now < was and position < place[product_id]:
            up.append(Move(product_id, was, now))
        elif now > was and position > place[product_id]:
            down.append(Move(product_id, was, now))
    summary = _summary(entered, left, up, after, cause, name)
    return Changes(entered, left, tuple(up), tuple(down), summary)


def _summary(
    entered: Sequence[Move],
    left: Sequence[Move],
    up: Sequence[Move],
    after: Sequence[Item],
    cause: Cause | None,
    name: Callable[[int], str],
) -> str:
    gone = [move for move in left if cause is None or move.product_id != cause.product_id]
    parts = [
        f"{count(len(entered), 'item')} came in" if entered else "",
        f"{len(up)} moved up" if up else "",
        f"{count(len(gone), 'item')} left" if gone else "",
    ]
    what = ", ".join(part for part in parts if part)
    sentences = [_did(cause, name), f"{what[:1].upper()}{what[1:]}." if what else "The list stays as it was."]
    if lead := _leader([*entered, *up], after, cause):
        explained = cause and lead.because_of == cause.product_id
        because = next((why for why in lead.why if explained and why.code in GOES_WITH), lead.why[0])
        sentences.append(f"{name(lead.product_id)} is now {ordinal(lead.rank)}: {in_sentence(because.text)}.")
    return " ".join(part for part in sentences if part)


def _did(cause: Cause | None, name: Callable[[int], str]) -> str:
    if cause is None:
        return ""
    verb = _VERBS.get(cause.action, cause.action)
    return f"You {verb} {in_sentence(name(cause.product_id))}." if cause.product_id else f"You {verb}."


def _leader(moves: Sequence[Move], after: Sequence[Item], cause: Cause | None) -> Item | None:
    """The change worth a sentence: the best ranked one that the click explains, else the best ranked."""
    changed = {move.product_id for move in moves}
    items = [item for item in after if item.product_id in changed]
    return next(
        (item for item in items if cause and item.because_of and item.because_of == cause.product_id),
        items[0] if items else None,
    )
