"""Scores of rows, from a model that may be gone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from lambdas.api.endpoints import NPY, Answer, ModelEndpoint, ScorerUnavailableError
from lambdas.circuit import Circuit
from mercato_models.rows import EXPLAINED

Found = TypeVar("Found", bound=Sized)

_VERSION = re.compile(r"\bmodel_version=([^,;\s]+)")
_TRIED_AGAIN = "the scorer failed several times in a row; it is tried again shortly"


@dataclass(frozen=True, slots=True)
class Explained:
    """A score, and the features that raised it, the strongest first.

    Attributes:
        contributions: what each adds to the log odds.
        values: of these features, if known.
    """

    score: float
    contributions: list[tuple[str, float]]
    values: dict[str, float]


class _Reason(msgspec.Struct):
    feature: str
    value: float | None
    contribution: float


class _Prediction(msgspec.Struct):
    score: float
    reasons: list[_Reason]


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]


_READ = msgspec.json.Decoder(_Predictions)


class Scorer:
    """Scores rows. Safe to use from several threads.

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
        return self._ask(features, NPY, _scores)

    def explain(self, rows: NDArray[np.float32]) -> list[Explained]:
        """Score per row, with what raised it.

        Raises:
            ScorerUnavailableError: no scores within the timeouts, or the circuit is open.
        """
        return self._ask(rows, EXPLAINED, _explained)

    def _ask(self, rows: NDArray[np.float32], accept: str, read: Callable[[bytes], Found]) -> Found:
        if not self.circuit.allows():
            raise ScorerUnavailableError(_TRIED_AGAIN)
        body = io.BytesIO()
        np.save(body, rows)
        try:
            answer = self._endpoint.invoke(body.getvalue(), accept)
            result = read(answer.body)
            if len(result) != len(rows):
                raise ScorerUnavailableError(f"{len(result)} scores for {len(rows)} rows")
        except (ScorerUnavailableError, ValueError, msgspec.MsgspecError) as error:
            self.circuit.failed()
            self._endpoint.forget()
            raise ScorerUnavailableError(str(error)) from error
        self.circuit.succeeded()
        self._note(answer)
        return result

    def ping(self) -> None:
        """Return if the model is healthy; where it cannot be asked, if it scored when last it had to.

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
        if match := _VERSION.search(answer.attributes):
            self.model_version = match[1]


def _scores(body: bytes) -> NDArray[np.float64]:
    # Not `np.load`, which takes other formats, too, and fails in as many ways.
    array = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
    scores: NDArray[np.float64] = array.ravel().astype(np.float64)
    return scores


def _explained(body: bytes) -> list[Explained]:
    return [
        Explained(
            each.score,
            [(reason.feature, reason.contribution) for reason in each.reasons],
            {reason.feature: reason.value for reason in each.reasons if reason.value is not None},
        )
        for each in _READ.decode(body).predictions
    ]
