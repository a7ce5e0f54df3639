"""What people type finds what they mean, on a real OpenSearch."""

from __future__ import annotations

import msgspec
import pytest

from mercato.search.index import ProductIndex
from mercato.search.products import ProductSearch
from mercato.settings import Settings
from tests.integration.shelf import find, ids, shelf
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("frozen pizza", 1),
        ("Frozen Pizzas", 1),
        ("forzen piza", 1),
        ("banannas", 5),
        ("store brand frozen pizza", 2),
        ("loo roll toilet paper", 6),
        ("toilet paper", 6),
        ("pop", 4),
        ("milk gallon", 3),
        ("13oz pizza", 1),
        ("16oz pizza", 9),
        ("deli pizza", 9),
        ("tropical", 5),
    ],
)
def test_what_people_type_finds_what_they_mean(searching: Settings, typed: str, first: int) -> None:
    assert ids(find(searching, typed))[0] == first


@pytest.mark.usefixtures("index")
def test_a_word_that_nothing_has_finds_nothing(searching: Settings) -> None:
    found = find(searching, "chainsaw")
    assert (found.total, found.hits) == (0, [])


@pytest.mark.usefixtures("index")
def test_some_of_the_words_do_where_no_product_has_them_all(searching: Settings) -> None:
    found = find(searching, "strawberry yogurt")
    assert found.relaxed
    assert set(ids(found)) == {7, 8}
    assert not find(searching, "frozen pizza").relaxed


def test_of_two_alike_the_more_popular_comes_first(searching: Settings, index: ProductIndex) -> None:
    assert ids(find(searching, "frozen pizza 13 oz"))[:2] == [1, 2]
    index.upsert(
        [msgspec.structs.replace(each, popularity=50_000) for each in shelf() if each.product_id == 2]
    )
    assert eventually(lambda: ids(find(searching, "frozen pizza 13 oz"))[:2] == [2, 1])


@pytest.mark.usefixtures("index")
def test_a_facet_is_narrowed_by_the_others_only(searching: Settings) -> None:
    found = find(searching, "pizza", department="GROCERY")
    counts = {field: {each.value: each.count for each in values} for field, values in found.facets.items()}
    assert ids(found) == [1, 2]
    assert found.total == 2
    assert counts == {"department": {"GROCERY": 2, "DELI": 1}, "brand": {"National": 1, "Private": 1}}
    assert ids(find(searching, "pizza", department="GROCERY", brand="Private")) == [2]


@pytest.mark.usefixtures("index")
def test_a_department_without_the_words_says_which_others_have_them(searching: Settings) -> None:
    answer = find(searching, "frozen pizza", department="PRODUCE")
    assert (answer.total, answer.relaxed) == (0, False)
    assert {each.value: each.count for each in answer.facets["department"]} == {"GROCERY": 2, "DELI": 1}


@pytest.mark.usefixtures("index")
def test_pages_follow_one_another(searching: Settings) -> None:
    everything = ids(find(searching, "pizza"))
    pages = [ids(find(searching, "pizza", size=1, offset=offset)) for offset in range(4)]
    assert pages == [*([each] for each in everything), []]


@pytest.mark.usefixtures("index")
def test_what_is_typed_is_completed_by_names_each_once(searching: Settings) -> None:
    search = ProductSearch(searching)
    assert search.suggest("froz", 5) == ["Frozen pizza"]
    assert search.suggest("frozen pi", 5) == ["Frozen pizza"]
    assert search.suggest("pizz", 5) == ["Frozen pizza"]
    assert set(search.suggest("s", 5)) == {"Soft drink, 2 liter bottle", "Strawberries"}
    assert search.suggest("xyz", 5) == []
