"""What a deploy ships."""

from __future__ import annotations

from collections.abc import Mapping

from infra.artifacts import dags, features, flink, functions, jobs, models, search
from infra.artifacts.artifact import Artifact, BuildError

_ALL: tuple[Artifact, ...] = (
    *jobs.ARTIFACTS,
    *dags.ARTIFACTS,
    *features.ARTIFACTS,
    *flink.ARTIFACTS,
    *functions.ARTIFACTS,
    *search.ARTIFACTS,
    *models.ARTIFACTS,
)
ARTIFACTS: Mapping[str, Artifact] = {each.name: each for each in _ALL}


def artifact(name: str) -> Artifact:
    """The artifact of that name.

    Raises:
        BuildError: there is none.
    """
    if name not in ARTIFACTS:
        raise BuildError(f"No artifact named {name}; there are {', '.join(ARTIFACTS)}.")
    return ARTIFACTS[name]
