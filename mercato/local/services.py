"""What runs on one machine: the engines, and Mercato's own services on top of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import redis

from mercato.local import kafka, opensearch
from mercato.local.java import ANY_NAMES
from mercato.settings import Endpoint, Settings

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Service:
    """One supervised process.

    Attributes:
        name: as in `mercato up NAME`.
        command: prepares what the process needs and returns its argv.
        url: address once it runs, from its ports; `None` for a worker.
        healthy: whether it does its work. For an engine, also whether what answers has this
            home's state; that the ports are its own is checked for every service alike.
        endpoint: the setting that its address fills.
        ports: names of the loopback ports it listens on.
        needs: services that must be healthy before this one is started.
        env: environment on top of the supervisor's.
        start_timeout: seconds until it must be healthy; long, since a busy machine may take
            minutes to import MLflow, and one that dies is reported at once anyway.
    """

    name: str
    command: Callable[[Settings, Mapping[str, int]], list[str]]
    url: Callable[[Mapping[str, int]], str | None]
    healthy: Callable[[Settings, str | None], bool]
    endpoint: Endpoint | None = None
    ports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    env: Callable[[Settings, Mapping[str, int]], Mapping[str, str]] = field(default=lambda _s, _p: {})
    start_timeout: float = 240.0


def _answers(url: str | None, path: str) -> bool:
    try:
        return httpx2.get(f"{url}{path}", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def _kafka_command(settings: Settings, ports: Mapping[str, int]) -> list[str]:
    state = settings.home / "state" / "kafka"
    return kafka.prepare(state, settings.jars_dir, ports["kafka"], ports["kafka-controller"])


def _redis_command(settings: Settings, ports: Mapping[str, int]) -> list[str]:
    server = shutil.which("redis-server")
    if server is None:
        raise FileNotFoundError("redis-server is not installed: `make doctor` says how to get it.")
    state = settings.home / "state" / "redis"
    state.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(ports["redis"]),
        "dir": str(state),
        "appendonly": "yes",
        # Redis writes its title over its environment, where the supervisor's mark is.
        "set-proc-title": "no",
    }
    return [server, *(word for key, value in options.items() for word in (f"--{key}", value))]


def _redis_healthy(settings: Settings, url: str | None) -> bool:
    try:
        with redis.Redis.from_url(url or "", socket_timeout=2) as client:
            folder = client.config_get("dir")["dir"]
    except redis.RedisError:
        return False
    return bool(folder == str(settings.home / "state" / "redis"))


def _mlflow_command(settings: Settings, ports: Mapping[str, int]) -> list[str]:
    state = settings.home / "state" / "mlflow"
    (state / "artifacts").mkdir(parents=True, exist_ok=True)
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(ports["mlflow"])),
        *("--backend-store-uri", f"sqlite:///{state / 'mlflow.db'}", "--workers", "1"),
        *("--artifacts-destination", str(state / "artifacts")),
    ]


def _opensearch_command(settings: Settings, ports: Mapping[str, int]) -> list[str]:
    state = settings.home / "state" / "opensearch"
    return opensearch.prepare(state, settings.jars_dir, ports["opensearch"], ports["opensearch-transport"])


def _worker(*arguments: str) -> Callable[[Settings, Mapping[str, int]], list[str]]:
    return lambda _settings, _ports: [sys.executable, "-m", "mercato", *arguments]


def _scorer(name: str, model: str, endpoint: Endpoint) -> Service:
    """A model behind SageMaker's container contract."""

    def folder(settings: Settings) -> Path:
        return settings.home / "models" / model

    def command(settings: Settings, _ports: Mapping[str, int]) -> list[str]:
        if not folder(settings).is_dir():
            raise FileNotFoundError(f"There is no model yet: `mercato train {model}` makes one.")
        serve = [sys.executable, str(_ROOT / "sagemaker" / model / "serve.py")]
        percent = str(settings.capture_percent)
        return [*serve, "--capture-to", str(settings.captures / model), "--capture-percent", percent]

    def env(settings: Settings, ports: Mapping[str, int]) -> dict[str, str]:
        return {"SM_MODEL_DIR": str(folder(settings)), "SAGEMAKER_BIND_TO_PORT": str(ports[name])}

    return Service(
        name,
        command=command,
        url=lambda ports: f"http://127.0.0.1:{ports[name]}",
        healthy=lambda _settings, url: _answers(url, "/ping"),
        endpoint=endpoint,
        ports=(name,),
        env=env,
    )


