"""Free loopback ports that stay the same from one start to the next where they can."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable
from pathlib import Path

from mercato.local import shared_json

#: Below the ports that Linux and macOS hand to outgoing connections: such a connection
#: would otherwise take a service's port between two of its starts.
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(taken: Iterable[int] = ()) -> int:
    """A loopback port that is free now and not in `taken`.

    Raises:
        OSError: a thousand ports in a row were in use.
    """
    for port in random.sample(_RANGE, 1000):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"No free loopback port between {_RANGE.start} and {_RANGE.stop}.")


def assign(names: Iterable[str], memory: Path) -> dict[str, int]:
    """Give each name a free port and remember it; one that it had before is kept if still free.

    Names that `memory` holds besides these keep theirs.
    """

    def choose(ports: dict[str, int]) -> None:
        for name in names:
            held = ports.get(name)
            if not isinstance(held, int) or not is_free(held):
                ports[name] = free_port(ports.values())

    return shared_json.update(memory, choose)
