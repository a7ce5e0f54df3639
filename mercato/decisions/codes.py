"""Codes for what people are told of a model's features: many features, few reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Code = TypeVar("Code", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Codes(Generic[Code]):
    """Which reason a feature belongs to.

    Attributes:
        beginnings: of features' names, each with its reason; the first that fits counts.
    """

    beginnings: tuple[tuple[str, Code], ...]

    def of(self, feature: str) -> Code:
        """The reason to which a feature belongs.

        Raises:
            ValueError: to none; every feature of the model must have one.
        """
        for beginning, reason in self.beginnings:
            if feature.startswith(beginning):
                return reason
        raise ValueError(f"feature {feature!r} belongs to no reason: add its beginning where reasons are")

    def strongest(self, contributions: Iterable[tuple[str, float]], most: int = 3) -> list[Code]:
        """Reasons that raise the score, the strongest first.

        Args:
            contributions: each feature's share in the log odds (SHAP values).
            most: how many at most.
        """
        total: dict[Code, float] = {}
        for feature, share in contributions:
            reason = self.of(feature)
            total[reason] = total.get(reason, 0.0) + share
        ordered = sorted(total, key=lambda each: (-total[each], each))
        return [reason for reason in ordered if total[reason] > 0][:most]
