"""Start, watch and stop services through supervisord (docs/adr/0006)."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from mercato.local import ports
from mercato.local.services import ALL, Service
from mercato.settings import Settings

#: Marks every process of a stack in its environment, so that orphans can be found.
HOME_MARKER = "MERCATO_STACK_HOME"
_POLL = 0.1
_RUNNING, _FATAL = "RUNNING", ("FATAL", "EXITED", "UNKNOWN")


class StackError(RuntimeError):
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
        self._log = settings.home / "log"
        # A unix socket's path may have 107 bytes; a home may be deeper than that.
        digest = hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]
        self._socket = Path(tempfile.gettempdir()) / f"mercato-{os.getuid()}-{digest}.sock"

    def up(self, names: Iterable[str], on_progress: Callable[[str, float], None] = lambda _n, _s: None) -> None:
        """Start services together and wait until each is healthy; running ones are left alone.

        Args:
            names: keys of `services.ALL`.
            on_progress: called with the name and the seconds since the start, once it is healthy.

        Raises:
            StackError: a name is unknown, or a service did not become healthy.
        """
        services = [self._known(name) for name in names]
        if not self._supervised():
            self._start_supervisor()
        started = time.monotonic()
        for service in services:
            self._launch(service)
        for service in services:
            self._await_health(service)
            on_progress(service.name, time.monotonic() - started)

    def down(self) -> None:
        """Stop every service and the supervisor; idempotent, and finds orphans of a killed supervisor."""
        if self._supervised():
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self._rpc().stopAllProcesses(True)
                self._rpc().shutdown()
        orphans = list(self._processes())
        deadline = time.monotonic() + 10
        while orphans and time.monotonic() < deadline:
            _, orphans = psutil.wait_procs(orphans, timeout=0.5)
            if not self._supervised():
                for process in orphans:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.terminate()
        for process in orphans:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(orphans, timeout=5)
        self._socket.unlink(missing_ok=True)
        self._settings.endpoints_file.unlink(missing_ok=True)

    def restart(self, name: str) -> None:
        """Stop and start one service.

        Raises:
            StackError: it did not become healthy.
        """
        service = self._known(name)
        with contextlib.suppress(xmlrpc.client.Fault):
            self._rpc().stopProcess(name, True)
        self._launch(service)
        self._await_health(service)

    def stop(self, name: str) -> None:
        """Stop one service; the others go on."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self._rpc().stopProcess(self._known(name).name, True)

    def status(self) -> list[ServiceStatus]:
        """State of every service that has ever been started in this home."""
        infos = self._infos()
        return [self._status(service, infos.get(name)) for name, service in ALL.items()]

    # --- one service ------------------------------------------------------------------------------

    def _known(self, name: str) -> Service:
        if name not in ALL:
            raise StackError(f"There is no service {name!r}; there are {', '.join(ALL)}.")
        return ALL[name]

    def _launch(self, service: Service) -> None:
        if self._infos()[service.name]["statename"] in {_RUNNING, "STARTING"}:
            return
        try:
            self._write_command(service)
            self._rpc().startProcess(service.name, False)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            raise StackError(f"{service.name} could not be prepared: {error}") from error

    def _await_health(self, service: Service) -> None:
        url = service.url(self._ports())
        deadline = time.monotonic() + service.start_timeout
        while time.monotonic() < deadline:
            state = self._infos()[service.name]["statename"]
            if state == _RUNNING and service.healthy(self._settings, url):
                self._publish(service, url)
                return
            if state in _FATAL:
                raise StackError(f"{service.name} stopped while starting.\n{self.log_tail(service.name)}")
            time.sleep(_POLL)
        raise StackError(
            f"{service.name} is not healthy after {service.start_timeout:.0f} s.\n{self.log_tail(service.name)}"
        )

    def _status(self, service: Service, info: dict[str, Any] | None) -> ServiceStatus:
        state = info["statename"] if info else "STOPPED"
        running = state == _RUNNING
        url = service.url(self._ports()) if running else None
        return ServiceStatus(
            name=service.name,
            state=state,
            pid=info["pid"] if info and running else None,
            url=url,
            healthy=running and service.healthy(self._settings, url),
            uptime=float(info["now"] - info["start"]) if info and running else None,
            log_tail=self.log_tail(service.name) if state in {"FATAL", "BACKOFF", "EXITED"} else "",
        )

    def log_tail(self, name: str, lines: int = 20) -> str:
        """Last lines of a service's log, with the log's path."""
        path = self._log / f"{name}.log"
        text = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
        return "\n".join([f"--- end of {path}", *text])

    # --- supervisord ------------------------------------------------------------------------------

    def _start_supervisor(self) -> None:
        self.down()
        self._run.mkdir(parents=True, exist_ok=True)
        self._log.mkdir(parents=True, exist_ok=True)
        ports.assign((port for service in ALL.values() for port in service.ports), self._run / "ports.json")
        config = self._run / "supervisord.conf"
        with config.open("w") as file:
            self._configuration().write(file)
        environment = {**os.environ, HOME_MARKER: str(self._settings.home)}
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)]
        started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if started.returncode:
            raise StackError(f"supervisord did not start: {started.stdout}{started.stderr}")
        deadline = time.monotonic() + 10
        while not self._supervised():
            if time.monotonic() > deadline:
                raise StackError(f"supervisord does not answer; see {self._log / 'supervisord.log'}.")
            time.sleep(_POLL)

    def _configuration(self) -> configparser.RawConfigParser:
        config = configparser.RawConfigParser()
        config["unix_http_server"] = {"file": str(self._socket), "chmod": "0700"}
        config["supervisord"] = {
            "logfile": str(self._log / "supervisord.log"),
            "pidfile": str(self._run / "supervisord.pid"),
            "childlogdir": str(self._log),
            "directory": str(Path.cwd()),
        }
        config["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        for service in ALL.values():
            config[f"program:{service.name}"] = {
                "command": f"/bin/sh {shlex.quote(str(self._script(service)))}",
                "autostart": "false",
                "autorestart": "unexpected",
                "startsecs": "1",
                "startretries": "3",
                "stopasgroup": "true",
                "killasgroup": "true",
                "stopwaitsecs": "15",
                "redirect_stderr": "true",
                "stdout_logfile": str(self._log / f"{service.name}.log"),
                "stdout_logfile_maxbytes": "20MB",
                "stdout_logfile_backups": "1",
            }
        return config

    def _script(self, service: Service) -> Path:
        return self._run / f"{service.name}.sh"

    def _write_command(self, service: Service) -> None:
        """The command as a script: it is known only when the service is started, and a person can rerun it."""
        argv = service.command(self._settings, self._ports())
        variables = {
            "MERCATO_HOME": str(self._settings.home),
            "MERCATO_LAKE_URI": self._settings.lake_uri,
            "MERCATO_JARS_DIR": str(self._settings.jars_dir),
            "MERCATO_TOPIC_PREFIX": self._settings.topic_prefix,
            "MERCATO_ENGINE": self._settings.engine,
            **service.env(self._settings, self._ports()),
        }
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        self._script(service).write_text(f"{exports}exec {shlex.join(argv)}\n")

    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def _supervised(self) -> bool:
        if not self._socket.exists():
            return False
        try:
            return bool(self._rpc().getState()["statename"] == _RUNNING)
        except (OSError, xmlrpc.client.Error):
            return False

    def _infos(self) -> dict[str, dict[str, Any]]:
        if not self._supervised():
            return {}
        return {info["name"]: info for info in self._rpc().getAllProcessInfo()}

    def _processes(self) -> Iterable[psutil.Process]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(HOME_MARKER) == str(self._settings.home) and process.pid != os.getpid():
                    yield process

    # --- addresses --------------------------------------------------------------------------------

    def _ports(self) -> dict[str, int]:
        path = self._run / "ports.json"
        chosen: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        return chosen

    def _publish(self, service: Service, url: str | None) -> None:
        if service.endpoint is None:
            return
        path = self._settings.endpoints_file
        endpoints = json.loads(path.read_text()) if path.exists() else {}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({**endpoints, service.endpoint: url}, indent=2))
        temporary.replace(path)
