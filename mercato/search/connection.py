"""How OpenSearch is reached: on this machine, or on AWS as this process's role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import opensearchpy
from opensearchpy.exceptions import ConnectionError as NoAnswerError
from opensearchpy.exceptions import NotFoundError, TransportError

from mercato.search.errors import SearchUnavailableError
from mercato.settings import Settings

#: What OpenSearch Service is called in a signature.
_SERVICE = "es"


def connect(settings: Settings, timeout: float) -> opensearchpy.OpenSearch:
    """A client with a connection pool; nothing is connected yet.

    Args:
        timeout: seconds for each request.

    Raises:
        mercato.settings.NotRunningError: OpenSearch has no address.
        SearchUnavailableError: this process has no AWS credentials to sign with.
    """
    own: dict[str, Any] = {}
    if settings.opensearch_auth == "iam":
        own["http_auth"] = _signer()
    return opensearchpy.OpenSearch(
        settings.require("opensearch_url"), timeout=timeout, max_retries=0, pool_maxsize=16, **own
    )


def _signer() -> Any:
    import boto3

    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        raise SearchUnavailableError(
            "MERCATO_OPENSEARCH_AUTH is iam, but there are no AWS credentials and region: set AWS_PROFILE."
        )
    return opensearchpy.Urllib3AWSV4SignerAuth(credentials, session.region_name, _SERVICE)


@contextmanager
def answering() -> Iterator[None]:
    """Turn a failed request into what a person can do about it.

    The API tells it to its callers, so it names no address, which may hold a password, and quotes no answer.

    Raises:
        SearchUnavailableError: OpenSearch gave no answer, an error, or has no catalogue.
    """
    try:
        yield
    except NotFoundError as error:
        raise SearchUnavailableError(
            "OpenSearch has no catalogue: `mercato search index` puts it there."
        ) from error
    except NoAnswerError as error:
        raise SearchUnavailableError(
            f"OpenSearch does not answer ({type(error).__name__}): start it with "
            "`mercato up opensearch`, or correct MERCATO_OPENSEARCH_URL."
        ) from error
    except TransportError as error:
        answered = f"{error.status_code}{_kind(error)}"
        raise SearchUnavailableError(
            f"OpenSearch answered {answered}: try again in a moment; its log says more."
        ) from error


def _kind(error: TransportError) -> str:
    """Its word for what went wrong. Where it has none, the client gives the whole answer, ARNs and all."""
    return f" {error.error}" if re.fullmatch("[a-z_]+", str(error.error)) else ""
