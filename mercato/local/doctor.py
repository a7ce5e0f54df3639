"""Say what is missing on this machine and how to get it.

Runs before anything is installed, hence on the standard library alone:
`python3 -m mercato.local.doctor [--install] [--json]`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mercato.local import java


@dataclass(frozen=True)
class Check:
    """One thing Mercato needs on the machine.

    Attributes:
        name: what it is.
        found: where it is or which version, `None` if missing.
        fix: how to get it.
        package: its Debian package.
    """

    name: str
    found: str | None
    fix: str
    package: str


def _python() -> str | None:
    return sys.version.split()[0] if sys.version_info >= (3, 11) else None


def _venv() -> str | None:
    try:
        import ensurepip
    except ImportError:
        return None
    return ensurepip.version()


def _java() -> str | None:
    try:
        return str(java.java_home())
    except java.JavaNotFoundError:
        return None


def _command(*names: str) -> Callable[[], str | None]:
    return lambda: next((path for name in names if (path := shutil.which(name))), None)


_NEEDS: tuple[tuple[str, Callable[[], str | None], str, str], ...] = (
    ("Python >= 3.11", _python, "install Python 3.11 or newer", "python3"),
    ("Python venv", _venv, "install the venv module of your Python", "python3-venv"),
    ("JDK 17 or 21", _java, "install a JDK 17 or 21, or point JAVA_HOME at one", "openjdk-17-jdk-headless"),
    ("Maven", _command("mvn"), "install Maven 3.8 or newer", "maven"),
    ("Redis", _command("redis-server"), "install redis-server 7 or newer (macOS: brew install redis)", "redis-server"),
    ("Chromium", _command("chromium", "chromium-browser", "google-chrome"), "install Chromium or Chrome (page tests)", "chromium"),
)


def examine() -> list[Check]:
    """Look for everything Mercato needs."""
    return [Check(name, look(), fix, package) for name, look, fix, package in _NEEDS]


def install(missing: list[Check]) -> None:
    """Install missing system packages where that is safe: on Debian, as root.

    Raises:
        subprocess.CalledProcessError: apt-get failed.
    """
    packages = [check.package for check in missing]
    print(f"==> System packages: {' '.join(packages)}", file=sys.stderr)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": env, "check": True}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], **quiet)  # type: ignore[call-overload]


def main() -> int:
    """Print the findings; exit status 1 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install what is missing (Debian, as root)")
    parser.add_argument("--json", action="store_true", help="machine-readable findings on stdout")
    args = parser.parse_args()
    checks = examine()
    missing = [check for check in checks if check.found is None]
    if args.install and missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install(missing)
        checks = examine()
        missing = [check for check in checks if check.found is None]
    if args.json:
        print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))
    elif missing or not args.install:
        for check in checks:
            mark = "ok     " if check.found else "MISSING"
            print(f"{mark}  {check.name:<16} {check.found or check.fix + f' (Debian: apt-get install {check.package})'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
