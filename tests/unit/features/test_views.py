"""Views say what the table contracts say."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from feast.type_map import feast_value_type_to_pa

from features.entities import ENTITIES
from features.services import SERVICES
from features.sources import SOURCES
from features.views import FEATURE_VIEWS
from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables import features as tables
from mercato.contracts.tables.base import Table
from mercato.online.views import BATCH, CATALOGUE, HOUSEHOLD, VIEWS, View


def plain(dtype: pa.DataType) -> pa.DataType:
    """The type without the name and nullability of a list's elements."""
    return pa.list_(dtype.value_type) if pa.types.is_list(dtype) else dtype


AS_OF_TABLES = [table for table in vars(tables).values() if isinstance(table, Table)]


@pytest.mark.parametrize("table", AS_OF_TABLES, ids=lambda table: table.name)
def test_every_as_of_table_is_served_whole(table: Table) -> None:
    (view,) = [view for view in BATCH if view.table is table]
    assert (view.entity, view.time) == table.key
    assert set(view.arrow_schema.names) == set(table.c)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_feast_sees_the_types_of_the_contract(view: View) -> None:
    fields = FEATURE_VIEWS[view.name].features
    found = {field.name: plain(feast_value_type_to_pa(field.dtype.to_value_type())) for field in fields}
    # Every time of Feast is UTC; its Arrow type has no zone.
    wanted = {f.name: pa.timestamp("us") if f.type == UTC_MICROS else plain(f.type) for f in view.features}
    assert {name: str(dtype) for name, dtype in found.items()} == {n: str(d) for n, d in wanted.items()}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_names_are_versioned_and_entities_known(view: View) -> None:
    assert re.fullmatch(r"[a-z_]+_v\d+", view.name)
    assert FEATURE_VIEWS[view.name].join_keys == [view.entity]
    assert view.entity in ENTITIES


def test_streamed_views_have_no_past_and_all_others_have() -> None:
    assert set(SOURCES) == {view.name for view in BATCH}
    assert {view.name for view in VIEWS.values() if view.streamed} == {
        "household_session_v1",
        "household_outlook_v1",
        "card_payments_v1",
        "terminal_outcomes_v1",
    }


def test_views_of_one_kind_share_an_entity() -> None:
    assert len({view.entity for view in HOUSEHOLD}) == 1


def test_services_cover_every_view_once() -> None:
    served = [p.name for service in SERVICES for p in service.feature_view_projections]
    assert sorted(served) == sorted(VIEWS)
    assert {p.name for p in SERVICES[1].feature_view_projections} == {view.name for view in CATALOGUE}
