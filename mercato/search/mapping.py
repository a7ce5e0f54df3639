"""The index's settings and mapping, derived from the contract of its documents."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

from msgspec import inspect as mi

from mercato.contracts.search import DOCUMENT, ProductDocument

#: Subfields: of words, the ones that complete what is typed; of a typed text, the whole of it.
TYPED, WHOLE = "typed", "whole"
_INDEXING, _ASKING = "catalogue", "question"
_SCALARS: dict[type[mi.Type], str] = {
    mi.BoolType: "boolean",
    mi.IntType: "long",
    mi.FloatType: "float",
    mi.StrType: "keyword",
    mi.DateTimeType: "date",
}
_WORDS = {"type": "text", "analyzer": _INDEXING, "search_analyzer": _ASKING}
_MARKED: dict[str, dict[str, Any]] = {
    "words": _WORDS,
    "typed": _WORDS
    | {
        "fields": {
            TYPED: {"type": "search_as_you_type", "analyzer": "simple_words"},
            WHOLE: {"type": "keyword"},
        }
    },
}


def template(pattern: str) -> dict[str, Any]:
    """Index template of the catalogue's indices.

    Args:
        pattern: that their names match.
    """
    return {"index_patterns": [pattern], "template": {"settings": settings(), "mappings": mapping()}}


def mapping() -> dict[str, Any]:
    """Field types of a document; a field that the contract does not name is refused.

    Raises:
        TypeError: the contract has a field of a type that has no counterpart in an index.
    """
    info = mi.type_info(ProductDocument)
    assert isinstance(info, mi.StructType)
    return {"dynamic": "strict", "properties": {each.encode_name: _field(each.type) for each in info.fields}}


def settings() -> dict[str, Any]:
    """How texts become words. Synonyms are added to what is asked; documents hold their own words alone."""
    words = ["lowercase", "asciifolding", "stemmed"]
    split = {"tokenizer": "standard", "char_filter": ["size_apart"]}
    return {
        "number_of_shards": 1,  # 92,000 products are 30 MB
        "auto_expand_replicas": "0-1",
        "analysis": {
            "char_filter": {
                # 16oz is asked for, 16 OZ is what the till says.
                "size_apart": {
                    "type": "pattern_replace",
                    "pattern": r"(\d)(?=[A-Za-z])",
                    "replacement": "$1 ",
                }
            },
            "filter": {
                "stemmed": {"type": "stemmer", "language": "light_english"},
                "same": {"type": "synonym_graph", "synonyms": synonyms()},
            },
            "analyzer": {
                _INDEXING: split | {"filter": words},
                _ASKING: split | {"filter": ["lowercase", "asciifolding", "same", "stemmed"]},
                "simple_words": {"tokenizer": "standard", "filter": ["lowercase", "asciifolding"]},
            },
        },
    }


@functools.cache
def synonyms() -> list[str]:
    """The rules of `synonyms.txt`."""
    lines = (resources.files("mercato.search") / "synonyms.txt").read_text().splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def typed_fields() -> list[str]:
    """Fields that a bool_prefix query completes the name by."""
    field = f"{DOCUMENT.name}.{TYPED}"
    return [field, f"{field}._2gram", f"{field}._3gram"]


def whole_name() -> str:
    """Field that holds the name as one."""
    return f"{DOCUMENT.name}.{WHOLE}"


def _field(info: mi.Type) -> dict[str, Any]:
    if isinstance(info, mi.Metadata):
        marked = (info.extra or {}).get("search")
        return _MARKED[marked] if marked else _field(info.type)
    if isinstance(info, mi.UnionType):
        (only,) = (each for each in info.types if not isinstance(each, mi.NoneType))
        return _field(only)
    if type(info) not in _SCALARS:
        raise TypeError(f"no index type for {info}")
    return {"type": _SCALARS[type(info)]}
