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
from dataclasses import dataclass
from pathlib import Path

from mercato.local import java

#: Disk that is filled on a machine that had nothing, downloads included, with room to spare.
ROOM_GB = {"make demo": 8, "make test": 25}


@dataclass(frozen=True)
class Check:
    """One thing Mercato needs on the machine.

    Attributes:
        name: what it is.
        found: where it is or which version, `None` if missing.
        fix: how to get it.
        package: its Debian package, empty if no package brings it.
        only_for: what needs it, if the platform runs without it.
    """

    name: str
    found: str | None
    fix: str
    package: str
    only_for: str = ""


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


def _command(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _room(gigabytes: int) -> str | None:
    free = shutil.disk_usage(Path.cwd()).free // 10**9
    return f"{free} GB free" if free >= gigabytes else None


def examine() -> list[Check]:
    """Look for everything Mercato needs."""
    browser = _command("chromium", "chromium-browser", "google-chrome")
    return [
        Check("Python >= 3.11", _python(), "install Python 3.11 or newer", "python3"),
        Check("Python venv", _venv(), "install the venv module of your Python", "python3-venv"),
        Check("JDK 17 or 21", _java(), "install one, or point JAVA_HOME at it", "openjdk-17-jdk-headless"),
        Check("Maven", _command("mvn"), "install Maven 3.8 or newer", "maven"),
        Check("Redis", _command("redis-server"), "install redis-server 7 or newer", "redis-server"),
        Check("Node.js", _command("node"), "install Node.js 22 or newer", "nodejs", only_for="deploys"),
        Check("npm", _command("npm"), "install npm, which comes with Node.js", "npm", only_for="deploys"),
        Check("Chromium", browser, "install Chromium or Chrome", "chromium", only_for="page tests"),
        *(
            Check(f"{room} GB of disk", _room(room), "free some", "", only_for=use)
            for use, room in ROOM_GB.items()
        ),
    ]


def install(missing: list[Check]) -> None:
    """Install missing system packages where that is safe: on Debian, as root.

    Raises:
        subprocess.CalledProcessError: apt-get failed.
    """
    packages = [check.package for check in missing]
    print(f"==> System packages: {' '.join(packages)}", file=sys.stderr)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *arguments], stdout=subprocess.DEVNULL, env=env, check=True)


def _line(check: Check) -> str:
    if check.found:
        return f"ok       {check.name:<15} {check.found}"
    use = f" ({check.only_for} only)" if check.only_for else ""
    package = f"; Debian: apt-get install {check.package}" if check.package else ""
    return f"MISSING  {check.name:<15} {check.fix}{package}{use}"


def main() -> int:
    """Print the findings; exit status 1 if Mercato cannot run here."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true", help="install what is missing (Debian, as root)")
    parser.add_argument("--json", action="store_true", help="machine-readable findings on stdout")
    args = parser.parse_args()
    checks = examine()
    missing = [check for check in checks if check.found is None]
    installable = [check for check in missing if check.package]
    if args.install and installable and os.geteuid() == 0 and shutil.which("apt-get"):
        install(installable)
        checks = examine()
        missing = [check for check in checks if check.found is None]
    if args.json:
        print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))
    elif missing or not args.install:
        print("\n".join(map(_line, checks)))
    return int(any(not check.only_for for check in missing))


if __name__ == "__main__":
    sys.exit(main())
