"""One thing that a deploy ships, built from this repo and only when what it is made of has changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mercato.errors import MercatoError

ROOT = Path(__file__).resolve().parents[2]
#: How artifacts are made; each is made anew when any of it has changed.
RECIPES = Path(__file__).resolve().parent
#: Where built artifacts are kept, one folder each.
BUILT = Path(os.environ.get("MERCATO_ARTIFACTS_DIR", ROOT / "var" / "artifacts"))
_NOT_SOURCE = {"__pycache__", ".mypy_cache", ".DS_Store"}


class BuildError(MercatoError):
    """An artifact could not be built."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One deployable.

    Attributes:
        name: what the CDK app and the tests call it, such as `function-api`.
        holds: one line for a person.
        sources: files and folders of the repo that it is made of, relative to the root.
        make: fills an empty folder with what is shipped.
    """

    name: str
    holds: str
    sources: tuple[str, ...]
    make: Callable[[Path], None]

    def build(self) -> Path:
        """Folder with the artifact, made anew only if its sources have changed since.

        Raises:
            BuildError: a source is missing, or the build failed; the message holds its output.
        """
        target, digest = BUILT / self.name, self.digest()
        stamp = BUILT / f"{self.name}.sha256"
        BUILT.mkdir(parents=True, exist_ok=True)
        # Whoever asks for it while another process builds it waits, and finds it built.
        with (BUILT / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.is_dir() and stamp.exists() and stamp.read_text() == digest:
                return target
            print(f"==> {self.name}: {self.holds}", file=sys.stderr, flush=True)
            fresh = BUILT / f"{self.name}.new"
            for folder in (fresh, target):
                shutil.rmtree(folder, ignore_errors=True)
            fresh.mkdir()
            self.make(fresh)
            fresh.rename(target)
            stamp.write_text(digest)
        return target

    def digest(self) -> str:
        """Hash of everything that the artifact is made of, and of how."""
        seen = hashlib.sha256()
        for path in self._files():
            seen.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
        for recipe in sorted(RECIPES.glob("*.py")):
            seen.update(recipe.name.encode() + b"\0" + recipe.read_bytes())
        return seen.hexdigest()

    def _files(self) -> Iterator[Path]:
        for source in self.sources:
            path = ROOT / source
            if not path.exists():
                raise BuildError(f"{self.name} is made of {source}, which is not there.")
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (each for each in files if each.is_file() and _NOT_SOURCE.isdisjoint(each.parts))


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a build command.

    Raises:
        BuildError: it failed; the message holds what it printed.
    """
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}".strip())


def uv() -> str:
    """The uv that `make setup` put beside the environments, or the one on the path.

    Raises:
        BuildError: there is none.
    """
    own = ROOT / ".venv" / "uv" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise BuildError("uv is missing: run `make setup`.")
    return found


def install_pins(pins: str, target: Path, python: str = "3.13") -> None:
    """Install a pin file for AWS's Linux (x86-64) and Python into a folder, whatever this machine is.

    Args:
        pins: file in `requirements/`.
        target: folder to fill.
        python: Python version of the runtime that it is for.

    Raises:
        BuildError: a package has no wheel for that platform.
    """
    run(
        uv(),
        *("pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"),
        *("--python-platform", "x86_64-manylinux_2_28", "--python-version", python),
        *("--target", target, "--requirement", ROOT / "requirements" / pins),
    )


def copy_source(target: Path, *sources: str) -> None:
    """Copy files and folders of the repo, without caches, under the same names."""
    for source in sources:
        origin, place = ROOT / source, target / source
        place.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, place, ignore=shutil.ignore_patterns(*_NOT_SOURCE), dirs_exist_ok=True)
        else:
            shutil.copy2(origin, place)
