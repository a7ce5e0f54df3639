"""Contexts that cannot be true are refused, with the check and the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercato.contracts.tables.features import HOUSEHOLD_HISTORY
from mercato_models.checks import CheckError
from mercato_models.recommend import channels
from mercato_models.recommend.context import PROFILE
from tests.integration.recommend_channel import write_channel

C, H = channels.CONTEXTS.c, HOUSEHOLD_HISTORY.c
BROKEN = 2


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("channel")
    write_channel(folder, households=3)
    return folder


def changed(channel: Path, folder: Path, column: str, change: Callable[[list[object]], list[object]]) -> Path:
    """A channel with the contexts of another one, a column of them changed."""
    contexts = pq.read_table(channel / channels.file_name(channels.CONTEXTS))
    place = contexts.schema.get_field_index(column)
    field = contexts.schema.field(place)
    values = pa.array(change(contexts[column].to_pylist()), field.type)
    pq.write_table(contexts.set_column(place, field, values), folder / channels.file_name(channels.CONTEXTS))
    return folder


def test_what_is_written_is_read(channel: Path) -> None:
    assert channels.read_contexts(channel).num_rows == 12


def test_a_basket_of_tomorrow_is_refused(channel: Path, tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    broken = changed(
        channel, tmp_path, C.event_timestamp, lambda times: [*times[:BROKEN], tomorrow, *times[3:]]
    )
    with pytest.raises(
        CheckError, match=r"future timestamps in event_timestamp, later than .*1 of 12 rows \(2\)"
    ):
        channels.read_contexts(broken)


def test_a_history_that_holds_the_basket_itself_is_refused(channel: Path, tmp_path: Path) -> None:
    asked = pq.read_table(channel / channels.file_name(channels.CONTEXTS))[C.event_timestamp].to_pylist()

    def leak(times: list[object]) -> list[object]:
        newest = [*times[BROKEN][:-1], int(asked[BROKEN].timestamp())]  # type: ignore[index]
        return [*times[:BROKEN], newest, *times[3:]]

    said = r"future timestamps in basket_times, not before the basket to predict: 1 of 12 rows \(2\)"
    with pytest.raises(CheckError, match=said):
        channels.read_contexts(changed(channel, tmp_path, H.basket_times, leak))


def test_a_figure_that_is_never_known_is_refused(channel: Path, tmp_path: Path) -> None:
    unknown = changed(channel, tmp_path, PROFILE[2], lambda values: [None] * len(values))
    with pytest.raises(
        CheckError, match=rf"NaN flood in {PROFILE[2]}, known in 0.0% .* 12 of 12 rows \(0, 1"
    ):
        channels.read_contexts(unknown)


def test_infinite_figures_are_refused(channel: Path, tmp_path: Path) -> None:
    broken = changed(channel, tmp_path, PROFILE[2], lambda values: [*values[:-1], float("inf")])
    with pytest.raises(CheckError, match=r"infinite features: 1 of 12 rows \(11\)"):
        channels.read_contexts(broken)
