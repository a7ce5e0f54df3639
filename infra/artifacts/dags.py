"""What MWAA reads from its bucket."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact

_NAMES = ("glue_tasks", "mercato_daily", "mercato_training", "mercato_maintenance")
_DAGS = tuple(f"dags/{name}.py" for name in _NAMES)
_CATALOG = "infra/cdk/generated/catalog.json"


def _dags(target: Path) -> None:
    for source in (*_DAGS, _CATALOG):
        shutil.copy2(ROOT / source, target)


ARTIFACTS = (
    Artifact(name="dags", holds="the DAGs of MWAA and their catalog", sources=(*_DAGS, _CATALOG), make=_dags),
)
