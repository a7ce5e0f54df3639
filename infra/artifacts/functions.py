"""Lambda functions (Python 3.13): one folder each, with what it imports and nothing that the runtime has."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from infra.artifacts.artifact import Artifact, copy_source, install_pins

#: Contracts, settings and the clients: what every function that sends events is made of.
_EVENTS = ("mercato", "lambdas/__init__.py")
#: What appends to Kafka.
_LOG = ("lambdas/event_log.py", "lambdas/circuit.py")
_DELIVERY = (*_EVENTS, *_LOG, "lambdas/delivery.py")
#: What an app behind API Gateway that sends events is made of.
_APP = (
    *("lambdas/gateway.py", "lambdas/problem.py", "lambdas/metrics.py", "lambdas/embedded_metrics.py"),
    *(*_LOG, "lambdas/event_services.py", "lambdas/intake.py"),
)

#: Files that nothing imports when a function runs; Arrow's Flight alone is 31 MB.
_UNUSED = (
    "bin",
    ".lock",
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/tests",
    "pyarrow/*flight*",
    "pyarrow/libarrow_python*.so.*.*",
    "numpy/**/tests",
    "numpy/_core/include",
    "**/__pycache__",
)


def function(name: str, holds: str, *sources: str) -> Artifact:
    """A function in `lambdas/NAME`, with the packages of `requirements/lambda-NAME.txt`."""
    pins = f"lambda-{name}.txt"

    def make(target: Path) -> None:
        install_pins(pins, target)
        _prune(target, _UNUSED)
        copy_source(target, *sources)
        for package in (target / "sagemaker").glob("*"):
            package.rename(target / package.name)

    return Artifact(
        name=f"function-{name}", holds=holds, sources=(*sources, f"requirements/{pins}"), make=make
    )


def plain(name: str, holds: str, *more: str) -> Artifact:
    """A function in `lambdas/NAME` that needs no package beside what the runtime has."""
    sources = ("lambdas/__init__.py", f"lambdas/{name}", *more)
    return Artifact(
        name=f"function-{name}",
        holds=holds,
        sources=sources,
        make=lambda target: copy_source(target, *sources),
    )


def _prune(target: Path, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        for found in sorted(target.glob(pattern)):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)


ARTIFACTS = (
    function(
        "api",
        "the decision API and the storefront",
        *_EVENTS,
        *_APP,
        "lambdas/bodies.py",
        "lambdas/event_routes.py",
        "lambdas/schemas.py",
        "lambdas/api",
        "lambdas/storefront",
        "sagemaker/mercato_models",
    ),
    function(
        "collector",
        "events from shops into Kafka",
        *_EVENTS,
        *_APP,
        "lambdas/event_routes.py",
        "lambdas/collector",
    ),
    function(
        "admin",
        "the panel for reviewers",
        *_EVENTS,
        *_APP,
        "lambdas/bodies.py",
        "lambdas/schemas.py",
        "lambdas/admin",
    ),
    function("landing", "files from partners into Kafka", *_DELIVERY, "lambdas/landing"),
    function("pollers", "feeds from outside into Kafka", *_DELIVERY, "lambdas/pollers"),
    function("features", "events into the online store", *_EVENTS, "lambdas/msk.py", "lambdas/features"),
    plain("alerts", "alarms to PagerDuty"),
    plain(
        "deployer",
        "approved models to their endpoints",
        "mercato/__init__.py",
        "mercato/cloud/__init__.py",
        "mercato/cloud/registry.py",
    ),
)
