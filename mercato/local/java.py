"""A Java that every engine here can run on, and how its servers log (standard library only)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mercato.errors import MercatoError

#: Spark 4.1 (through Hadoop 3.4) fails on Java 25; Kafka 4.2 needs 17.
SUPPORTED = (17, 21)
#: Log4j 2 for the servers here: warnings, to where the supervisor keeps what they print.
LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
#: Under `LC_ALL=C`, as a cron job may have it, Java opens no file whose name is not ASCII.
ANY_NAMES = {"LC_ALL": "C.UTF-8"}


class JavaNotFoundError(MercatoError):
    """No supported JDK is on this machine."""


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    for root in ("/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines"):
        for folder in sorted(Path(root).glob("*")):
            yield folder / "bin" / "java"
            yield folder / "Contents" / "Home" / "bin" / "java"


def major_version(java: Path) -> int | None:
    """Major version that `java -version` reports, `None` if it cannot be run."""
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(\d+)', run.stderr)
    return int(match[1]) if match else None


def java_home() -> Path:
    """Home of the first supported JDK: JAVA_HOME, then the PATH, then the usual folders.

    Raises:
        JavaNotFoundError: there is none; the message says what was found instead.
    """
    seen = {}
    for java in _candidates():
        if java.exists() and (version := major_version(java)) is not None:
            if version in SUPPORTED:
                return java.resolve().parent.parent
            seen[str(java)] = version
    raise JavaNotFoundError(
        f"Mercato needs a JDK {' or '.join(map(str, SUPPORTED))} (found: {seen or 'none'}). "
        "Install one (Debian: apt-get install openjdk-17-jdk-headless) or point JAVA_HOME at it."
    )
