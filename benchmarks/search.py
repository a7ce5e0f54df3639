"""Product search: how fast the year's catalogue is indexed and asked, and how often it finds what is meant.

python -m benchmarks.search --queries 500

Known items: a product that is bought (the more, the likelier) is looked for by its own words. Found is the
product or one that nobody could tell from it: same name, brand and size. MRR@10 is the mean of 1/rank of the
first such, 0 where it is not among ten. The peer is what OpenSearch does unasked: the events as they come,
dynamic mapping, one `multi_match` over their texts. The questions are made of the same words as our
documents, all but `till`, which is the catalogue's own abbreviations, as the peer has them.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from opensearchpy import OpenSearch, helpers

from benchmarks.machine import describe_machine, write_result
from mercato.contracts.events import PRODUCTS, Product
from mercato.contracts.search import ProductDocument
from mercato.local.supervisor import Stack
from mercato.replay.dataset import Dataset
from mercato.search.connection import connect
from mercato.search.documents import document
from mercato.search.index import TIMEOUT, ProductIndex
from mercato.search.products import ProductSearch
from mercato.search.query import Question
from mercato.settings import Settings, get_settings

_P = PRODUCTS.c
_TEXTS = (_P.department, _P.brand, _P.category, _P.product_type, _P.package_size)
_RAW = "raw"
_FIRST = 10
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_LAST_WEEKS = 13

Ask = Callable[[str], Sequence[int]]
Alike = tuple[str, str, str | None]


def catalogue() -> Iterator[tuple[Product, float]]:
    """Every product of the year, and in how many baskets of its last weeks it was."""
    dataset = Dataset()
    recent = dataset.lines.week > dataset.lines.week.max() - _LAST_WEEKS
    bought = np.unique(dataset.lines.product_id[recent], return_counts=True)
    baskets = dict(zip(*map(np.ndarray.tolist, bought), strict=True))
    products = vars(dataset.catalogue) | {_P.product_id: dataset.catalogue.product_id.tolist()}
    for row in zip(*products.values(), strict=True):
        fields = dict(zip(products, row, strict=True))
        number = fields[_P.product_id]
        yield Product(event_id=str(number), event_time=_WHEN, **fields), float(baskets.get(number, 0))


def misspelt(text: str, chance: random.Random) -> str:
    """The text with one letter of its longest word dropped, doubled, swapped with the next or another."""
    word = max(text.split(), key=len)
    at = chance.randrange(1, max(2, len(word) - 1))
    kind = chance.randrange(4)
    pair = word[at : at + 2]
    wrong = ("", word[at] * 2, pair[::-1], chance.choice("aeiourstn"))[kind]
    return text.replace(word, word[:at] + wrong + word[at + (2 if kind == 2 else 1) :], 1)


def questions(
    products: Sequence[tuple[Product, ProductDocument]], chance: random.Random
) -> Mapping[str, list[str]]:
    """For each way to ask, one text for each product."""
    named = [found.name for _, found in products]
    return {
        "name": named,
        "name_misspelt": [misspelt(name, chance) for name in named],
        "name_brand_size": [
            " ".join([found.name, found.brand, event.package_size or ""]) for event, found in products
        ],
        "name_and_category_misspelt": [misspelt(" ".join(found.words[:2]), chance) for _, found in products],
        "till": [str(event.product_type) for event, _ in products],
    }


def judge(
    ask: Ask, texts: Sequence[str], meant: Sequence[Alike], alike: Mapping[int, Alike]
) -> dict[str, float]:
    """How often and how fast an engine finds what is meant."""
    ranks, seconds = [], []
    for text, wanted in zip(texts, meant, strict=True):
        started = time.perf_counter()
        answer = ask(text)
        seconds.append(time.perf_counter() - started)
        ranks.append(next((rank for rank, found in enumerate(answer, 1) if alike[found] == wanted), None))
    spread = statistics.quantiles(seconds, n=100)
    return {
        "mrr_at_10": round(statistics.fmean(1 / rank if rank else 0 for rank in ranks), 4),
        "found_in_10": round(statistics.fmean(rank is not None for rank in ranks), 4),
        "p50_ms": round(1000 * spread[49], 1),
        "p99_ms": round(1000 * spread[98], 1),
    }


def index_raw(client: OpenSearch, events: Sequence[Product]) -> None:
    """The peer: every event as it comes."""
    actions = (
        {"_index": _RAW, "_id": each.product_id, **{name: getattr(each, name) for name in _TEXTS}}
        for each in events
    )
    helpers.bulk(client, actions, chunk_size=1_000)
    client.indices.refresh(index=_RAW)


def raw(client: OpenSearch) -> Ask:
    """How the peer is asked."""

    def ask(text: str) -> Sequence[int]:
        query = {"multi_match": {"query": text, "fields": list(_TEXTS)}}
        found = client.search(index=_RAW, body={"query": query, "size": _FIRST, "_source": False})
        return [int(hit["_id"]) for hit in found["hits"]["hits"]]

    return ask


def measure(settings: Settings, queries: int) -> dict[str, Any]:
    """Index the catalogue both ways, and ask both the same."""
    everything = list(catalogue())
    documents = [document(*each) for each in everything]
    alike = {each.product_id: (each.name, each.brand, each.package_size) for each in documents}
    started = time.perf_counter()
    ProductIndex(settings).rebuild(documents)
    indexing = time.perf_counter() - started
    client = connect(settings, TIMEOUT)
    started = time.perf_counter()
    index_raw(client, [event for event, _ in everything])
    indexing_raw = time.perf_counter() - started

    described = [
        (event, found) for (event, _), found in zip(everything, documents, strict=True) if event.product_type
    ]
    weights = [float(found.popularity or 0) for _, found in described]
    chance = random.Random(7)
    drawn = chance.choices(described, weights, k=queries)
    meant = [alike[event.product_id] for event, _ in drawn]
    search = ProductSearch(settings)

    def ours(text: str) -> Sequence[int]:
        return [hit.document.product_id for hit in search.find(Question(text=text, size=_FIRST)).hits]

    engines: dict[str, Ask] = {"mercato": ours, "multi_match": raw(client)}
    asked = questions(drawn, chance)
    for ask in engines.values():
        for text in asked["name"][:50]:
            ask(text)
    return {
        "products": len(documents),
        "queries": queries,
        "indexing_seconds": round(indexing, 1),
        "multi_match_indexing_seconds": round(indexing_raw, 1),
        "asked": {
            kind: {name: judge(ask, texts, meant, alike) for name, ask in engines.items()}
            for kind, texts in asked.items()
        },
    }


def main() -> None:
    """Measure and write `bench/search.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=500, help="of each kind")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mercato-bench-") as folder:
        settings = Settings(home=Path(folder), jars_dir=get_settings().jars_dir)
        stack = Stack(settings)
        machine = describe_machine()
        try:
            stack.up(["opensearch"])
            figures = measure(settings, chosen.queries)
        finally:
            stack.down()
    print(write_result("search", {"machine": machine, **figures}), file=sys.stderr)


if __name__ == "__main__":
    main()
