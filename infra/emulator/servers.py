"""The emulator's two servers as daemons: started, found again, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.artifact import ROOT
from infra.emulator.account import ACCOUNT, REGION, SECRET
from mercato.errors import MercatoError
from mercato.local.ports import assign

HOST = "127.0.0.1"
#: CDK's environment: ministack, moto and what the Lambda functions of Python 3.13 run on.
PYTHON = ROOT / ".venv" / "cdk" / "bin" / "python"
#: Where `npm ci` put the CDK CLI and AWS's SDK for JavaScript.
NODE_MODULES = ROOT / ".venv" / "cdk-cli" / "node_modules"


class EmulatorError(MercatoError):
    """The emulator did not start, or does not run."""


@dataclass(frozen=True)
class Server:
    """One of the two.

    Attributes:
        name: of its log and pid files.
        command: starts it.
        url: where it answers.
        health: path that answers 200 once it is ready.
    """

    name: str
    command: tuple[str, ...]
    url: str
    health: str


class Emulator:
    """The emulator of one home folder.

    Args:
        home: holds its ports, pids, logs and data.
    """

    def __init__(self, home: Path = ROOT / "var" / "aws") -> None:
        self.home = home

    @property
    def endpoint(self) -> str:
        """Address of the emulated AWS.

        Raises:
            EmulatorError: it has never been started here.
        """
        ports = self.home / "ports.json"
        if not ports.exists():
            raise EmulatorError("The emulator has no address yet: run `python -m infra.emulator up`.")
        return f"http://{HOST}:{json.loads(ports.read_text())['aws']}"

    def environment(self) -> dict[str, str]:
        """Variables with which any AWS SDK, the CLI and CDK speak to it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
        }

    def running(self) -> dict[str, int]:
        """Pids of its servers that live, by name."""
        found = {}
        for name in ("moto", "aws"):
            pid = self._pid(name)
            if pid is not None:
                found[name] = pid
        return found

    def up(self, patience: float = 60) -> float:
        """Start what does not run yet; returns after how many seconds all of it answers.

        Raises:
            EmulatorError: a server ended, or does not answer within `patience` seconds.
        """
        if not PYTHON.exists():
            raise EmulatorError("The emulator's environment is missing: run `make .venv/cdk/ready.stamp`.")
        began = time.monotonic()
        running = self.running()
        if set(running) != {"moto", "aws"}:
            self.down()
            self.home.mkdir(parents=True, exist_ok=True)
            servers = list(self._servers(assign(("moto", "aws"), self.home / "ports.json")))
            try:
                for server in servers:
                    self._start(server)
                for server in servers:
                    self._await(server, patience)
            except BaseException:
                self.down()
                raise
        return time.monotonic() - began

    def down(self, patience: float = 15) -> None:
        """Stop its servers and whatever they started; idempotent."""
        running = self.running()
        for pid in running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.running().values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        for name in ("moto", "aws"):
            (self.home / f"{name}.pid").unlink(missing_ok=True)
        # Functions were unpacked there, gigabytes of them, and workers that are killed leave them.
        shutil.rmtree(self.home / "tmp", ignore_errors=True)

    def healthy(self) -> bool:
        """Whether the emulated AWS answers."""
        with contextlib.suppress(OSError, EmulatorError):
            return _answers(f"{self.endpoint}/_ministack/health")
        return False

    def log(self, name: str) -> Path:
        """File with a server's output."""
        return self.home / f"{name}.log"

    def _servers(self, ports: dict[str, int]) -> Iterator[Server]:
        moto, aws = str(ports["moto"]), str(ports["aws"])
        url = f"http://{HOST}:{moto}"
        yield Server("moto", ("-m", "moto.server", "-H", HOST, "-p", moto), url, "/moto-api/")
        yield Server(
            "aws", ("-m", "infra.emulator.serve", aws, url), f"http://{HOST}:{aws}", "/_ministack/health"
        )

    def _start(self, server: Server) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "PYTHONPATH": str(ROOT),
            "NODE_PATH": str(NODE_MODULES),
            # An API has a name below it, which Chromium and Firefox take for this machine.
            "MINISTACK_HOST": "localhost",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            # Devices over SFTP and MQTT are none of this platform's.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "TMPDIR": str(self._folder("tmp")),
            "DOCKER_HOST": "unix:///nonexistent",
        }
        with self.log(server.name).open("wb") as log:
            process = subprocess.Popen(
                [str(PYTHON), *server.command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: the functions that it starts end with it.
                start_new_session=True,
            )
        (self.home / f"{server.name}.pid").write_text(str(process.pid))

    def _await(self, server: Server, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not _answers(server.url + server.health):
            if self._pid(server.name) is None or time.monotonic() > deadline:
                tail = "\n".join(self.log(server.name).read_text().splitlines()[-15:])
                raise EmulatorError(f"{server.name} does not answer; {self.log(server.name)} ends:\n{tail}")
            time.sleep(0.05)

    def _folder(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _pid(self, name: str) -> int | None:
        """Pid of a server if it lives and is ours: a number may have gone to another process."""
        file = self.home / f"{name}.pid"
        if not file.exists():
            return None
        pid = int(file.read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        return pid if "infra.emulator.serve" in shown or "moto.server" in shown else None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False
