"""Say what is missing on this machine and how to get it.

Runs before anything is installed, hence on the standard library alone:
`python3 -m mercato.local.doctor [--install] [--json]`. The exit status is 1 if Mercato cannot run here,
and 0 if nothing is missing, or only what the line's end says (tests, deploys, a large demo).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mercato.local import java

#: Versions of Python that the pins of `requirements/` are for (docs/adr/0002): the oldest and the newest.
PYTHONS = ((3, 11), (3, 13))
NODE, REDIS = 22, 7
#: Memory without which the demo of all households swaps, and with which there is room beside it.
MEMORY_GB, ROOMY_MEMORY_GB = 8, 16
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
    oldest, newest = PYTHONS
    return sys.version.split()[0] if oldest <= sys.version_info[:2] <= newest else None


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


def _version(command: str) -> str | None:
    """Version that a command reports of itself, `None` if it cannot be run."""
    path = shutil.which(command)
    if path is None:
        return None
    try:
        result = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v=?(\d+[.\d]*)", result.stdout)
    return match[1] if match else None


def _of_version(name: str, command: str, least: int, package: str, only_for: str = "") -> Check:
    """Check of a program that must not be older than a major version."""
    version = _version(command)
    found = version if version and int(version.split(".")[0]) >= least else None
    fix = f"install {name} {least} or newer" + (f" (here is {version})" if version else "")
    # The package of this system is what is too old.
    return Check(f"{name} >= {least}", found, fix, "" if version else package, only_for)


def _memory() -> str | None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**9
    if total < MEMORY_GB:
        return None
    return f"{total} GB" + ("" if total >= ROOMY_MEMORY_GB else f", {ROOMY_MEMORY_GB} GB are recommended")


def _room(gigabytes: int) -> str | None:
    free = shutil.disk_usage(Path.cwd()).free // 10**9
    return f"{free} GB free" if free >= gigabytes else None


def examine() -> list[Check]:
    """Look for everything Mercato needs."""
    browser = _command("chromium", "chromium-browser", "google-chrome")
    pythons = "-".join(".".join(map(str, version)) for version in PYTHONS)
    return [
        Check(f"Python {pythons}", _python(), "install one and put it first on the PATH as python3", ""),
        Check("Python venv", _venv(), "install the venv module of your Python", "python3-venv"),
        Check("JDK 17 or 21", _java(), "install one, or point JAVA_HOME at it", "openjdk-17-jdk-headless"),
        Check("Maven", _command("mvn"), "install Maven 3.8 or newer", "maven"),
        _of_version("Redis", "redis-server", REDIS, "redis-server"),
        _of_version("Node.js", "node", NODE, "nodejs", only_for="deploys"),
        Check("npm", _command("npm"), "install npm, which comes with Node.js", "npm", only_for="deploys"),
        Check("Chromium", browser, "install Chromium or Chrome", "chromium", only_for="page tests"),
        Check(
            f"{MEMORY_GB} GB of memory",
            _memory(),
            f"{ROOMY_MEMORY_GB} GB are recommended; `make demo HOUSEHOLDS=200` takes less",
            "",
            only_for="demo of all households",
        ),
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
        return f"ok       {check.name:<16} {check.found}"
    use = f" ({check.only_for} only)" if check.only_for else ""
    package = f"; Debian: apt-get install {check.package}" if check.package else ""
    return f"MISSING  {check.name:<16} {check.fix}{package}{use}"


def main(arguments: list[str] | None = None) -> int:
    """Print the findings; exit status 1 if Mercato cannot run here.

    Args:
        arguments: of the command line; the process's own unless given.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true", help="install what is missing (Debian, as root)")
    parser.add_argument("--json", action="store_true", help="machine-readable findings on stdout")
    args = parser.parse_args(arguments)
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
