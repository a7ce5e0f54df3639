"""What all sections share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=1, le=3650)]


class Section(BaseModel):
    """Values that nobody changes once they are read; one that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
