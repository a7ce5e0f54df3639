"""The command in a home of its own, and the processes that belong to one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from mercato.local.daemon import HOME_MARKER
from mercato.settings import Settings


def marked(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_MARKER) == str(home):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def command(settings: Settings, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mercato", *arguments]


def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "MERCATO_HOME": str(settings.home), "MERCATO_JARS_DIR": str(settings.jars_dir)}
