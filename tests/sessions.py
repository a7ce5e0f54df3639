"""Sessions counted by hand: what the stream job must find."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from mercato.contracts.events import Click, Session
from mercato.contracts.events.sessions import LISTED
from mercato.online.session import SESSION_GAP


def recount(clicks: Iterable[Click]) -> Iterator[Session]:
    """The sessions of these clicks; a click with a known event id is the same click."""
    by_household: dict[int, dict[str, Click]] = defaultdict(dict)
    for click in clicks:
        by_household[click.household_id].setdefault(click.event_id, click)
    for known in by_household.values():
        ordered = sorted(known.values(), key=_time)
        starts = [0]
        starts += [i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if _time(b) - _time(a) > SESSION_GAP]
        for low, high in pairwise([*starts, len(ordered)]):
            yield _session(ordered[low:high])


def _session(clicks: list[Click]) -> Session:
    counts = Counter(click.action for click in clicks)
    viewed = {click.product_id for click in clicks if click.action == "view"}
    touched: dict[int, tuple[datetime, bool]] = {}
    for click in clicks:
        if click.product_id and click.action in ("add_to_cart", "remove_from_cart"):
            # At the same millisecond the removal counts.
            mark = (_time(click), click.action == "remove_from_cart")
            touched[click.product_id] = max(mark, touched.get(click.product_id, mark))
    left = [product for product, (_, removed) in touched.items() if not removed]
    cart = [] if counts["checkout"] else left
    household, start, end = clicks[0].household_id, _time(clicks[0]), _time(clicks[-1])
    return Session(
        event_id=f"{household}-{start:%Y%m%d%H%M%S}{start.microsecond // 1000:03}",
        event_time=end + SESSION_GAP,
        simulated=any(click.simulated for click in clicks),
        household_id=household,
        started_at=start,
        ended_at=end,
        views=counts["view"],
        searches=counts["search"],
        additions=counts["add_to_cart"],
        removals=counts["remove_from_cart"],
        checkouts=counts["checkout"],
        viewed=sorted(product for product in viewed if product)[:LISTED],
        cart=sorted(cart)[:LISTED],
        abandoned=bool(cart),
    )


def _time(click: Click) -> datetime:
    return click.event_time - timedelta(microseconds=click.event_time.microsecond % 1000)
