"""How regularly a household comes: gaps, active weeks, and how unusual its present silence is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.days import DAY, HORIZON_DAYS

L = BASKET_LINES.c
_RECENT_GAPS = 8
#: Half-lives of the weekly activity, weeks.
_WEEK_SPANS = (4, 8, 16)


def rhythm(past: pd.DataFrame, as_of: float) -> dict[str, pd.Series]:
    """Rhythm features by household; `past` is in time order within a household, all before `as_of`."""
    household = past[L.household_id]
    # Several baskets of one day are one visit.
    visits = past.assign(**{DAY: np.floor(past[DAY])}).drop_duplicates([L.household_id, DAY])
    owner = visits[L.household_id]
    gaps = visits[DAY].groupby(owner).diff()
    silence = as_of - past[DAY].groupby(household).max()
    by = gaps.groupby(owner)
    now = silence.reindex(owner).to_numpy()
    longer = pd.Series(np.where(gaps.isna(), np.nan, (gaps >= now).astype(float)), gaps.index)
    recent = visits.groupby(owner).cumcount(ascending=False) < _RECENT_GAPS
    mean, spread = by.mean(), by.std()
    survivors = longer.groupby(owner).sum()
    # Of the gaps that lasted as long as the silence, the share that went on past the horizon.
    past_horizon = pd.Series((gaps >= now + HORIZON_DAYS).astype(float), gaps.index).groupby(owner).sum()
    made = {
        "visits": by.size().astype(float),
        "gap_mean": mean,
        "gap_std": spread,
        "gap_median": by.median(),
        "gap_max": by.max(),
        "gap_90": by.quantile(0.9),
        "gap_recent": gaps[recent].groupby(owner[recent]).mean(),
        "gap_variation": spread / mean,
        "long_gaps": (gaps >= HORIZON_DAYS).astype(float).groupby(owner).sum(),
        "two_week_gaps": (gaps >= HORIZON_DAYS / 2).astype(float).groupby(owner).sum(),
        "silence_by_mean": silence / mean,
        "silence_by_max": silence / by.max(),
        "gap_survival": (survivors + 0.5) / (by.count() + 1),
        "stay_away": (past_horizon + 0.1) / (survivors + 1),
    }
    made["gap_ratio"] = made["gap_recent"] / mean
    return made | _weeks(past, as_of)


def _weeks(past: pd.DataFrame, as_of: float) -> dict[str, pd.Series]:
    """Share of weeks with a basket, counted back from the day itself."""
    household = past[L.household_id]
    week = np.floor((as_of - past[DAY]) / 7)
    active = pd.DataFrame({L.household_id: household, DAY: week}).drop_duplicates()
    owner, ago = active[L.household_id], active[DAY]
    known = np.floor((as_of - past[DAY].groupby(household).min()) / 7) + 1
    made = {"active_weeks": ago.groupby(owner).size() / known}
    for span in _WEEK_SPANS:
        within = (ago < span).astype(float).groupby(owner).sum()
        made[f"active_weeks_{span}"] = within / np.minimum(known, span)
        made[f"active_weeks_half_{span}"] = pd.Series(np.exp2(-ago / span), ago.index).groupby(owner).sum()
    return made
