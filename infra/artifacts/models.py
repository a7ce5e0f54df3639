"""The source of each model, as SageMaker's XGBoost container 3.2-0 (Python 3.12) takes it."""

from __future__ import annotations

import functools
import gzip
import shutil
import tarfile
import tempfile
from pathlib import Path

from infra.artifacts.artifact import ROOT, Artifact, run, uv

#: The archive in an artifact's folder.
SOURCE = "sourcedir.tar.gz"
#: Every folder with a training script is a model.
MODELS = tuple(sorted(path.parent.name for path in (ROOT / "sagemaker").glob("*/train.py")))
_PINS, _BROUGHT = "requirements/model.txt", "requirements/model-container.txt"
#: Where it is in the repo, and where in the archive.
_PACKAGES = {
    "sagemaker/mercato_models": "mercato_models",
    "mercato/__init__.py": "mercato/__init__.py",
    "mercato/errors.py": "mercato/errors.py",
    "mercato/stopwatch.py": "mercato/stopwatch.py",
    "mercato/contracts": "mercato/contracts",
    "mercato/decisions/__init__.py": "mercato/decisions/__init__.py",
    "mercato/decisions/codes.py": "mercato/decisions/codes.py",
    "mercato/decisions/fraud.py": "mercato/decisions/fraud.py",
    "mercato/online/__init__.py": "mercato/online/__init__.py",
    "mercato/online/payments.py": "mercato/online/payments.py",
    "mercato/online/session.py": "mercato/online/session.py",
    "sagemaker/container/evaluate.py": "evaluate.py",
    "sagemaker/container/inference.py": "inference.py",
}
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_PIP = "pip==26.0"
#: The toolkit has pip install the source, and imports `inference` from there.
_SETUP = """from setuptools import find_packages, setup

setup(
    name="{name}",
    packages=find_packages(include=["mercato*"]),
    py_modules=["evaluate", "inference", "process", "train"],
)
"""
#: Containers have no way to a package index.
_REQUIREMENTS = "--no-index\n--find-links wheels\n"


def _source(model: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for origin, place in (_PACKAGES | _scripts(model)).items():
            _copy(ROOT / origin, folder / place)
        (folder / "setup.py").write_text(_SETUP.format(name=f"mercato-{model}"))
        (folder / "requirements.txt").write_text(_REQUIREMENTS + "".join(f"{pin}\n" for pin in _missing()))
        _wheels(folder / "wheels")
        # Without times: the same source is the same file, which a deploy does not ship again.
        with (
            gzip.GzipFile(target / SOURCE, "wb", mtime=0) as packed,
            tarfile.open(None, "w", packed) as files,
        ):
            for path in sorted(folder.iterdir()):
                files.add(path, path.name, filter=_timeless)


def _timeless(file: tarfile.TarInfo) -> tarfile.TarInfo:
    file.mtime = file.uid = file.gid = 0
    file.uname = file.gname = ""
    return file


def _scripts(model: str) -> dict[str, str]:
    return {f"sagemaker/{model}/{name}": name for name in ("process.py", "train.py")}


def _copy(origin: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(origin, place)


def _missing() -> list[str]:
    """Pins of what the container does not bring; what it brings stays as it is."""
    return sorted(_pins(_PINS) - _pins(_BROUGHT))


def _pins(file: str) -> set[str]:
    lines = (ROOT / file).read_text().splitlines()
    return {line.split(";")[0].strip() for line in lines if line and not line.startswith((" ", "#"))}


def _wheels(target: Path) -> None:
    """The missing packages, and what builds the source's own."""
    builders = [pin for pin in _pins(_PINS) if pin.startswith(("setuptools==", "wheel=="))]
    run(
        *(uv(), "tool", "run", "--quiet", _PIP, "download", "--quiet", "--no-deps"),
        *("--only-binary", ":all:", "--python-version", "3.12"),
        *(word for name in _PLATFORMS for word in ("--platform", name)),
        *("--dest", target),
        *_missing(),
        *builders,
    )


ARTIFACTS = tuple(
    Artifact(
        name=f"model-source-{model}",
        holds=f"scripts of the model {model} and all that SageMaker's container lacks for them",
        sources=(_PINS, _BROUGHT, *_PACKAGES, *_scripts(model)),
        make=functools.partial(_source, model),
    )
    for model in MODELS
)
