"""The lake's products in the index by the commands, found by them and through the API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from fastapi.testclient import TestClient

from lambdas.api.app import create_app
from mercato.contracts.tables import silver
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import PRODUCT_STATS
from mercato.lake.tables import Lake
from mercato.local.ports import free_port
from mercato.search.catalogue import NoCatalogueError, documents
from mercato.search.index import ProductIndex
from mercato.settings import Settings
from tests.integration.shelf import shelf
from tests.products import WHEN, product

pytestmark = pytest.mark.integration


def _write(lake: Lake, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    write_deltalake(lake.create(table), pa.Table.from_pylist(list(rows), schema), mode="append")


def _silver(offset: int, found: Any) -> dict[str, Any]:
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return fields | {"source_partition": 0, "source_offset": offset, "ingest_time": datetime.now(UTC)}


@pytest.fixture
def lake(searching: Settings) -> Lake:
    """Two products, one of them changed since, twice at one instant; weekly figures of the other."""
    lake, later = Lake(searching.lake_uri), WHEN + timedelta(days=1)
    changed = [
        product(1, name, event_time=later, event_id=event)
        for name, event in (("EGGS - SMALL", "a"), ("EGGS - LARGE", "c"), ("EGGS - MEDIUM", "b"))
    ]
    told = enumerate([product(1), product(2), *changed])
    _write(lake, silver.PRODUCTS, [_silver(offset, each) for offset, each in told])
    figures = dict.fromkeys(PRODUCT_STATS.c, 1) | {PRODUCT_STATS.c.product_id: 2}
    weeks = [(WHEN, 40), (WHEN - timedelta(days=7), 90)]
    _write(
        lake,
        PRODUCT_STATS,
        [
            figures | {PRODUCT_STATS.c.event_timestamp: week, PRODUCT_STATS.c.baskets_13w: baskets}
            for week, baskets in weeks
        ],
    )
    return lake


def test_the_lake_gives_each_products_newest_state(lake: Lake) -> None:
    found = {each.product_id: (each.name, each.popularity) for each in documents(lake)}
    assert found == {1: ("Eggs, large", 0), 2: ("Bananas", 40)}


def test_an_empty_lake_says_what_fills_it(tmp_path: Path) -> None:
    with pytest.raises(NoCatalogueError, match=r"silver\.products .* is empty: `mercato replay`"):
        list(documents(Lake(str(tmp_path))))


def _mercato(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "MERCATO_HOME": str(settings.home),
        "MERCATO_OPENSEARCH_URL": settings.require("opensearch_url"),
        "MERCATO_OPENSEARCH_INDEX": settings.opensearch_index,
    }
    command = [sys.executable, "-m", "mercato", "search", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("lake")
def test_the_commands_index_the_lake_and_find_in_it(searching: Settings) -> None:
    unasked = _mercato(searching, "query", "egs")
    assert unasked.returncode == 1
    assert "`mercato search index`" in unasked.stderr
    indexed = _mercato(searching, "index", "--json")
    assert json.loads(indexed.stdout)["documents"] == 2
    found = json.loads(_mercato(searching, "query", "egs", "--json").stdout)
    assert [each["document"]["product_id"] for each in found["hits"]] == [1]
    assert "Bananas" in _mercato(searching, "query", "banana").stdout


@pytest.mark.usefixtures("index")
def test_the_api_answers_cards_facets_and_suggestions(searching: Settings) -> None:
    with TestClient(create_app(searching)) as client:
        answer = client.get("/v1/products/search?q=frozn+pizza&department=GROCERY&size=1").json()
        names = client.get("/v1/products/suggestions?q=froz").json()
        card = client.get("/v1/products/1")
    (hit,) = answer["hits"]
    assert (answer["total"], answer["relaxed"]) == (2, False)
    assert {**hit, "score": None} == {
        "product_id": 1,
        "name": "Frozen pizza",
        "aisle": "Frozen",
        "category": "Frozen pizza",
        "department": "Grocery",
        "brand": "National",
        "size": "13 oz",
        "price": None,
        "rank": 1,
        "score": None,
    }
    assert answer["facets"]["department"] == [
        {"value": "GROCERY", "name": "Grocery", "count": 2},
        {"value": "DELI", "name": "Deli", "count": 1},
    ]
    assert names == {"query": "froz", "names": ["Frozen pizza"]}
    assert card.json()["type"] == "/problems/unknown_product"  # the shelf's, not the search's


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "opensearch is not running: start it with `mercato up opensearch`"),
        ("gone", "does not answer (ConnectionError): start it with `mercato up opensearch`"),
        ("empty", "has no catalogue: `mercato search index` puts it there"),
    ],
)
def test_the_api_says_what_to_do_where_nothing_can_be_found(
    searching: Settings, address: str | None, said: str
) -> None:
    urls = {None: None, "gone": f"http://127.0.0.1:{free_port()}", "empty": searching.opensearch_url}
    settings = searching.model_copy(update={"opensearch_url": urls[address]})
    with TestClient(create_app(settings)) as client:
        for path in ("search", "suggestions"):
            answer = client.get(f"/v1/products/{path}?q=milk")
            problem = answer.json()
            assert (answer.status_code, problem["type"]) == (503, "/problems/search_unavailable")
            assert said in problem["detail"]
            assert answer.headers["retry-after"] == "2"


def test_the_api_finds_an_engine_that_came_back_elsewhere(searching: Settings) -> None:
    wrong = Settings(home=searching.home, opensearch_index=searching.opensearch_index)
    wrong.endpoints_file.parent.mkdir(parents=True)
    wrong.endpoints_file.write_text(json.dumps({"opensearch_url": f"http://127.0.0.1:{free_port()}"}))
    ProductIndex(searching).rebuild(shelf())
    with TestClient(create_app(wrong)) as client:
        assert client.get("/v1/products/search?q=milk").status_code == 503
        wrong.endpoints_file.write_text(json.dumps({"opensearch_url": searching.opensearch_url}))
        assert client.get("/v1/products/search?q=milk").json()["hits"][0]["product_id"] == 3
