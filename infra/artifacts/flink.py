"""The stream job, as Managed Service for Apache Flink takes it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact, run

#: The uber-jar in the artifact's folder.
SESSIONS_JAR = "sessions.jar"


def _package(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as build:
        run("mvn", "--batch-mode", "--quiet", f"-Dbuild.dir={build}", "package", cwd=ROOT / "flink_jobs")
        shutil.copy2(Path(build) / SESSIONS_JAR, folder)


ARTIFACTS = (
    Artifact(
        name="flink-sessions",
        holds="the uber-jar of the session job (Flink 2.2, Java 17)",
        sources=("flink_jobs/pom.xml", "flink_jobs/sessions.sql", "flink_jobs/src"),
        make=_package,
    ),
)
