"""One demo for all end-to-end tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[2]
JARS = ROOT / "var" / "jars"
#: Screenshots of the newest run.
SHOTS = ROOT / "var" / "screenshots"


@pytest.fixture(scope="package")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of the demo; MERCATO_E2E_HOME names that of a running one to use instead."""
    running = os.environ.get("MERCATO_E2E_HOME")
    return Path(running) if running else tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="package")
def told(demo_home: Path) -> Iterator[dict[str, Any]]:
    """What a demo with 200 households and all models says once everything runs."""
    environment = {**os.environ, "MERCATO_HOME": str(demo_home), "MERCATO_JARS_DIR": str(JARS)}
    if "MERCATO_E2E_HOME" in os.environ:
        yield json.loads((demo_home / "bench" / "demo.json").read_text())
        return
    command = [sys.executable, "-m", "mercato", "demo", "--households", "200", "--all-models", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the demo ended with {process.wait()}"
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="package")
def demo(told: dict[str, Any]) -> str:
    """Address of its page."""
    url: str = told["url"]
    return url


@pytest.fixture
def requested(demo: str) -> Iterator[list[str]]:
    """Addresses that the test's pages asked for; none may be of another origin."""
    addresses: list[str] = []
    yield addresses
    assert [address for address in addresses if not address.startswith((demo, "data:"))] == []


@pytest.fixture
def context(browser: Browser, demo: str, requested: list[str]) -> Iterator[BrowserContext]:
    """A browser context of the test's own; a script error fails the test."""
    context = browser.new_context(base_url=demo, viewport={"width": 1280, "height": 900})
    context.on("request", lambda request: requested.append(request.url))
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of that context."""
    return context.new_page()
