"""From the lake to the channels of a training job: the protocol's cut, as-of features, joined contexts.

The features are made by the same jobs as always, in a lake laid over the real one in which only
gold.basket_lines is written anew, cut by the protocol. So no popularity, neighbour or history
knows of any household's last basket.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import write_deltalake

from features.offline import TIME, historical
from features.store import apply
from glue_jobs.catalog import AS_OF, select
from glue_jobs.runner import Run, Runner
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import HOUSEHOLD_HISTORY
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import PRODUCTS
from mercato.errors import MercatoError
from mercato.lake.storage import storage_options
from mercato.lake.tables import Lake
from mercato.online import views
from mercato.settings import Settings
from mercato_models import script
from mercato_models.recommend import channels
from mercato_models.recommend.protocol import contexts, cut

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_C = channels.CONTEXTS.c
#: What is read of the real lake: baskets, and what does not depend on them and so is the same in both.
SOURCES: tuple[Table, ...] = (
    BASKET_LINES,
    PRODUCTS,
    *(job.target for job in select(AS_OF) if BASKET_LINES not in job.sources),
)
#: Training baskets per household at most.
TARGETS = 8
_JOIN_VIEWS = (views.HOUSEHOLD_HISTORY, views.HOUSEHOLD_PROFILE)
#: A basket's features are those of a second before it.
_BEFORE = timedelta(seconds=1)
_BASKET_TIME, _PLACE = "basket_time", "place"


def write_channel(
    spark: SparkSession,
    settings: Settings,
    overlay: Lake,
    channel: Path,
    *,
    targets: int = TARGETS,
    on_run: Callable[[Run], None] = lambda _run: None,
) -> None:
    """Write the channel's files; train and test share them.

    Args:
        overlay: an empty lake over the real one, which is only read; the session's workers must reach it.
        channel: emptied first.
        targets: training baskets per household at most.
        on_run: called as each feature job ends.

    Raises:
        MercatoError: there are no baskets yet, or too few for the protocol.
    """
    if overlay.open(BASKET_LINES) is None:
        raise MercatoError("There are no baskets to learn from yet: run `mercato run --layer gold` first.")
    shutil.rmtree(channel, ignore_errors=True)
    channel.mkdir(parents=True)
    divided = cut(overlay.read_arrow(BASKET_LINES))
    if divided.test.num_rows == 0:
        raise MercatoError("No household has enough baskets for the evaluation: replay more of the year.")
    versions = {table.name: version for table in SOURCES if (version := overlay.version(table)) is not None}
    path = overlay.path(BASKET_LINES)
    write_deltalake(path, divided.history, storage_options=storage_options(path))
    runner = Runner(spark, overlay)
    for job in select(AS_OF):
        if BASKET_LINES in job.sources:
            on_run(runner.run(job))
    joined = _with_features(spark, settings, overlay, contexts(divided, targets))
    channels.write(channel, joined, channels.CONTEXTS)
    for table in channels.CATALOGUE_TABLES:
        # Straight from the files: faster than by the session, whose messages have a limit.
        channels.write(channel, overlay.read_arrow(table), table)
    channels.write_details(channel, overlay.read_arrow(PRODUCTS))
    script.write_versions(channel, versions)


def _with_features(spark: SparkSession, settings: Settings, lake: Lake, baskets: pa.Table) -> pa.Table:
    """Baskets with what was known of their households just before them; those of the unknown are left out."""
    names = [_BASKET_TIME if name == _C.event_timestamp else name for name in baskets.column_names]
    entities = (
        baskets.rename_columns(names)
        .append_column(TIME, pc.subtract(baskets[_C.event_timestamp], pa.scalar(_BEFORE)))
        .append_column(_PLACE, pa.array(range(len(baskets)), pa.int64()))
        .drop([_C.truth])
    )
    joined = historical(spark, lake, apply(settings), entities, _JOIN_VIEWS)
    place = joined[_PLACE]
    joined = joined.drop([TIME, _PLACE, _BASKET_TIME])
    for name in (_C.event_timestamp, _C.truth):
        joined = joined.append_column(name, baskets[name].take(place))
    known = joined.filter(pc.is_valid(joined[HOUSEHOLD_HISTORY.c.products]))
    return known.select(channels.contexts_schema().names).cast(channels.contexts_schema())
