"""Codes for what people are told of a model's features: many features, few reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import nan
from typing import Generic, TypeVar

Code = TypeVar("Code", bound=StrEnum)
#: Values of features by name, NaN or missing if unknown.
Values = Mapping[str, float]
Condition = Callable[[Values], bool]


def above(feature: str, bound: float) -> Condition:
    """That a feature is known, and above a bound."""
    return lambda values: values.get(feature, nan) > bound


def below(feature: str, bound: float) -> Condition:
    """That a feature is known, and below a bound."""
    return lambda values: values.get(feature, nan) < bound


def either(*conditions: Condition) -> Condition:
    """That one of these holds, or more."""
    return lambda values: any(condition(values) for condition in conditions)


@dataclass(frozen=True, slots=True)
class Codes(Generic[Code]):
    """Which reason a feature belongs to, and when it may be told.

    A feature may raise a score by being low where its reason says that it is high: a model compares with what
    is usual, and not with nothing.

    Attributes:
        beginnings: of features' names, each with its reason; the first that fits counts.
        true_if: when that is true which a reason says; of the others it always is.
    """

    beginnings: tuple[tuple[str, Code], ...]
    true_if: Mapping[Code, Condition] = field(default_factory=dict)

    def of(self, feature: str) -> Code:
        """The reason to which a feature belongs.

        Raises:
            ValueError: to none; every feature of the model must have one.
        """
        for beginning, reason in self.beginnings:
            if feature.startswith(beginning):
                return reason
        raise ValueError(f"feature {feature!r} belongs to no reason: add its beginning where reasons are")

    def strongest(
        self, contributions: Iterable[tuple[str, float]], values: Values, most: int = 3
    ) -> list[Code]:
        """Reasons that raise the score and are true, the strongest first.

        Args:
            contributions: each feature's share in the log odds (SHAP values).
            values: of the features.
            most: how many at most.
        """
        total: dict[Code, float] = {}
        for feature, share in contributions:
            reason = self.of(feature)
            total[reason] = total.get(reason, 0.0) + share
        ordered = sorted(total, key=lambda each: (-total[each], each))
        return [each for each in ordered if total[each] > 0 and self._may_be_told(each, values)][:most]

    def _may_be_told(self, reason: Code, values: Values) -> bool:
        condition = self.true_if.get(reason)
        return condition is None or condition(values)
