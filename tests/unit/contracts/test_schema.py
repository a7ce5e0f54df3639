"""Arrow, Spark and JSON schemas say the same as the Struct they come from."""

from __future__ import annotations

import jsonschema
import msgspec
import pyarrow as pa
import pytest

from mercato.contracts import arrow
from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.tables import bronze, features, gold, silver
from mercato.contracts.tables.base import Table

TABLES = {
    table.name: table
    for module in (bronze, silver, gold, features)
    for value in vars(module).values()
    for table in (value.values() if isinstance(value, dict) else [value])
    if isinstance(table, Table)
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables_are_well_formed(table: Table) -> None:
    assert table.layer in {"bronze", "silver", "gold", "quarantine"}
    assert table.description
    assert table.spark_schema.count(" ") >= len(table.arrow_schema)
    jsonschema.Draft202012Validator.check_schema(table.json_schema)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_columns_are_explained_in_as_many_characters_as_glue_keeps(table: Table) -> None:
    properties = table.json_schema["$defs"][table.row.__name__]["properties"]
    lengths = {name: len(properties[name].get("description", "")) for name in table.c}
    assert {name: length for name, length in lengths.items() if not 0 < length <= 255} == {}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_times_carry_their_zone(table: Table) -> None:
    for field in table.arrow_schema:
        if pa.types.is_timestamp(field.type):
            assert field.type == arrow.UTC_MICROS


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_topics_are_versioned_and_keyed_by_a_field(topic: Topic) -> None:
    assert topic.name.endswith(".v1")
    assert topic.key in set(topic.c)
    assert topic.quarantine == f"{topic.name}.quarantine"
    jsonschema.Draft202012Validator.check_schema(topic.json_schema)


def test_constants_are_the_names_and_nothing_else() -> None:
    assert gold.BASKET_LINES.c.household_id == "household_id"
    with pytest.raises(AttributeError, match=r"gold\.basket_lines has no column 'houshold_id'"):
        _ = gold.BASKET_LINES.c.houshold_id


def test_a_key_names_fields_of_the_row() -> None:
    with pytest.raises(ValueError, match=r"gold\.basket_lines: BasketLine has no field houshold_id"):
        Table("gold.basket_lines", gold.BasketLine, ("houshold_id", "product_id"), "A key mistyped.")


def test_narrow_and_nested_types() -> None:
    history = features.HOUSEHOLD_HISTORY.arrow_schema
    assert history.field("basket_sizes").type.value_type == pa.int32()
    assert history.field("values").type.value_type == pa.float32()
    assert "placements ARRAY<STRUCT<display: STRING, mailer: STRING, stores: ARRAY<BIGINT>>>" in (
        silver.PROMOTIONS.spark_schema
    )


def test_a_union_of_types_is_not_a_column() -> None:
    class Bad(msgspec.Struct):
        value: int | str

    with pytest.raises(TypeError, match="one type"):
        arrow.arrow_fields(Bad)
