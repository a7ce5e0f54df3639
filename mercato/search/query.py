"""What is asked of the index, and what its answer means: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mercato.contracts.search import DOCUMENT, ProductDocument
from mercato.search.mapping import typed_fields, whole_name

#: Characters that may be looked for: more words than OpenSearch takes in one search would fit into thousands.
MAX_TYPED = 200
#: Values in a facet; the catalogue has 32 departments and 2 brands.
_FACET_SIZE = 50
#: How much a thousandfold popularity adds to a score, as a share of it, for each power of ten.
_POPULARITY_WEIGHT = 0.15
_FACETS = (DOCUMENT.department, DOCUMENT.brand)
_VALUES, _MATCHING = "values", "matching"
#: Of two words both, of more three quarters.
_ENOUGH = "2<75%"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a shopper wants to find.

    Attributes:
        text: as typed.
        department, brand: only of these, as in products.v1.
        any_word: whether one of several words is enough.
        size: at most so many products.
        offset: products to leave out.
    """

    text: str
    department: str | None = None
    brand: str | None = None
    any_word: bool = False
    size: int = 20
    offset: int = 0


@dataclass(frozen=True)
class Hit:
    """A product that was found, and how well it fits; comparable within one answer only."""

    document: ProductDocument
    score: float


@dataclass(frozen=True)
class FacetValue:
    """A value that a search can be narrowed to, and how many products that would leave."""

    value: str
    count: int


@dataclass(frozen=True)
class Found:
    """An answer.

    Attributes:
        total: all products that fit.
        matching: those that fit whatever department and brand they are of.
        took_ms: OpenSearch's own time.
        facets: values by field, most products first. A facet is not narrowed by its own choice.
        relaxed: whether they have only some of the words, as none had more.
    """

    total: int
    matching: int
    took_ms: int
    hits: list[Hit]
    facets: dict[str, list[FacetValue]]
    relaxed: bool = False


def search_body(question: Question) -> dict[str, Any]:
    """The search that answers a question."""
    chosen = {
        field: {"term": {field: value}}
        for field, value in ((DOCUMENT.department, question.department), (DOCUMENT.brand, question.brand))
        if value is not None
    }
    return {
        "from": question.offset,
        "size": question.size,
        "track_total_hits": True,
        "query": _popular_first(_words(question)),
        "post_filter": {"bool": {"filter": list(chosen.values())}},
        # Unlike the total, aggregations see what the filter leaves out.
        "aggs": {field: _facet(field, chosen) for field in _FACETS}
        | {_MATCHING: {"filter": {"match_all": {}}}},
        # Of two that fit alike the same one comes first each time.
        "sort": ["_score", {DOCUMENT.product_id: "asc"}],
    }


def suggestion_body(typed: str, size: int) -> dict[str, Any]:
    """The search for names that begin as what is typed, each once."""
    prefix = {
        "multi_match": {"query": typed, "type": "bool_prefix", "operator": "and", "fields": typed_fields()}
    }
    return {
        "size": size,
        "query": _popular_first(prefix),
        "collapse": {"field": whole_name()},
        "_source": [DOCUMENT.name],
    }


def found(answer: Mapping[str, Any], *, relaxed: bool = False) -> Found:
    """What the answer to a search says."""
    hits, counted = answer["hits"], answer["aggregations"]
    return Found(
        total=hits["total"]["value"],
        matching=counted[_MATCHING]["doc_count"],
        took_ms=answer["took"],
        hits=[
            Hit(msgspec.convert(each["_source"], ProductDocument), each["_score"]) for each in hits["hits"]
        ],
        facets={
            field: [
                FacetValue(bucket["key"], bucket["doc_count"])
                for bucket in counted[field][_VALUES]["buckets"]
            ]
            for field in _FACETS
        },
        relaxed=relaxed,
    )


def suggested(answer: Mapping[str, Any]) -> list[str]:
    """The names in the answer to a search for suggestions."""
    return [each["_source"][DOCUMENT.name] for each in answer["hits"]["hits"]]


def _words(question: Question) -> dict[str, Any]:
    """Enough of the words, though misspelt; better all, better if spelt so, better if in the name."""
    text = question.text
    spelt = {"query": text, "operator": "and"}
    fuzzy = {"query": text, "fuzziness": "AUTO", "prefix_length": 1}
    return {
        "bool": {
            "must": {
                "match": {
                    DOCUMENT.words: fuzzy | {"minimum_should_match": 1 if question.any_word else _ENOUGH}
                }
            },
            "should": [
                {"match": {DOCUMENT.words: spelt | {"boost": 3}}},
                {"match": {DOCUMENT.words: fuzzy | {"operator": "and"}}},
                {"match": {DOCUMENT.name: {"query": text, "boost": 2}}},
                {"match": {DOCUMENT.name: fuzzy}},
            ],
        }
    }


def _popular_first(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query whose scores grow with the logarithm of how much a product is bought."""
    popularity = {"field": DOCUMENT.popularity, "modifier": "log1p", "missing": 0}
    return {
        "function_score": {
            "query": query,
            "functions": [
                {"weight": 1},
                {"field_value_factor": popularity, "weight": _POPULARITY_WEIGHT},
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }


def _facet(field: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    others = [term for name, term in chosen.items() if name != field]
    values = {"terms": {"field": field, "size": _FACET_SIZE}}
    return {"filter": {"bool": {"filter": others}}, "aggs": {_VALUES: values}}
