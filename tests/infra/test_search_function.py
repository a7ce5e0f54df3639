"""The search on Lambda in the form in which it ships, over a real OpenSearch that asks for signatures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials

from mercato.contracts.events import PRODUCTS
from mercato.local.ports import free_port
from mercato.search.products import ProductSearch
from mercato.search.query import Question
from mercato.settings import Settings
from tests.infra.lambda_runtime import LIMIT_BYTES, Runtime, body, request, size_of
from tests.infra.signed_proxy import Proxy, signed_proxy
from tests.products import WHEN, product
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(600)]

KEY, SECRET, REGION = "AKIDEXAMPLE", "shared", "eu-central-1"
#: What a bundle with nothing needless stays below.
SMALL = 0.2


@pytest.fixture
def domain(searching: Settings) -> Iterator[Proxy]:
    with signed_proxy(searching.require("opensearch_url"), Credentials(KEY, SECRET), REGION) as proxy:
        yield proxy


def _environment(domain: Proxy, searching: Settings, secret: str = SECRET) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
        "MERCATO_HOME": str(searching.home / "lambda"),
        "MERCATO_OPENSEARCH_URL": domain.url,
        "MERCATO_OPENSEARCH_INDEX": searching.opensearch_index,
        "MERCATO_OPENSEARCH_AUTH": "iam",
    }


def _batch(*values: bytes | None) -> dict[str, Any]:
    """Records of products.v1, as an MSK event source gives them."""
    shared = {"topic": PRODUCTS.name, "partition": 0, "timestampType": "CREATE_TIME", "headers": []}
    records = [
        shared
        | {
            "offset": offset,
            "timestamp": int(datetime.now(UTC).timestamp() * 1000),
            "key": base64.b64encode(b"1").decode(),
            "value": None if value is None else base64.b64encode(value).decode(),
        }
        for offset, value in enumerate(values)
    ]
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:eu-central-1:000000000000:cluster/mercato/x",
        "bootstrapServers": "b-1:9098",
        "records": {f"{PRODUCTS.name}-0": records},
    }


@pytest.mark.exercises("function-search")
def test_products_from_msk_are_found_once(runtime: Runtime, domain: Proxy, searching: Settings) -> None:
    changed = product(2, "EGGS - LARGE", event_time=WHEN + timedelta(days=1))
    values = [*map(PRODUCTS.encode, (product(1), changed, product(2))), b"{", b'{"product_id": 7}', None]
    invoked = runtime.invoke("search", _batch(*values), _batch(*values), **_environment(domain, searching))
    first, again = invoked.answers
    # The older state of product 2 comes after the newer one and changes nothing.
    assert first == {"written": 2, "unchanged": 1, "invalid": 3}
    assert again == {"written": 0, "unchanged": 3, "invalid": 3}
    search = ProductSearch(searching)
    eggs = eventually(lambda: search.find(Question(text="egg")).hits or False)
    assert [hit.document.product_id for hit in eggs] == [2]
    assert search.find(Question(text="bananas")).total == 1
    assert 403 not in domain.statuses
    assert size_of(runtime.unzipped("function-search")) < SMALL * LIMIT_BYTES


@pytest.mark.exercises("function-search")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "answered 403"),
        ({"MERCATO_OPENSEARCH_URL": f"http://127.0.0.1:{free_port()}"}, "does not answer"),
    ],
)
def test_a_function_that_may_not_or_cannot_write_fails_with_the_reason(
    runtime: Runtime, domain: Proxy, searching: Settings, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        runtime.invoke("search", _batch(), **_environment(domain, searching) | changed)


@pytest.mark.exercises("function-api")
def test_the_api_on_lambda_searches_with_signatures(
    runtime: Runtime, domain: Proxy, searching: Settings
) -> None:
    environment = _environment(domain, searching)
    runtime.invoke("search", _batch(PRODUCTS.encode(product(1))), **environment)
    search = ProductSearch(searching)
    assert eventually(lambda: search.find(Question(text="banana")).total == 1)
    found, names, without = runtime.invoke(
        "api",
        request("GET", "/v1/products/search", query="q=banana&department=GROCERY"),
        request("GET", "/v1/products/suggestions", query="q=ban"),
        request("GET", "/v1/products/search"),
        **environment,
    ).answers
    assert [hit["product_id"] for hit in json.loads(body(found))["hits"]] == [1]
    assert json.loads(body(names))["names"] == ["Bananas"]
    assert without["statusCode"] == 422
    assert 403 not in domain.statuses
