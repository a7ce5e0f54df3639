"""The page of routes says what the apps serve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lambdas.admin import app as admin
from lambdas.api import app as api
from lambdas.collector import app as collector
from lambdas.problem import PROBLEMS
from lambdas.reference import render
from lambdas.scopes import ADMIN_ROUTES, PEOPLE, ROUTES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"
TEXT = PAGE.read_text()
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
DOCUMENTS = (api.create_app().openapi(), admin.create_app().openapi())
DESCRIBED = {
    f"{method.upper()} {path}"
    for document in DOCUMENTS
    for path, methods in document["paths"].items()
    for method in methods
}


def rows(text: str) -> list[list[str]]:
    """Cells of the rows of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_reference_page_is_up_to_date() -> None:
    assert render() == TEXT, "run `make docs`"


def test_every_route_is_on_the_page_with_its_scope() -> None:
    for method, path, scope in (*ROUTES, *ADMIN_ROUTES):
        said = scope if scope == PEOPLE else f"`{scope}`" if scope else "none"
        name = f"{method} {path}"
        if name in DESCRIBED:
            assert f"Scope on AWS: {said}." in SECTIONS[f"`{name}`"]
        else:
            assert f"| `{name}` | {said} |" in TEXT


def test_the_collector_serves_some_of_the_routes() -> None:
    served = collector.create_app().openapi()["paths"]
    assert {f"`{method.upper()} {path}`" for path in served for method in served[path]} <= SECTIONS.keys()


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ("POST /v1/payments/decisions", "`online_unavailable` (503), `model_unavailable` (503)"),
        ("POST /v1/events", "`contract_violation` (422)"),
        ("GET /admin/v1/prices", "`invalid_parameters` (422)"),
        ("POST /admin/v1/payments/{payment_id}/review", "`already_reviewed` (409)"),
    ],
)
def test_problems_are_named_also_where_several_have_one_status(route: str, code: str) -> None:
    assert code in SECTIONS[f"`{route}`"]


def test_no_route_is_said_to_answer_what_fastapi_would() -> None:
    assert [each for each in DOCUMENTS if "HTTPValidationError" in each["components"]["schemas"]] == []


def test_every_problem_is_explained() -> None:
    explained = {
        code.strip("`"): int(status)
        for code, status, _ in rows(TEXT.partition("## Problems")[2])[: len(PROBLEMS)]
    }
    assert explained == {code: status.value for code, (status, _) in PROBLEMS.items()}


def test_bounds_and_values_are_there() -> None:
    asked = {name: cells for name, *cells in rows(SECTIONS["`GET /v1/recommendations/{household_id}`"])}
    assert asked["`n`"] == ["query", "integer", "`10`", "1 to 100", "Items wanted."]
    body = {name: cells for name, *cells in rows(SECTIONS["`POST /admin/v1/prices/decisions`"])}
    assert body["`action`"][:3] == ["string", "required", "`accept`, `reject`, `withdraw`"]
    assert "1 to 1,000 items" in SECTIONS["`POST /v1/events`"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_has_a_meaning(section: str) -> None:
    assert [cells[0] for cells in rows(SECTIONS[section]) if not cells[-1]] == []


def test_links_lead_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#(.+?)\)", TEXT)) <= anchors
