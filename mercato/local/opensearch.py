"""One real OpenSearch node, of the version that the domain on AWS has."""

from __future__ import annotations

from pathlib import Path

import httpx2

from mercato.local.java import LOG4J, java_home

_NODE = Path(__file__).with_name("OpenSearchNode.java")
_CONFIG, _BASE = "config", "node"


def configuration(transport_port: int) -> str:
    """Configuration of a single node on loopback only."""
    settings = {
        "network.host": "127.0.0.1",
        "transport.port": transport_port,
        "discovery.type": "single-node",
        # An index goes read-only on a disk that is 95% full: right for a cluster, not for a laptop.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    return "".join(f"{key}: {value}\n" for key, value in settings.items())


def prepare(state: Path, jars: Path, port: int, transport_port: int) -> list[str]:
    """Write the configuration, return the node's command.

    Raises:
        FileNotFoundError: the jars have not been set up.
    """
    if not (jars / "opensearch").is_dir():
        raise FileNotFoundError(
            f"No OpenSearch in {jars}. `make opensearch` puts it into the checkout's var/jars: for another "
            "home, set MERCATO_JARS_DIR to that folder."
        )
    config = state / _CONFIG
    config.mkdir(parents=True, exist_ok=True)
    (config / "opensearch.yml").write_text(configuration(transport_port))
    (config / "log4j2.properties").write_text(LOG4J)
    return [
        *(str(java_home() / "bin" / "java"), "-Xms512m", "-Xmx512m", "-cp", f"{jars / 'opensearch'}/*"),
        *(str(_NODE), str(state / _BASE), str(config), str(port)),
    ]


def healthy(url: str, state: Path) -> bool:
    """Whether the node that answers takes requests and keeps its data in `state`."""
    try:
        health = httpx2.get(f"{url}/_cluster/health", timeout=2).json()
        nodes = httpx2.get(f"{url}/_nodes/_local/settings", timeout=2).json()["nodes"].values()
    except (httpx2.HTTPError, ValueError, KeyError):
        return False
    data = [Path(folder) for each in nodes for folder in each["settings"]["path"]["data"]]
    ours = bool(data) and all(folder.is_relative_to(state / _BASE) for folder in data)
    return ours and health.get("status") in {"green", "yellow"}
