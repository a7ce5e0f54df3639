"""Jobs as Glue and EMR Serverless run them, without a network: wheels, scripts, jars."""

from __future__ import annotations

import functools
import tempfile
import zipfile
from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact, copy_source, run, uv

_PACKAGES = ("mercato", "glue_jobs", "features", "lambdas", "sagemaker/mercato_models")
_WHEEL = ("pyproject.toml", "README.md", *_PACKAGES)
#: Scripts that start a job; they import everything else from the wheels.
_SCRIPTS = (
    "glue_jobs/main.py",
    "features/main.py",
    "sagemaker/glue/dataset.py",
    "sagemaker/glue/drift.py",
    "sagemaker/glue/outlook.py",
    "sagemaker/glue/proposals.py",
)
_PINS, _MODEL_PINS = "requirements/glue.txt", "requirements/glue-models.txt"
#: What Glue 6.0 and EMR 8.1 (Amazon Linux 2023, glibc 2.34) can load.
_PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_26_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
)
_PIP = "pip==26.0"


def _wheels(pins: str, target: Path) -> None:
    """One zip as Glue takes it: `wheels/` with every wheel and a requirements file that names them."""
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch)
        run(uv(), "build", "--quiet", "--wheel", "--no-create-gitignore", "--out-dir", wheels)
        platforms = [word for name in _PLATFORMS for word in ("--platform", name)]
        run(
            *(uv(), "tool", "run", "--quiet", _PIP, "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--python-version", "3.13", *platforms),
            *("--dest", wheels, "--requirement", ROOT / pins),
        )
        found = sorted(wheels.glob("*.whl"))
        with zipfile.ZipFile(target / "mercato.gluewheels.zip", "w", zipfile.ZIP_STORED) as archive:
            for wheel in found:
                archive.write(wheel, f"wheels/{wheel.name}")
            named = ("==".join(wheel.name.split("-")[:2]) for wheel in found)
            archive.writestr("wheels/requirements.txt", "\n".join(named) + "\n")


def _scripts(target: Path) -> None:
    copy_source(target, *_SCRIPTS)


def _jars(target: Path) -> None:
    run(
        *("mvn", "--batch-mode", "--quiet", "-f", ROOT / "jars" / "pom.xml", "-P", "glue"),
        *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"),
    )


ARTIFACTS = (
    Artifact(
        name="jobs-wheels",
        holds="the jobs and what they import, as a zip of wheels for Glue",
        sources=(*_WHEEL, _PINS),
        make=functools.partial(_wheels, _PINS),
    ),
    Artifact(
        name="model-jobs-wheels",
        holds="the models' jobs and what they import, as a zip of wheels for Glue",
        sources=(*_WHEEL, _MODEL_PINS),
        make=functools.partial(_wheels, _MODEL_PINS),
    ),
    Artifact(name="jobs-entry", holds="the scripts that Glue and EMR start", sources=_SCRIPTS, make=_scripts),
    Artifact(
        name="jobs-jars",
        holds="Kafka for Spark, with IAM authentication to MSK",
        sources=("jars/pom.xml",),
        make=_jars,
    ),
)
