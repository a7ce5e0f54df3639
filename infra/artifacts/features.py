"""Feast's registry: what the feature store declares, as its SDK reads it from S3."""

from __future__ import annotations

from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact, BuildError, run

#: The file in the artifact's folder.
REGISTRY = "registry.pb"
#: Feast is where the program is, and in none of the environments that the deploy makes.
_PYTHON = ROOT / ".venv" / "core" / "bin" / "python"


def _registry(target: Path) -> None:
    if not _PYTHON.exists():
        raise BuildError("Mercato's own environment is missing: run `make setup`.")
    run(_PYTHON, "-m", "mercato", "features", "apply", "--registry", target / REGISTRY)


ARTIFACTS = (
    Artifact(
        name="feature-registry",
        holds="entities, views and services of the feature store",
        sources=("features", "mercato/online", "mercato/contracts", "requirements/core.txt"),
        make=_registry,
    ),
)
