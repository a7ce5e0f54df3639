"""The product index from an MSK event source on products.v1: `lambdas.search.handler.handler`."""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any

from lambdas import msk
from mercato.contracts.events import PRODUCTS, Product, Violation
from mercato.search.documents import document
from mercato.search.index import ProductIndex
from mercato.settings import get_settings

log = logging.getLogger()
log.setLevel(logging.INFO)

_index = ProductIndex(get_settings())
_index.ensure()


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Write a batch of products to the index.

    What breaks the contract is logged and passed over: the lake's quarantine keeps it. So a batch is
    either done, or OpenSearch is gone and Lambda gives it again, which changes nothing twice.

    Raises:
        mercato.search.errors.SearchUnavailableError: OpenSearch does not take the batch.
    """
    records = list(itertools.chain.from_iterable(event["records"].values()))
    decoded = [PRODUCTS.decode(msk.value(record), msk.received_at(record)) for record in records]
    for record, result in zip(records, decoded, strict=True):
        if isinstance(result, Violation):
            log.warning(json.dumps(_described(record, result)))
    products = [result for result in decoded if isinstance(result, Product)]
    counts = _index.upsert(map(document, products))
    return {
        "written": counts.written,
        "unchanged": counts.unchanged,
        "invalid": len(records) - len(products),
    }


def _described(record: dict[str, Any], violation: Violation) -> dict[str, Any]:
    """Where a refused record is, and why."""
    place = {name: record[name] for name in ("topic", "partition", "offset")}
    return place | {"code": violation.code, "field": violation.field, "reason": violation.reason}
