"""The product index on a real OpenSearch: filled, changed by events, replaced while it is asked."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from mercato.contracts.search import DOCUMENT, ProductDocument
from mercato.local.supervisor import Stack
from mercato.search import mapping
from mercato.search.documents import document, source
from mercato.search.errors import SearchUnavailableError
from mercato.search.index import ProductIndex, Written
from mercato.settings import Settings
from tests.conftest import JARS
from tests.integration.shelf import SHELF, find, ids, shelf, stored, versions
from tests.products import WHEN, product
from tests.waiting import eventually

pytestmark = pytest.mark.integration

#: An event of a product of the shelf that the lake does not have yet.
NEWER = product(1, "FROZEN PIZZA", brand="Private", event_time=WHEN + timedelta(days=1))


def test_events_change_the_index_once_and_never_back(searching: Settings) -> None:
    index = ProductIndex(searching)
    index.ensure()
    index.ensure()
    late, early = WHEN + timedelta(microseconds=1), WHEN
    newer = document(product(1, "EGGS - LARGE", category=None, event_time=late))
    older = document(product(1, "BANANAS", category="TROPICAL FRUIT", event_time=early))
    first = index.upsert([older, document(product(2))])
    assert (first.written, first.unchanged) == (2, 0)
    again = index.upsert([older, newer, older, newer])
    assert (again.written, again.unchanged) == (1, 3)
    assert stored(searching, 1)["product_type"] == "EGGS - LARGE"
    assert stored(searching, 1)["category"] is None


@pytest.mark.parametrize("told", ["ab", "ba"])
def test_of_two_events_of_one_instant_the_greater_id_stays_whichever_comes_first(
    searching: Settings, told: str
) -> None:
    index = ProductIndex(searching)
    index.ensure()
    named = {each: document(product(1, brand=each, event_id=each)) for each in "ab"}
    for each in told:
        index.upsert([named[each]])
    assert stored(searching, 1)["brand"] == "b"
    index.rebuild([named["a"]])  # of a lake that does not know the other yet
    assert stored(searching, 1)["brand"] == "b"


def test_what_a_release_without_event_ids_indexed_takes_events_and_is_carried_over(
    searching: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mapping.mapping()
    del before["properties"][DOCUMENT.event_id]
    index = ProductIndex(searching)
    with monkeypatch.context() as earlier:
        earlier.setattr(mapping, "mapping", lambda: before)
        index.ensure()
    url = f"{searching.require('opensearch_url')}/{searching.opensearch_index}/_doc"
    for number in (1, 2):
        known = source(document(product(number)))
        del known[DOCUMENT.event_id]
        httpx2.put(f"{url}/{number}?refresh=true", json=known).raise_for_status()
    assert ids(find(searching, "bananas")) == [1, 2]

    index.ensure()
    index.upsert([document(product(1, brand="Private"))])
    assert stored(searching, 1)["brand"] == "Private"
    assert index.rebuild([]).carried == 2


@pytest.mark.usefixtures("index")
def test_an_event_leaves_the_popularity_as_it_is(searching: Settings) -> None:
    later = product(1, "FROZEN PIZZA", brand="Private", event_time=WHEN + timedelta(days=1))
    ProductIndex(searching).upsert([document(later)])
    assert stored(searching, 1)["popularity"] == 500
    assert stored(searching, 1)["brand"] == "Private"


def test_a_new_version_takes_over_without_a_gap(searching: Settings, index: ProductIndex) -> None:
    (before,) = versions(searching)
    answers: list[int] = []
    failures: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(find(searching, "frozen pizza").total)
            except SearchUnavailableError as error:
                failures.append(str(error))

    def with_an_event_meanwhile() -> Iterator[ProductDocument]:
        yield from shelf()
        for number in range(100, 4_000):
            yield document(product(number), 0)
        # While the new version is filled, both are written to.
        assert len(versions(searching)) == 2
        index.upsert([document(product(10, "FROZEN PIZZA", category="FROZEN PIZZA"))])

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        rebuilt = index.rebuild(with_an_event_meanwhile())
        assert eventually(lambda: find(searching, "frozen pizza").total == 4)
    finally:
        stop.set()
        asking.join()
    # Slowness is the machine's; an error or a smaller answer would be the index's.
    assert [each for each in failures if "ConnectionTimeout" not in each] == []
    assert set(answers) <= {3, 4}
    assert rebuilt.replaced == (before,)
    assert versions(searching) == [rebuilt.index]
    assert rebuilt.documents == len(SHELF) + 3_900 + 1


def test_what_the_lake_does_not_know_yet_is_carried_over(searching: Settings, index: ProductIndex) -> None:
    # Written so shortly before the rebuild that no search sees it yet.
    index.upsert([document(NEWER), document(product(77, "CHAINSAWS"), 3)])
    rebuilt = index.rebuild(shelf(more=1_000))
    assert (rebuilt.documents, rebuilt.carried) == (len(SHELF) + 1, 2)
    assert stored(searching, 1)["brand"] == "Private"
    assert [stored(searching, number)["popularity"] for number in (1, 2, 77)] == [1_500, 1_020, 3]
    assert ids(find(searching, "chainsaw")) == [77]


def test_an_event_that_is_first_in_the_new_version_does_not_cost_the_popularity(
    searching: Settings, index: ProductIndex
) -> None:
    def overtaken() -> Iterator[ProductDocument]:
        index.upsert([document(NEWER)])
        yield from shelf(more=1_000)

    index.rebuild(overtaken())
    assert stored(searching, 1)["brand"] == "Private"
    assert stored(searching, 1)["popularity"] == 1_500
    older = document(product(1, "FROZEN PIZZA"), 7)
    assert index.upsert([older]).unchanged == 1


def test_an_event_that_a_whole_rebuild_overtakes_is_in_the_new_version(
    searching: Settings, index: ProductIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ProductIndex._write

    def overtaken(self: ProductIndex, version: str, documents: list[ProductDocument]) -> Written:
        monkeypatch.setattr(ProductIndex, "_write", write)
        ProductIndex(searching).rebuild(shelf())
        return write(self, version, documents)

    monkeypatch.setattr(ProductIndex, "_write", overtaken)
    assert index.upsert([document(NEWER)]).written == 1
    assert stored(searching, 1)["brand"] == "Private"


def test_a_version_that_could_not_be_filled_leaves_the_one_before(
    searching: Settings, index: ProductIndex
) -> None:
    before = versions(searching)

    def broken() -> Iterator[ProductDocument]:
        yield from shelf()
        raise OSError("the lake is gone")

    with pytest.raises(OSError, match="the lake is gone"):
        index.rebuild(broken())
    assert versions(searching) == before
    assert ids(find(searching, "frozen pizza"))[0] == 1


def test_a_version_in_service_is_not_deleted_by_who_interrupts_the_answer(
    searching: Settings, index: ProductIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over = index._take_over

    def interrupted(new: str) -> tuple[str, ...]:
        take_over(new)
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "_take_over", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.rebuild(shelf())
    assert ids(find(searching, "frozen pizza"))[0] == 1


def test_of_two_rebuilds_the_first_that_is_done_stays(searching: Settings, index: ProductIndex) -> None:
    inner: list[str] = []

    def overtaken() -> Iterator[ProductDocument]:
        yield from shelf()
        for number in range(100, 2_000):
            yield document(product(number))
        inner.append(index.rebuild(shelf()).index)
        yield document(product(2_000))

    with pytest.raises(SearchUnavailableError, match="run one at a time"):
        index.rebuild(overtaken())
    assert versions(searching) == inner
    assert find(searching, "frozen pizza").total == 3


def test_what_a_killed_rebuild_left_is_removed_by_the_next(searching: Settings, index: ProductIndex) -> None:
    left = f"{searching.opensearch_index}-v1"
    aliases: dict[str, object] = {f"{searching.opensearch_index}-writes": {}}
    httpx2.put(f"{searching.require('opensearch_url')}/{left}", json={"aliases": aliases}).raise_for_status()
    rebuilt = index.rebuild(shelf())
    assert left in rebuilt.replaced
    assert versions(searching) == [rebuilt.index]


def test_a_refused_document_is_named(searching: Settings, index: ProductIndex) -> None:
    url = f"{searching.require('opensearch_url')}/{versions(searching)[0]}/_settings"
    httpx2.put(url, json={"index.blocks.write": True}).raise_for_status()
    with pytest.raises(SearchUnavailableError, match=r"refused product 5 \(403\).*write again"):
        index.upsert([document(product(5))])


def test_a_field_outside_the_contract_is_refused(searching: Settings, index: ProductIndex) -> None:
    url = f"{searching.require('opensearch_url')}/{searching.opensearch_index}/_doc/1"
    assert (
        httpx2.put(url, json={"colour": "red"}).json()["error"]["type"] == "strict_dynamic_mapping_exception"
    )
    assert index.upsert(shelf()).unchanged == len(SHELF)


@pytest.mark.slow
def test_a_killed_engine_comes_back_with_its_index(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, jars_dir=JARS)
    stack = Stack(settings)
    try:
        stack.up(["opensearch"])
        ProductIndex(settings).rebuild(shelf())
        first = next(row for row in stack.status() if row.name == "opensearch")
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)

        def back() -> bool:
            row = next(row for row in stack.status() if row.name == "opensearch")
            return row.healthy and row.pid != first.pid

        eventually(back, 90)
        assert ids(find(settings, "milk"))[0] == 3
    finally:
        stack.down()
