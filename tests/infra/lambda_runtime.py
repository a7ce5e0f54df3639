"""A function's bundle in Lambda's place: an isolated Python 3.13 that has boto3 and what the zip holds."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infra.artifacts.artifact import ROOT, run, uv
from infra.artifacts.catalog import artifact

#: Of Lambda, unzipped.
LIMIT_BYTES = 250 * 1024 * 1024
#: An environment of Lambda's Python version, with moto.
CDK = ROOT / ".venv" / "cdk" / "bin"
BOTO3 = "boto3==1.44.5"

_CHILD = """
import importlib, json, sys, time
bundle, module, events = sys.argv[1], sys.argv[2], json.load(sys.stdin)
sys.path.insert(0, bundle)
started = time.perf_counter()
handler = importlib.import_module(module).handler
imported = time.perf_counter() - started
print(json.dumps({"answers": [handler(event, None) for event in events], "import_seconds": imported}))
"""


@dataclass(frozen=True)
class Invoked:
    """What a handler answered, event by event, and how long its import took."""

    answers: list[Any]
    import_seconds: float


@dataclass(frozen=True)
class Runtime:
    """Python with boto3, in `home`."""

    home: Path

    @classmethod
    def make(cls, home: Path) -> Runtime:
        run(uv(), "venv", "--quiet", "--no-project", "--python", CDK / "python", home / "venv")
        run(uv(), "pip", "install", "--quiet", "--python", home / "venv" / "bin" / "python", BOTO3)
        return cls(home)

    def unzipped(self, name: str) -> Path:
        """The artifact, zipped and unzipped as a deploy does."""
        place = self.home / name
        if not place.exists():
            built, archive = artifact(name).build(), self.home / f"{name}.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
                for path in sorted(built.rglob("*")):
                    if path.is_file():
                        zipped.write(path, path.relative_to(built))
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(place)
        return place

    def run(self, name: str, code: str) -> str:
        """What a piece of Python prints that has `function-NAME`'s bundle to import from."""
        bundle = self.unzipped(f"function-{name}")
        return self._python(f"import sys; sys.path.insert(0, {str(bundle)!r})\n{code}", bundle)

    def invoke(self, name: str, *events: object, **environment: str) -> Invoked:
        """Import `function-NAME`'s handler in a fresh process and give it the events, one after another."""
        bundle = self.unzipped(f"function-{name}")
        arguments = (str(bundle), f"lambdas.{name}.handler")
        printed = self._python(_CHILD, bundle, *arguments, given=json.dumps(events), environment=environment)
        return Invoked(**json.loads(printed.splitlines()[-1]))

    def _python(
        self,
        code: str,
        folder: Path,
        *arguments: str,
        given: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        done = subprocess.run(
            [self.home / "venv" / "bin" / "python", "-I", "-B", "-c", code, *arguments],
            input=given,
            env=_AWS | dict(environment),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout


_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def size_of(folder: Path) -> int:
    """Bytes in all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def request(method: str, path: str, body: str | None = None, query: str = "") -> dict[str, Any]:
    """An API Gateway HTTP API event, payload 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "host": "api.example", "x-forwarded-proto": "https"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "domainName": "api.example",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": body,
        "isBase64Encoded": False,
    }


def body(answer: dict[str, Any]) -> str:
    """The body that API Gateway makes of a handler's answer."""
    sent: str = answer["body"]
    return base64.b64decode(sent).decode() if answer["isBase64Encoded"] else sent
