"""Templates as the deploy synthesizes them, once for each environment."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.artifacts.artifact import ROOT

CDK = ROOT / ".venv" / "cdk" / "bin"
ENVIRONMENTS = ("dev", "stage", "prod")
#: How many resources of each type these have, by stack; reviewed.
INVENTORY = Path(__file__).parent / "inventory.json"
#: What may say what a role may do; what does not fit into its own policy, CDK puts into a managed one.
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role")
_LOCAL = ROOT / "docs" / "reference" / "local-aws.md"


def synthesize(environment: str, out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run the app as `make synth` does."""
    return subprocess.run(
        [str(CDK / "python"), "app.py", "--env", environment, "--out", str(out), *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def folder(environment: str) -> Path:
    """Where an environment's templates are; made on first use."""
    out = Path(tempfile.mkdtemp(prefix=f"mercato-cdk-{environment}-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    done = synthesize(environment, out)
    assert done.returncode == 0, done.stdout + done.stderr
    # Copies of the built artifacts, a gigabyte for each environment; tests look at the artifacts themselves.
    for copied in filter(Path.is_dir, out.glob("asset.*")):
        shutil.rmtree(copied)
    return out


def made_types() -> frozenset[str]:
    """Every type that some environment has, by the lists that other tests hold to the templates."""
    of_stacks = json.loads(INVENTORY.read_text()).values()
    local = re.findall(r"^\| `([\w:]+)` \|", _LOCAL.read_text(), re.MULTILINE)
    return frozenset(local).union(*of_stacks)


@functools.cache
def templates(environment: str) -> Mapping[str, Any]:
    """Every stack's template by its name."""
    found = sorted(folder(environment).glob("*.template.json"))
    return {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in found}


def resources(environment: str, *types: str) -> dict[str, Any]:
    """Resources of these types (of all, if none is given) by stack and logical name."""
    return {
        f"{stack}/{name}": resource
        for stack, template in templates(environment).items()
        for name, resource in template["Resources"].items()
        if not types or resource["Type"] in types
    }


def statements(environment: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What every role may do, by stack and logical name of the policy or the role that says so."""
    for name, resource in resources(environment, *_POLICIES).items():
        properties = resource["Properties"]
        documents = [
            properties.get("PolicyDocument"),
            *(p["PolicyDocument"] for p in properties.get("Policies", [])),
        ]
        for document in filter(None, documents):
            yield from ((name, statement) for statement in document["Statement"])


def allowed(environment: str, role: str, action: str) -> list[dict[str, Any]]:
    """Statements by which a role may do something.

    Args:
        role: how the logical name of its policy begins, after its stack.
    """
    return [
        statement
        for name, statement in statements(environment)
        if name.startswith(role) and action in as_list(statement["Action"])
    ]


def as_list(value: Any) -> list[Any]:
    """One of something as a list, which templates write without one."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A property as AWS would see it, with `@` for what is known only there."""
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text(part) for part in parts)
    return value if isinstance(value, str) else "@"