def _app(name: str) -> Callable[[Settings, Mapping[str, int]], list[str]]:
    """An ASGI app of `lambdas/`, on the port of its name."""
    return lambda _settings, ports: [
        *(sys.executable, "-m", "uvicorn", "--factory", f"lambdas.{name}.app:create_app"),
        *("--host", "127.0.0.1", "--port", str(ports[name]), "--no-access-log", "--log-level", "warning"),
    ]


ENGINES: tuple[Service, ...] = (
    Service(
        "kafka",
        command=_kafka_command,
        url=lambda ports: f"127.0.0.1:{ports['kafka']}",
        healthy=lambda settings, url: kafka.healthy(url or "", settings.home / "state" / "kafka"),
        endpoint="kafka_bootstrap",
        ports=("kafka", "kafka-controller"),
        env=lambda _settings, _ports: ANY_NAMES,
    ),
    Service(
        "redis",
        command=_redis_command,
        url=lambda ports: f"redis://127.0.0.1:{ports['redis']}/0",
        healthy=_redis_healthy,
        endpoint="redis_url",
        ports=("redis",),
    ),
    Service(
        "mlflow",
        command=_mlflow_command,
        url=lambda ports: f"http://127.0.0.1:{ports['mlflow']}",
        healthy=lambda _settings, url: _answers(url, "/health"),
        endpoint="mlflow_uri",
        ports=("mlflow",),
        # Its job runners (scorers of language models) would take eight processes and 650 MB.
        env=lambda _settings, _ports: {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
    ),
)

SERVICES: tuple[Service, ...] = (
    Service(
        "ingest",
        command=_worker("ingest", "--follow"),
        url=lambda _ports: None,
        healthy=lambda _settings, _url: True,
        needs=("kafka",),
    ),
    Service(
        "online",
        command=_worker("features", "serve-stream"),
        url=lambda _ports: None,
        healthy=lambda _settings, _url: True,
        needs=("kafka", "redis"),
    ),
    _scorer("scorer", "recommend", "scorer_url"),
    Service(
        "api",
        command=_app("api"),
        url=lambda ports: f"http://127.0.0.1:{ports['api']}",
        healthy=lambda _settings, url: _answers(url, "/healthz"),
        endpoint="api_url",
        ports=("api",),
        # Not the scorer: without it the API answers from its fallback.
        needs=("kafka", "redis"),
    ),
)

#: What only some want: started when it is named.
ON_REQUEST: tuple[Service, ...] = (
    _scorer("fraud-scorer", "fraud", "fraud_scorer_url"),
    Service(
        "admin",
        command=_app("admin"),
        url=lambda ports: f"http://127.0.0.1:{ports['admin']}/admin",
        healthy=lambda _settings, url: _answers(url, "/v1/payments"),
        endpoint="admin_url",
        ports=("admin",),
        needs=("kafka", "redis"),
    ),
    Service(
        "opensearch",
        command=_opensearch_command,
        url=lambda ports: f"http://127.0.0.1:{ports['opensearch']}",
        healthy=lambda settings, url: opensearch.healthy(url or "", settings.home / "state" / "opensearch"),
        endpoint="opensearch_url",
        ports=("opensearch", "opensearch-transport"),
        env=lambda _settings, _ports: ANY_NAMES,
    ),
)

ALL: Mapping[str, Service] = {service.name: service for service in (*ENGINES, *SERVICES, *ON_REQUEST)}
