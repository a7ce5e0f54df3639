"""The function that keeps the product index up to date (Python 3.13)."""

from __future__ import annotations

from infra.artifacts.artifact import Artifact
from infra.artifacts.functions import function

ARTIFACTS: tuple[Artifact, ...] = (
    function(
        "search",
        "the catalogue into the product index",
        "mercato",
        "lambdas/__init__.py",
        "lambdas/msk.py",
        "lambdas/search",
    ),
)
