"""What MWAA reads from its bucket."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact

_DAGS = ("dags/glue_tasks.py", "dags/mercato_daily.py", "dags/mercato_maintenance.py")
_CATALOG = "infra/cdk/generated/catalog.json"


def _dags(target: Path) -> None:
    for source in (*_DAGS, _CATALOG):
        shutil.copy2(ROOT / source, target)


ARTIFACTS = (
    Artifact(name="dags", holds="the DAGs of MWAA and their catalog", sources=(*_DAGS, _CATALOG), make=_dags),
)
