"""What people are told when OpenSearch refuses."""

from __future__ import annotations

import pytest
from opensearchpy.exceptions import AuthorizationException, TransportError

from mercato.search.connection import answering
from mercato.search.errors import SearchUnavailableError

ARN = "arn:aws:sts::123456789012:assumed-role/mercato-prod-api"


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (AuthorizationException(403, f'{{"Message":"User: {ARN} is not authorized"}}', {}), "answered 403:"),
        (TransportError(429, "circuit_breaking_exception", {}), "answered 429 circuit_breaking_exception:"),
    ],
)
def test_its_kind_is_told_and_no_more(refusal: TransportError, told: str) -> None:
    with pytest.raises(SearchUnavailableError, match=told) as error, answering():
        raise refusal
    assert ARN not in str(error.value)
