"""Every type of resource that is synthesized is priced, or known to be free; the page says what it costs."""

from __future__ import annotations

import functools
import os
import re

import pytest

from infra.artifacts.artifact import ROOT
from mercato.cloud.cost.estimate import Cost, Estimate, estimate
from mercato.cloud.cost.prices import newest
from mercato.cloud.cost.usage import load
from mercato.cloud.template import read
from tests.infra.templates import ENVIRONMENTS, folder

pytestmark = [pytest.mark.timeout(900)]

PAGE = ROOT / "docs" / "explanation" / "cost.md"
_TABLE = re.compile(r"(?<=<!-- estimates -->\n).*(?=<!-- end -->)", re.DOTALL)


@functools.cache
def _estimate(environment: str) -> Estimate:
    assembly = read(folder(environment), environment)
    return estimate(assembly, newest(assembly.region), load())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_left_without_a_price(environment: str) -> None:
    done = _estimate(environment)
    assert done.not_priced == ()
    assert done.stacks


def test_dev_is_the_cheapest_to_keep() -> None:
    idle = {environment: _estimate(environment).total.idle for environment in ENVIRONMENTS}
    assert idle["dev"] < idle["stage"] < idle["prod"]


def _row(name: str, dev: Cost, prod: Cost) -> str:
    return f"| {name} | {dev.idle:,.0f} | {prod.idle:,.0f} | {prod.monthly:,.0f} |\n"


def _table() -> str:
    dev, prod = _estimate("dev"), _estimate("prod")
    planes = dict.fromkeys(stack.rpartition("-")[2] for stack in (*prod.stacks, *dev.stacks))
    rows = [_row(plane, dev.of(f"mercato-dev-{plane}"), prod.of(f"mercato-prod-{plane}")) for plane in planes]
    return (
        "| Stack | dev, idle | prod, idle | prod |\n|---|---|---|---|\n"
        + "".join(rows)
        + _row("**all**", dev.total, prod.total)
    )


def test_the_page_says_what_each_stack_costs() -> None:
    """Made anew with MERCATO_WRITE_INVENTORY=1, as the inventory is; review the difference."""
    page = PAGE.read_text()
    if os.environ.get("MERCATO_WRITE_INVENTORY"):
        page = _TABLE.sub(_table(), page)
        PAGE.write_text(page)
    found = _TABLE.search(page)
    assert found is not None
    assert found[0] == _table()
