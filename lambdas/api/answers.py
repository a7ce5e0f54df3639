"""Put decisions into the words of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lambdas.api import schemas
from lambdas.api.catalogue_snapshot import CatalogueSnapshot
from lambdas.api.recommending import Decision, Moment, Wish
from lambdas.schemas import WhyPart
from mercato.contracts.tables.features import HOUSEHOLD_PROFILE
from mercato.contracts.tables.outlook import HouseholdOutlook
from mercato.decisions import churn
from mercato.decisions.changes import Changes, Move
from mercato.decisions.fallback import SENTENCES
from mercato.decisions.recommend import Item, sentence
from mercato.online.reader import History, Household, Session
from mercato_models.recommend.context import usual_store

PROFILE = HOUSEHOLD_PROFILE.c


def recommendations(
    wish: Wish, moment: Moment, decision: Decision, model_version: str | None
) -> schemas.Recommendations:
    """The answer to a recommendation request."""
    now = datetime.now(UTC)
    household = moment.household
    took = {stage: seconds * 1000 for stage, seconds in decision.seconds.items()}
    return schemas.Recommendations(
        household_id=wish.household_id,
        store_id=decision.store_id,
        items=products(decision.items, moment.snapshot),
        session=_session(household.session, moment.snapshot) if household else None,
        changes=_changes(decision.changes, moment.snapshot) if decision.changes is not None else None,
        fallback=decision.reason is not None,
        fallback_reason=decision.reason,
        notice=SENTENCES[decision.reason] if decision.reason else None,
        model_version=None if decision.reason else model_version,
        as_of=now,
        freshness_seconds=_age(moment, now),
        timings=schemas.Timings(
            features=round(took["features"], 3),
            candidates=round(took.get("candidates", 0.0), 3),
            model=round(took.get("model", 0.0), 3),
            decision=round(took["decision"], 3),
            total=round(sum(took.values()), 3),
        ),
    )


def products(items: Sequence[Item], snapshot: CatalogueSnapshot) -> list[schemas.RecommendedProduct]:
    """Items as cards with their reasons; built unchecked, as these values are our own."""
    return [
        schemas.RecommendedProduct.model_construct(
            **snapshot.card(item.product_id),
            rank=item.rank,
            score=item.score,
            why=sentence(item.why),
            reasons=[WhyPart.model_construct(code=why.code, text=why.text) for why in item.why],
            because_of=item.because_of,
            sources=list(item.sources),
        )
        for item in items
    ]


def card(product_id: int, snapshot: CatalogueSnapshot) -> schemas.ProductCard:
    """A product without a reason."""
    return schemas.ProductCard(**snapshot.card(product_id))


def household_line(profile: Mapping[str, Any]) -> schemas.HouseholdSummary:
    """A household in the picker, from its online profile."""
    return schemas.HouseholdSummary(
        household_id=profile[PROFILE.household_id],
        baskets=profile[PROFILE.baskets],
        mean_basket_value=profile[PROFILE.mean_basket_value],
        mean_gap_days=profile[PROFILE.mean_gap_days],
        last_basket_time=profile[PROFILE.event_timestamp],
    )


def household_detail(
    household: Household, snapshot: CatalogueSnapshot, baskets: int, outlook: HouseholdOutlook | None = None
) -> schemas.HouseholdDetail | None:
    """A household's profile, and its newest baskets, newest first; `None` without a history and a profile.

    The two are written one after the other, so a new household may have the first alone for a moment.
    """
    profile = household.profile
    if household.history is None or not profile:
        return None
    line = household_line({**profile, PROFILE.household_id: household.household_id})
    return schemas.HouseholdDetail(
        **line.model_dump(),
        favourite_store_id=usual_store(household.history.basket_stores),
        spend=profile[PROFILE.spend],
        baskets_28d=profile[PROFILE.baskets_28d],
        recent_baskets=_baskets(household.history, snapshot, baskets),
        outlook=_outlook(outlook) if outlook else None,
    )


def _outlook(known: HouseholdOutlook) -> schemas.Outlook:
    return schemas.Outlook(
        as_of=known.event_timestamp,
        churn_probability=known.churn_probability,
        expected_spend=known.expected_spend,
        reasons=[WhyPart(code=code, text=churn.SENTENCES[churn.Reason(code)]) for code in known.reasons],
        model_version=known.model_version,
    )


def _baskets(history: History, snapshot: CatalogueSnapshot, most: int) -> list[schemas.Basket]:
    ends = np.cumsum(history.basket_sizes)
    newest = range(len(ends) - 1, max(-1, len(ends) - 1 - most), -1)
    return [
        _basket(history, snapshot, index, slice(ends[index] - history.basket_sizes[index], ends[index]))
        for index in newest
    ]


def _basket(history: History, snapshot: CatalogueSnapshot, index: int, lines: slice) -> schemas.Basket:
    values = history.values[lines].round(2)
    bought = [
        schemas.BasketLine(**snapshot.card(product_id), quantity=quantity, value=round(value, 2))
        for product_id, quantity, value in zip(
            history.products[lines].tolist(), history.quantities[lines].tolist(), values.tolist(), strict=True
        )
    ]
    return schemas.Basket(
        time=datetime.fromtimestamp(int(history.basket_times[index]), UTC),
        store_id=int(history.basket_stores[index]),
        value=round(sum(line.value for line in bought), 2),
        lines=sorted(bought, key=lambda line: -line.value),
    )


def _session(session: Session, snapshot: CatalogueSnapshot) -> schemas.SessionState:
    reached = None
    if session.updated_at and session.last_event_time:
        reached = max(0.0, (session.updated_at - session.last_event_time).total_seconds() * 1000)
    return schemas.SessionState(
        cart=[card(product_id, snapshot) for product_id in session.cart],
        last_event_id=session.last_event_id,
        last_event_time=session.last_event_time,
        last_action=session.last_action,
        reached_online_ms=reached,
    )


def _changes(changes: Changes, snapshot: CatalogueSnapshot) -> schemas.ListChanges:
    def moved(moves: Sequence[Move]) -> list[schemas.Moved]:
        return [
            schemas.Moved(
                product_id=move.product_id,
                name=snapshot.name(move.product_id),
                before=move.before,
                after=move.after,
            )
            for move in moves
        ]

    return schemas.ListChanges(
        summary=changes.summary,
        entered=moved(changes.entered),
        left=moved(changes.left),
        moved_up=moved(changes.moved_up),
        moved_down=moved(changes.moved_down),
    )


def _age(moment: Moment, now: datetime) -> float | None:
    """Seconds since the newest value that the answer rests on: a click, a basket, the catalogue."""
    history = moment.household.history if moment.household else None
    written = (
        moment.session.updated_at, moment.snapshot.as_of, history.event_timestamp if history else None,
    )  # fmt: skip
    newest = max((then for then in written if then), default=None)
    return max(0.0, (now - newest).total_seconds()) if newest else None
