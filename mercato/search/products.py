"""Find products."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mercato.search.errors import SearchUnavailableError
from mercato.search.query import Found, Question, found, search_body, suggested, suggestion_body
from mercato.settings import Settings

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

#: Seconds after which nobody waits any more.
TIMEOUT = 2.0


class ProductSearch:
    """Asks the index. Safe to use from several threads.

    Args:
        settings: where OpenSearch is; read when it is first asked, and again when it did not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: OpenSearch | None = None

    def find(self, question: Question) -> Found:
        """Products that fit, best first; where none has enough of the words, those that have any.

        Raises:
            mercato.settings.NotRunningError: OpenSearch has no address.
            SearchUnavailableError: it does not answer, or has no catalogue.
        """
        answer = found(self._ask(search_body(question)))
        if answer.matching or question.any_word:
            return answer
        return found(self._ask(search_body(dataclasses.replace(question, any_word=True))), relaxed=True)

    def suggest(self, typed: str, size: int) -> list[str]:
        """Names of products that begin as what is typed, the most bought first.

        Raises:
            mercato.settings.NotRunningError: OpenSearch has no address.
            SearchUnavailableError: it does not answer, or has no catalogue.
        """
        return suggested(self._ask(suggestion_body(typed, size)))

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        # Here, because it takes half a second, for which a function's first answer need not wait.
        from mercato.search.connection import answering, connect

        client = self._client
        if client is None:
            client = self._client = connect(self._settings, TIMEOUT)
        try:
            with answering():
                answer: Mapping[str, Any] = client.search(index=self._settings.opensearch_index, body=body)
                return answer
        except SearchUnavailableError:
            self.close()
            raise
