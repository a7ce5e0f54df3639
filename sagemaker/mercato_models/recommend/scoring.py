"""Lists for all households from their newest features, outside any session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from features.snapshot import as_of, catalogue
from mercato.contracts.tables.predictions import RECOMMENDATIONS
from mercato.errors import MercatoError
from mercato.lake.tables import Lake
from mercato.online import views
from mercato_models import checks
from mercato_models.artifact import Model
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import PROFILE, Context, usual_store
from mercato_models.recommend.dataset import ranked
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.history import HISTORY_COLUMNS, History

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


_R, _HISTORY = RECOMMENDATIONS.c, views.HOUSEHOLD_HISTORY
#: Households whose histories are Python's at once.
_ROWS = 256
#: The newest basket is known this long after it.
_AFTER = timedelta(seconds=1)


def newest_moment(spark: SparkSession, lake: Lake) -> datetime:
    """Just after the newest basket that features know of.

    Raises:
        MercatoError: they know of none.
    """
    from pyspark.sql import functions as F

    newest = lake.read(spark, _HISTORY.table).agg(F.max(_HISTORY.time)).toArrow()
    time: datetime | None = newest.column(0)[0].as_py()
    if time is None:
        raise MercatoError("No household has a basket yet: run `mercato run --layer gold` first.")
    return time + _AFTER


def known(spark: SparkSession, lake: Lake, at: datetime) -> tuple[pa.Table, Catalogue]:
    """What is known at a moment: a row per household with its history and profile, and the products.

    Raises:
        CheckError: no household had a basket by then.
    """
    rows = catalogue(spark, lake, at)
    profiles = as_of(spark, lake, views.HOUSEHOLD_PROFILE, at).select(_HISTORY.entity, *PROFILE)
    histories = as_of(spark, lake, _HISTORY, at).select(_HISTORY.entity, *HISTORY_COLUMNS)
    households = histories.join(profiles, _HISTORY.entity, "left").orderBy(_HISTORY.entity).toArrow()
    if households.num_rows == 0:
        raise checks.CheckError(f"empty slice: no household had a basket by {at:%Y-%m-%d %H:%M}")
    tables = {view.table: rows[view.name] for view in views.CATALOGUE}
    return households, Catalogue.from_tables(tables, at)


def lists(
    households: pa.Table, products: Catalogue, model: Model, at: datetime, n: int
) -> Iterator[pa.Table]:
    """The best products of one household after another, as rows of RECOMMENDATIONS.

    Args:
        households, products: what `known` tells of the moment `at`.
        n: products of a list; fewer where there are fewer candidates.

    Raises:
        CheckError: the model was made of other features.
    """
    if model.features != FEATURES:
        odd = sorted(set(model.features) ^ set(FEATURES)) or ["in another order"]
        raise checks.CheckError(
            f"model {model.version} was made of other features ({', '.join(odd)}): "
            "run `mercato train recommend`"
        )
    for batch in households.to_batches(max_chunksize=_ROWS):
        for row in batch.to_pylist():
            yield _list(row, products, model, at, n)


def _list(row: dict[str, Any], products: Catalogue, model: Model, at: datetime, n: int) -> pa.Table:
    history = History.from_row(row)
    store_id = usual_store(history.basket_stores)
    context = Context(history, {name: row[name] for name in PROFILE}, store_id, at.timestamp())
    best, scores = ranked(context, products, model.score, n)
    columns = {
        _R.household_id: np.full(len(best), row[_HISTORY.entity]),
        _R.rank: np.arange(1, len(best) + 1),
        _R.product_id: best,
        _R.score: scores,
        _R.store_id: np.full(len(best), store_id),
        _R.event_timestamp: [at] * len(best),
        _R.model_version: [model.version] * len(best),
    }
    return pa.table(columns).cast(RECOMMENDATIONS.arrow_schema)
