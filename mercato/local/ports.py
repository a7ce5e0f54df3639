"""Free loopback ports that stay the same from one start to the next where they can."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _any_free() -> socket.socket:
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    return probe


def free_port() -> int:
    """A loopback port that is free now."""
    with _any_free() as probe:
        port: int = probe.getsockname()[1]
        return port


def assign(names: Iterable[str], memory: Path) -> dict[str, int]:
    """One free port per name; a port remembered in `memory` is kept if it is still free."""
    remembered: dict[str, int] = json.loads(memory.read_text()) if memory.exists() else {}
    ports: dict[str, int] = {}
    held: list[socket.socket] = []
    for name in names:
        if name in remembered and is_free(remembered[name]):
            ports[name] = remembered[name]
        else:
            # Held until all are chosen, so that no two names get the same one.
            held.append(_any_free())
            ports[name] = held[-1].getsockname()[1]
    for probe in held:
        probe.close()
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(ports, indent=2))
    return ports
