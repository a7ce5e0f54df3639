"""Start, watch and stop the services of one machine."""

from __future__ import annotations

import contextlib
import fcntl
import shlex
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mercato.errors import MercatoError
from mercato.local import ports, shared_json
from mercato.local.daemon import Daemon, DaemonError
from mercato.local.services import ALL, Service
from mercato.settings import Settings

_POLL = 0.1
#: A worker has no port to ask: one that lives this many seconds has got through its start.
_WORKER_SETTLES = 3.0
_ALIVE = ("STARTING", "RUNNING")
_STOPPED = "STOPPED"
_ENDED = ("FATAL", "EXITED", "UNKNOWN")


class StackError(MercatoError):
    """A service could not be started; the message ends with the tail of its log."""


@dataclass(frozen=True)
class ServiceStatus:
    """State of one service.

    Attributes:
        state: supervisord's word (`RUNNING`, `STOPPED`, `FATAL`, `BACKOFF` ...).
        uptime: seconds since it was started.
        log_tail: last lines of its log if it crashed, else empty.
    """

    name: str
    state: str
    pid: int | None
    url: str | None
    healthy: bool
    uptime: float | None
    log_tail: str


class Stack:
    """The services of one MERCATO_HOME. Two homes run side by side."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run = settings.home / "run"
        self._daemon = Daemon(settings.home, ALL)

    def up(
        self, names: Iterable[str], on_progress: Callable[[str, float], None] = lambda _n, _s: None
    ) -> None:
        """Start services and what they need, and wait until each is healthy.

        Those that run are left alone; those that need nothing of each other start together.

        Args:
            names: keys of `services.ALL`.
            on_progress: called with the name and the seconds since the start, once it is healthy.

        Raises:
            StackError: a name is unknown, or a service did not become healthy.
        """
        waiting = self._with_needs(names)
        with self._lock():
            if not self._daemon.running():
                self.down()
                try:
                    self._daemon.start()
                except DaemonError as error:
                    raise StackError(str(error)) from error
        started = time.monotonic()
        launched: dict[str, float] = {}
        while waiting:
            for service in list(waiting):
                if service.name not in launched:
                    if not any(other.name in service.needs for other in waiting):
                        self._launch(service)
                        launched[service.name] = time.monotonic()
                elif self._became_healthy(service, time.monotonic() - launched[service.name]):
                    waiting.remove(service)
                    on_progress(service.name, time.monotonic() - started)
            time.sleep(_POLL)

    def down(self) -> None:
        """Stop every service and the supervisor; idempotent, and finds orphans of a killed supervisor."""
        self._daemon.stop()
        self._settings.endpoints_file.unlink(missing_ok=True)

    def stop(self, names: Iterable[str]) -> None:
        """Stop some services; the others go on.

        Raises:
            StackError: a name is unknown; none is stopped.
        """
        services = [self._known(name) for name in names]
        if self._daemon.running():
            for service in services:
                with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
                    self._daemon.rpc.stopProcess(service.name, True)

    def status(self) -> list[ServiceStatus]:
        """State of every service that has ever been started in this home."""
        infos = self._daemon.infos()
        return [self._status(service, infos.get(name)) for name, service in ALL.items()]

    def orphans(self) -> list[int]:
        """Processes of this home whose supervisor is gone, by pid; none while one starts or ends."""
        return [] if self._daemon.present() else [process.pid for process in self._daemon.processes()]

    # --- one service ------------------------------------------------------------------------------

    def _known(self, name: str) -> Service:
        if name not in ALL:
            raise StackError(f"There is no service {name!r}; there are {', '.join(ALL)}.")
        return ALL[name]

    def _with_needs(self, names: Iterable[str]) -> list[Service]:
        """The named services and all that they need, in the order of `services.ALL`."""
        wanted: set[str] = set()
        queue = list(names)
        while queue:
            service = self._known(queue.pop())
            if service.name not in wanted:
                wanted.add(service.name)
                queue.extend(service.needs)
        return [service for name, service in ALL.items() if name in wanted]

    def _launch(self, service: Service) -> None:
        try:
            # Alone, or a second command would take other ports for what the first has just started.
            with self._lock():
                if self._state(service) in {"BACKOFF", *_ALIVE}:
                    return
                ports.assign(service.ports, self._ports_file)
                self._write_command(service)
                self._daemon.rpc.startProcess(service.name, False)
        except subprocess.CalledProcessError as error:
            output = (error.stderr or error.stdout or b"").decode(errors="replace")
            raise StackError(f"{service.name} could not be prepared: {error}\n{output}") from error
        except (OSError, RuntimeError, xmlrpc.client.Error) as error:
            raise StackError(f"{service.name} could not be prepared: {error}") from error

    def _became_healthy(self, service: Service, waited: float) -> bool:
        row = self._status(service, self._daemon.infos().get(service.name))
        if row.healthy:
            self._publish(service, row.url)
        elif row.state in _ENDED:
            raise StackError(f"{service.name} stopped while starting.\n{self.log_tail(service.name)}")
        elif row.state == _STOPPED:
            raise StackError(
                f"{service.name} was stopped while starting, by another command or with its supervisor."
            )
        elif waited > service.start_timeout:
            raise StackError(
                f"{service.name} is not healthy after {service.start_timeout:.0f} s.\n"
                f"{self.log_tail(service.name)}"
            )
        return row.healthy

    def _state(self, service: Service) -> str:
        info = self._daemon.infos().get(service.name)
        return info["statename"] if info else _STOPPED

    def _status(self, service: Service, info: dict[str, Any] | None) -> ServiceStatus:
        state = info["statename"] if info else _STOPPED
        if info is None or state not in _ALIVE:
            crashed = state in {"BACKOFF", *_ENDED}
            tail = self.log_tail(service.name) if crashed else ""
            return ServiceStatus(service.name, state, None, None, False, None, tail)
        chosen = shared_json.read(self._ports_file)
        url = service.url(chosen)
        uptime = float(info["now"] - info["start"])
        settled = bool(service.ports) or uptime >= _WORKER_SETTLES
        return ServiceStatus(
            name=service.name,
            state=state,
            pid=info["pid"],
            url=url,
            healthy=settled
            and _listens(info["pid"], {chosen[name] for name in service.ports})
            and service.healthy(self._settings, url),
            uptime=uptime,
            log_tail="",
        )

    def log_tail(self, name: str, lines: int = 20) -> str:
        """Last lines of a service's log, with the log's path."""
        path = self._daemon.log(name)
        text = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
        return "\n".join([f"--- end of {path}", *text])

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep two `mercato up` of one home from starting two supervisors, or one service twice."""
        self._run.mkdir(parents=True, exist_ok=True)
        with (self._run / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write_command(self, service: Service) -> None:
        """Write the command as a script, which a person can also run by hand."""
        chosen = shared_json.read(self._ports_file)
        argv = service.command(self._settings, chosen)
        variables = {
            "MERCATO_HOME": str(self._settings.home),
            "MERCATO_LAKE_URI": self._settings.lake_uri,
            "MERCATO_JARS_DIR": str(self._settings.jars_dir),
            "MERCATO_TOPIC_PREFIX": self._settings.topic_prefix,
            "MERCATO_ENGINE": self._settings.engine,
            **service.env(self._settings, chosen),
        }
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        self._daemon.script(service.name).write_text(f"{exports}exec {shlex.join(argv)}\n")

    # --- addresses --------------------------------------------------------------------------------

    @property
    def _ports_file(self) -> Path:
        return self._run / "ports.json"

    def _publish(self, service: Service, url: str | None) -> None:
        if service.endpoint is None:
            return
        address: dict[str, str | None] = {service.endpoint: url}
        shared_json.update(self._settings.endpoints_file, lambda content: content.update(address))


def _listens(pid: int, wanted: set[int]) -> bool:
    """Whether the process and its children listen on all of these ports."""
    listening = set()
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                connections = each.net_connections("tcp")
                listening |= {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return wanted <= listening
