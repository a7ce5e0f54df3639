"""What exists and what reads what: every job, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from glue_jobs.gold.basket_lines import basket_lines
from glue_jobs.gold.customer_360 import customer_360
from glue_jobs.gold.household_history import household_history
from glue_jobs.gold.household_product import household_product
from glue_jobs.gold.household_profile import household_profile
from glue_jobs.gold.price_history import price_history
from glue_jobs.gold.product_daily import product_daily
from glue_jobs.gold.product_neighbours import product_neighbours
from glue_jobs.gold.product_occasions import product_occasions
from glue_jobs.gold.product_pairs import product_pairs
from glue_jobs.gold.product_returns import product_returns
from glue_jobs.gold.product_stats import product_stats
from glue_jobs.gold.product_trends import product_trends
from glue_jobs.gold.store_popular import store_popular
from glue_jobs.gold.store_promotions import store_promotions
from glue_jobs.jobs import GoldJob, Job, SilverJob
from mercato.contracts.events import TOPICS
from mercato.contracts.tables import features, gold, silver
from mercato.errors import MercatoError

_SILVER = tuple(SilverJob(topic) for topic in TOPICS.values())

_LINES = gold.BASKET_LINES
_HOUSEHOLD, _PRODUCT = _LINES.c.household_id, _LINES.c.product_id
_GOLD = (
    GoldJob(_LINES, (silver.TRANSACTIONS,), basket_lines, _HOUSEHOLD),
    GoldJob(gold.CUSTOMER_360, (_LINES, silver.PRODUCTS), customer_360, _HOUSEHOLD),
    GoldJob(gold.HOUSEHOLD_PRODUCT, (_LINES,), household_product, _HOUSEHOLD),
    GoldJob(gold.PRODUCT_DAILY, (silver.TRANSACTIONS,), product_daily, _PRODUCT),
    GoldJob(gold.PRICE_HISTORY, (silver.TRANSACTIONS,), price_history, _PRODUCT),
    GoldJob(gold.PRODUCT_PAIRS, (_LINES,), product_pairs),
)

#: As-of tables: what models know at an instant.
_AS_OF = (
    GoldJob(features.HOUSEHOLD_HISTORY, (_LINES,), household_history, _HOUSEHOLD),
    GoldJob(features.HOUSEHOLD_PROFILE, (_LINES,), household_profile, _HOUSEHOLD),
    GoldJob(features.PRODUCT_STATS, (_LINES,), product_stats),
    GoldJob(features.PRODUCT_TRENDS, (_LINES,), product_trends),
    GoldJob(features.PRODUCT_OCCASIONS, (_LINES,), product_occasions),
    GoldJob(features.PRODUCT_RETURNS, (_LINES,), product_returns),
    GoldJob(features.PRODUCT_NEIGHBOURS, (_LINES,), product_neighbours),
    GoldJob(features.STORE_POPULAR, (_LINES,), store_popular),
    GoldJob(features.STORE_PROMOTIONS, (silver.PROMOTIONS,), store_promotions),
)

_JOBS: tuple[Job, ...] = (*_SILVER, *_GOLD, *_AS_OF)
CATALOG: Mapping[str, Job] = {job.target.name: job for job in _JOBS}
#: Names of the as-of feature tables.
AS_OF: tuple[str, ...] = tuple(job.target.name for job in _AS_OF)


class UnknownJobError(MercatoError):
    """A name is no job of the catalog."""


def select(names: Iterable[str] = (), layers: Iterable[str] = ()) -> list[Job]:
    """Jobs by target name (with or without layer) and by layer, in running order; all if neither is given.

    Raises:
        UnknownJobError: a name matches no job.
    """
    wanted, layers = list(names), set(layers)
    chosen = [
        job
        for job in CATALOG.values()
        if (not wanted and not layers)
        or job.target.layer in layers
        or not {job.target.name, job.target.short_name}.isdisjoint(wanted)
    ]
    known = {alias for job in CATALOG.values() for alias in (job.target.name, job.target.short_name)}
    if unknown := [name for name in wanted if name not in known]:
        raise UnknownJobError(f"No job named {', '.join(unknown)}; there are {', '.join(CATALOG)}.")
    return chosen
