"""What answers of the API and of the panel begin with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Base of every answer; `model_` is no reserved prefix here."""

    model_config = ConfigDict(protected_namespaces=(), frozen=True)


class WhyPart(Answer):
    """One reason."""

    code: str = Field(description="For programs.", examples=["bought_before"])
    text: str = Field(
        description="For people.", examples=["You bought it 6 times, about every 12 days; last 14 days ago"]
    )
