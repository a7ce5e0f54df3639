"""Scores of feature rows, from a model that may be gone."""

from __future__ import annotations

import io
import re

import numpy as np
from numpy.typing import NDArray

from lambdas.api.circuit import Circuit
from lambdas.api.endpoints import Answer, ModelEndpoint, ScorerUnavailableError

_VERSION = re.compile(r"\bmodel_version=([^,;\s]+)")
_TRIED_AGAIN = "the scorer failed several times in a row; it is tried again shortly"


class Scorer:
    """Scores feature rows. Safe to use from several threads.

    Attributes:
        model_version: as the model names it, `None` until it did.
    """

    def __init__(self, endpoint: ModelEndpoint) -> None:
        self._endpoint = endpoint
        self.circuit = Circuit()
        self.model_version: str | None = None

    @property
    def started(self) -> bool:
        """Whether a scorer was ever started."""
        return self._endpoint.known

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score per row of `features` (candidates x model features).

        Raises:
            ScorerUnavailableError: no scores within the timeouts, or the circuit is open.
        """
        if not self.circuit.allows():
            raise ScorerUnavailableError(_TRIED_AGAIN)
        body = io.BytesIO()
        np.save(body, features)
        try:
            answer = self._endpoint.invoke(body.getvalue())
            scores = np.load(io.BytesIO(answer.body), allow_pickle=False).ravel()
            if len(scores) != len(features):
                raise ScorerUnavailableError(f"{len(scores)} scores for {len(features)} rows")
        except (ScorerUnavailableError, ValueError) as error:
            self.circuit.failed()
            self._endpoint.forget()
            raise ScorerUnavailableError(str(error)) from error
        self.circuit.succeeded()
        self._note(answer)
        return np.asarray(scores, dtype=np.float64)

    def ping(self) -> None:
        """Return if the model is healthy; where it can't be asked, if it scored when last it had to.

        Raises:
            ScorerUnavailableError: it is not.
        """
        answer = self._endpoint.ping()
        if answer is not None:
            self._note(answer)
        elif self.circuit.state == "open":
            raise ScorerUnavailableError(_TRIED_AGAIN)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.forget()

    def _note(self, answer: Answer) -> None:
        if said := _VERSION.search(answer.attributes):
            self.model_version = said[1]
