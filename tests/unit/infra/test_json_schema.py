"""A contract's schema in draft-07 accepts and refuses what it did in 2020-12."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from infra.cdk.json_schema import DRAFT, draft_07
from mercato.contracts.events import TOPICS

#: Keywords of which draft-07 knows nothing, or something else.
YOUNGER = {
    "$defs",
    "$dynamicRef",
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 2**54),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=70),
    st.sampled_from(["view", "add_to_cart", "2026-06-01T16:00:00+00:00", "never"]),
    st.lists(st.integers(0, 5), max_size=3),
)


@st.composite
def events(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """Something with fields of the schema's, some of them right."""
    fields = sorted(schema["properties"])
    return draw(st.fixed_dictionaries({}, optional=dict.fromkeys((*fields, "unknown"), VALUES)))


def faults(validator: Any, event: dict[str, Any]) -> set[tuple[str, str]]:
    """Where an event breaks which keyword."""
    return {(error.json_path, error.validator) for error in validator.iter_errors(event)}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
@given(data=st.data())
def test_both_drafts_find_the_same_faults(topic: Any, data: st.DataObject) -> None:
    ours, theirs = topic.json_schema, draft_07(topic.json_schema)
    event = data.draw(events(theirs))
    assert faults(Draft7Validator(theirs), event) == faults(Draft202012Validator(ours), event)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_it_is_of_its_draft_and_its_root_is_no_reference(topic: Any) -> None:
    schema = draft_07(topic.json_schema)
    assert schema["$schema"] == DRAFT
    Draft7Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert not [word for word in YOUNGER if f'"{word}"' in json.dumps(schema)]


def test_what_stands_beside_a_reference_is_kept_and_a_definition_that_refers_to_itself() -> None:
    tree = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/Tree",
        "$defs": {
            "Tree": {
                "type": "object",
                "properties": {
                    "left": {"$ref": "#/$defs/Tree", "description": "Smaller.", "minProperties": 1},
                    "size": {"$ref": "#/$defs/Size"},
                },
            },
            "Size": {"type": "integer"},
        },
    }
    schema = draft_07(tree)
    check = Draft7Validator(schema)
    assert check.is_valid({"left": {"size": 1}})
    assert not check.is_valid({"left": {}})
    assert not check.is_valid({"left": {"size": "one"}})
    assert set(schema["definitions"]) == {"Tree", "Size"}
