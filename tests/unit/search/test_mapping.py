"""The index follows from the contract."""

from __future__ import annotations

import msgspec

from mercato.contracts.events import PRODUCTS
from mercato.contracts.search import DOCUMENT, ProductDocument
from mercato.search.documents import document, source
from mercato.search.mapping import mapping, settings, synonyms
from tests.products import product


def test_every_field_of_a_product_is_in_its_document_under_the_same_name() -> None:
    # Where an event came from is of no use to a search.
    assert set(PRODUCTS.c) - {PRODUCTS.c.simulated} <= set(DOCUMENT)


def test_every_field_of_a_document_has_a_type_in_the_index_and_nothing_else_has() -> None:
    found = mapping()
    assert found["dynamic"] == "strict"
    assert set(found["properties"]) == set(DOCUMENT)
    kinds = {name: field["type"] for name, field in found["properties"].items()}
    assert (kinds["product_id"], kinds["event_time"], kinds["popularity"]) == ("long", "date", "float")
    assert (kinds["department"], kinds["category"]) == ("keyword", "keyword")
    assert (kinds["name"], kinds["words"]) == ("text", "text")


def test_every_analyzer_that_a_field_names_is_defined() -> None:
    defined = settings()["analysis"]["analyzer"]
    texts = [field for field in mapping()["properties"].values() if field["type"] == "text"]
    named = {each[key] for each in texts for key in ("analyzer", "search_analyzer")}
    assert named <= set(defined)


def test_synonyms_are_rules_without_comments() -> None:
    rules = synonyms()
    assert "tp, toilet paper, toilet tissue, bath tissue" in rules
    assert all(("," in rule or "=>" in rule) and "#" not in rule for rule in rules)


def test_a_document_is_in_a_shoppers_words() -> None:
    found = document(
        product(1, "FRZN SS PREMIUM ENTREES/DNRS/N", category="FROZEN", brand="Private", package_size="13 OZ")
    )
    assert found.name == "Frozen premium dinner for one"
    assert found.words == [found.name, "Frozen", "Grocery", "Private", "13 oz"]


def test_a_product_without_words_keeps_its_number() -> None:
    found = document(product(7, None, department=""))
    assert (found.name, found.words) == ("Product 7", ["Product 7", "National"])


def test_an_event_says_nothing_of_popularity() -> None:
    assert DOCUMENT.popularity not in source(document(product(1)))
    assert source(document(product(1), 0.0))[DOCUMENT.popularity] == 0


def test_times_compare_as_text() -> None:
    times = [source(document(product(1, event_time=each)))[DOCUMENT.event_time] for each in _times()]
    assert times == sorted(times)
    assert len({len(each) for each in times}) == 1


def _times() -> list[object]:
    texts = (b'"2026-01-01T00:00:00Z"', b'"2026-01-01T00:00:00.5Z"', b'"2026-01-01T02:00:01+02:00"')
    return [msgspec.json.decode(each, type=_TIME) for each in texts]


_TIME = next(field.type for field in msgspec.structs.fields(ProductDocument) if field.name == "event_time")
