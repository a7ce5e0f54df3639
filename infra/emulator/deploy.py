"""`python -m infra.emulator.deploy [destroy]`: every stack onto the emulator, by the real CDK CLI."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from infra.artifacts.artifact import ROOT
from infra.emulator.account import ACCOUNT, REGION
from infra.emulator.assets import pack
from infra.emulator.deployed import Deployed, caller, resources
from infra.emulator.servers import NODE_MODULES, PYTHON, Emulator
from infra.emulator.types.registration import Fidelity
from mercato.errors import MercatoError

ENVIRONMENT = "local"
PREFIX = f"mercato-{ENVIRONMENT}-"
CDK = NODE_MODULES / ".bin" / "cdk"
#: Lines of the CDK CLI that a person waits for.
_NEWS = re.compile(r"✅|❌|_FAILED|ROLLBACK|^.{0,12}[Ee]rror|destroyed")
#: Stacks that CDK may work on at a time.
_AT_A_TIME = "6"


class DeployError(MercatoError):
    """A stack was refused, or is not what it should be."""


def deploy(emulator: Emulator, assembly: Path, engines: Mapping[str, str] | None = None) -> list[Deployed]:
    """Synthesize, bootstrap and deploy; gives what is deployed then.

    Args:
        emulator: started if it does not run.
        assembly: folder for the templates.
        engines: `kafka_bootstrap` and `redis_url`, which the functions use instead of what the emulator
            only imitates.

    Raises:
        DeployError: a command failed, or a service does not describe what it should.
    """
    if not CDK.exists():
        raise DeployError("The CDK CLI is missing: run `make .venv/cdk-cli/ready.stamp`.")
    with ThreadPoolExecutor() as pool, _timed("templates and emulator"):
        emulator.up()
        templates = pool.submit(_synthesize, emulator, assembly, engines or {})
        _bootstrap(emulator)
        templates.result()
    return publish(emulator, assembly)


def publish(emulator: Emulator, assembly: Path) -> list[Deployed]:
    """Deploy the templates that are there; see `deploy`."""
    with _timed("deploy"):
        arguments = ("--require-approval", "never", "--concurrency", _AT_A_TIME, "--progress", "events")
        _cdk(emulator, "deploy", "--all", "--app", str(assembly), *arguments)
    with _timed("describing each resource"):
        deployed = resources(emulator.endpoint, PREFIX)
        missing = undescribed(emulator, deployed)
    _summary(deployed)
    if missing:
        names = "\n".join(f"  {each.type} {each.stack}/{each.logical} {each.physical_id}" for each in missing)
        raise DeployError(f"Deployed, but not found by the call that infra/emulator/types names:\n{names}")
    return deployed


def destroy(emulator: Emulator, assembly: Path) -> list[Deployed]:
    """Destroy every stack; gives what its stack has left behind because its policy is to retain it.

    Raises:
        DeployError: a stack or something that should have gone is still there.
    """
    if not emulator.healthy():
        return []
    before = resources(emulator.endpoint, PREFIX)
    if before:
        with _timed("destroy"):
            _cdk(emulator, "destroy", "--all", "--force", "--app", str(assembly))
    calls = caller(emulator.endpoint)
    left = [each for each in before if each.must_go and each.exists(calls)]
    if left or resources(emulator.endpoint, PREFIX):
        names = "\n".join(f"  {each.type} {each.physical_id}" for each in left)
        raise DeployError(
            f"Destroyed, but still there (`python -m infra.emulator down` forgets it):\n{names}"
        )
    return [each for each in before if each.retained and each.exists(calls)]


def undescribed(emulator: Emulator, deployed: list[Deployed]) -> list[Deployed]:
    """What should be described by its service but is not, or that nobody has looked into."""
    calls = caller(emulator.endpoint)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda each: each.fidelity is Fidelity.RECORDED or each.exists(calls), deployed)
        return [each for each, exists in zip(deployed, found, strict=True) if not exists]


def _synthesize(emulator: Emulator, assembly: Path, engines: Mapping[str, str]) -> None:
    # The emulator itself serves the feed; see `infra.emulator.smoke`.
    feed = {"url": f"{emulator.endpoint}/mercato-{ENVIRONMENT}-feeds/weather.json"}
    overlay = emulator.home / "overlay.json"
    beside = {**engines, "aws_url": emulator.endpoint}
    overlay.write_text(json.dumps({"engines": beside, "intake": {"feeds": {"weather": feed}}}))
    command = [str(PYTHON), "app.py", "--env", ENVIRONMENT, "--out", str(assembly), "--overlay", str(overlay)]
    _run(command, ROOT, {"CDK_DEFAULT_ACCOUNT": ACCOUNT}, emulator.log("synth"))
    pack(assembly)


def _bootstrap(emulator: Emulator) -> None:
    # In the app's folder the CLI would synthesize the app first.
    with tempfile.TemporaryDirectory() as folder:
        _cdk(emulator, "bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=Path(folder))


def _cdk(emulator: Emulator, verb: str, *arguments: str, folder: Path = ROOT) -> None:
    quiet = ("--no-notices", "--no-version-reporting") if verb == "deploy" else ("--no-notices",)
    _run([str(CDK), verb, *arguments, *quiet], folder, emulator.environment(), emulator.log(verb))


def _run(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    """Run a command, all of it to a log, its news to the screen.

    Raises:
        DeployError: it failed; the message holds its last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    with log.open("w") as file:
        for line in process.stdout:
            file.write(line)
            lines.append(line)
            if _NEWS.search(line):
                print(f"  {line.strip()}", flush=True)
    if process.wait():
        tail = "".join(lines[-25:])
        raise DeployError(f"{' '.join(command[:2])} failed; {log} ends:\n{tail}")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    print(f"==> {what}", flush=True)
    began = time.monotonic()
    yield
    print(f"    {time.monotonic() - began:.1f} s", flush=True)


def _engines() -> dict[str, str]:
    """Addresses of Kafka and Redis, where `mercato up` has started them."""
    home = Path(os.environ.get("MERCATO_HOME", ROOT / "var"))
    found = home / "run" / "endpoints.json"
    known = json.loads(found.read_text()) if found.exists() else {}
    return {name: known[name] for name in ("kafka_bootstrap", "redis_url") if name in known}


def _summary(deployed: list[Deployed]) -> None:
    for stack in sorted({each.stack for each in deployed}):
        kinds = Counter(str(each.fidelity) for each in deployed if each.stack == stack)
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), reverse=True))
        print(f"  {stack:<28} {shown}")


def main() -> int:
    """Deploy, or destroy."""
    parser = argparse.ArgumentParser(prog="python -m infra.emulator.deploy", description=__doc__)
    parser.add_argument("verb", nargs="?", choices=("deploy", "destroy"), default="deploy")
    emulator, assembly = Emulator(), ROOT / "cdk.out" / ENVIRONMENT
    try:
        if parser.parse_args().verb == "deploy":
            deploy(emulator, assembly, _engines())
            print(f"AWS answers at {emulator.endpoint}; `python -m infra.emulator env` prints its variables.")
            return 0
        retained = destroy(emulator, assembly)
    except MercatoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for each in retained:
        print(f"retained: {each.type} {each.physical_id}")
    if not retained:
        emulator.down()
        print("Nothing is left; the emulator is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
