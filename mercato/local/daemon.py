"""supervisord of one MERCATO_HOME: configured, started, spoken to (docs/adr/0007)."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

#: Marks every process of a stack in its environment, so that orphans can be found.
HOME_MARKER = "MERCATO_STACK_HOME"
_MODULE = "supervisor.supervisord"


class DaemonError(RuntimeError):
    """supervisord did not start."""


class Daemon:
    """One supervisord, which runs `{home}/run/NAME.sh` for each of its programs.

    Args:
        home: MERCATO_HOME; resolved.
        programs: names of what it may run.
    """

    def __init__(self, home: Path, programs: Iterable[str]) -> None:
        self._home = home
        self._programs = tuple(programs)
        # A unix socket's path may have 107 bytes; a home may be deeper than that.
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        self._socket = Path(tempfile.gettempdir()) / f"mercato-{os.getuid()}-{digest}.sock"

    @property
    def rpc(self) -> Any:
        """supervisord's XML-RPC interface (supervisord.org/api.html)."""
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def running(self) -> bool:
        """Whether it answers on its socket."""
        try:
            mine = self._socket.stat().st_uid == os.getuid()
            return mine and bool(self.rpc.getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def present(self) -> bool:
        """Whether there is one, even if it is just starting or ending and does not answer."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if _MODULE in process.cmdline():
                    return True
        return False

    def infos(self) -> dict[str, dict[str, Any]]:
        """What it says of each program; nothing if it does not run."""
        try:
            return {info["name"]: info for info in self.rpc.getAllProcessInfo()}
        except (OSError, xmlrpc.client.Error):
            return {}

    def script(self, program: str) -> Path:
        """File that is run as this program."""
        return self._home / "run" / f"{program}.sh"

    def log(self, program: str) -> Path:
        """File with this program's output."""
        return self._home / "log" / f"{program}.log"

    def start(self, timeout: float = 10) -> None:
        """Start it in the background; its programs stay stopped.

        Raises:
            DaemonError: it does not answer within `timeout` seconds, or cannot run in this home.
        """
        if "%" in str(self._home):
            raise DaemonError(f"{self._home}: supervisord cannot run below a folder with % in its name.")
        self.log("supervisord").parent.mkdir(parents=True, exist_ok=True)
        config = self._home / "run" / "supervisord.conf"
        config.parent.mkdir(parents=True, exist_ok=True)
        with config.open("w") as file:
            self._configuration().write(file)
        command = [sys.executable, "-m", _MODULE, "--configuration", str(config)]
        environment = {**os.environ, HOME_MARKER: str(self._home)}
        started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if started.returncode:
            raise DaemonError(f"supervisord did not start: {started.stdout}{started.stderr}")
        deadline = time.monotonic() + timeout
        while not self.running():
            if time.monotonic() > deadline:
                raise DaemonError(f"supervisord does not answer; see {self.log('supervisord')}.")
            time.sleep(0.05)

    def stop(self, timeout: float = 10) -> None:
        """Stop its programs and itself, and whatever a killed predecessor left; idempotent."""
        if self.running():
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self.rpc.stopAllProcesses(True)
                self.rpc.shutdown()
        left = list(self.processes())
        deadline = time.monotonic() + timeout
        while left and time.monotonic() < deadline:
            _, left = psutil.wait_procs(left, timeout=0.5)
            if not self.running():
                for process in left:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.terminate()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
        self._socket.unlink(missing_ok=True)

    def processes(self) -> Iterator[psutil.Process]:
        """Every process that carries this home's mark, supervised or orphaned."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(HOME_MARKER) == str(self._home) and process.pid != os.getpid():
                    yield process

    def _configuration(self) -> configparser.RawConfigParser:
        config = configparser.RawConfigParser()
        config["unix_http_server"] = {"file": str(self._socket), "chmod": "0700"}
        config["supervisord"] = {
            "logfile": str(self.log("supervisord")),
            "pidfile": str(self._home / "run" / "supervisord.pid"),
            "childlogdir": str(self._home / "log"),
            "directory": str(Path.cwd()),
        }
        config["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        for program in self._programs:
            config[f"program:{program}"] = {
                "command": f"/bin/sh {shlex.quote(str(self.script(program)))}",
                "autostart": "false",
                "autorestart": "unexpected",
                # One that dies sooner than this counts as a failed start, of which
                # supervisord takes `startretries` before it gives up (FATAL).
                "startsecs": "15",
                "startretries": "3",
                "stopasgroup": "true",
                "killasgroup": "true",
                "stopwaitsecs": "15",
                "redirect_stderr": "true",
                "stdout_logfile": str(self.log(program)),
                "stdout_logfile_maxbytes": "20MB",
                "stdout_logfile_backups": "1",
            }
        return config
