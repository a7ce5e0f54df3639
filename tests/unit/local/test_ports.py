"""Ports are free, differ, and stay the same while they can."""

from __future__ import annotations

import socket
from pathlib import Path

from mercato.local import ports, shared_json


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_names_get_ports_of_their_own_and_keep_them(tmp_path: Path) -> None:
    memory = tmp_path / "run" / "ports.json"
    first = ports.assign(["a", "b", "c"], memory)
    assert len(set(first.values())) == 3
    assert ports.assign(["c", "a", "b"], memory) == first


def test_only_a_port_that_was_taken_changes(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    first = ports.assign(["a", "b"], memory)
    with socket.create_server(("127.0.0.1", first["a"])):
        second = ports.assign(["a"], memory)
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]
    assert shared_json.read(memory) == second


def test_ports_keep_clear_of_those_for_outgoing_connections() -> None:
    low = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_ephemeral = int(low.read_text().split()[0]) if low.exists() else 49_152
    assert all(ports.free_port() < first_ephemeral for _ in range(20))


def test_what_is_no_port_is_replaced(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    memory.write_text('{"a": "x"}')
    assert isinstance(ports.assign(["a"], memory)["a"], int)
