"""Write docs/reference/api.md from the apps' OpenAPI documents: `python -m lambdas.reference FILE`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.admin import app as admin
from lambdas.api import app as api
from lambdas.problem import MEDIA_TYPE, PROBLEMS, FieldError, FilledIn, ProblemDetail
from lambdas.scopes import ADMIN_ROUTES, PEOPLE, ROUTES
from mercato.contracts.words import Schema, Words, code, table

_HEADER = """\
# HTTP API

Generated from `lambdas` by `make docs`; a test fails when it is out of date.

On one machine `mercato up api` starts the API, as `make demo` does, and `mercato status --url api` prints its
address. There `/docs` shows each route with a `curl` command, and `/openapi.json` is the OpenAPI document.
The admin panel is an app of its own: `mercato up admin` starts it, `mercato status --url admin` prints the
address of its page, and `/admin/openapi.json` describes its routes. Neither asks for a token.

On AWS both are behind API Gateway. Send `Authorization: Bearer TOKEN`, with a token that has the route's
scope; [a client gets one from Cognito](../how-to/deploy-to-aws.md#send-the-first-request). The gateway
itself answers 401 without a valid token, 403 without the scope and 429 above its limit; these are no problem
documents.

Bodies are JSON. Times are in UTC, prices in US dollars. A parameter that is an array is repeated:
`?exclude=1&exclude=2`.
"""
_EVENTS = (
    "An event is as in its [topic](contracts.md#topics), with a field `topic` where the path names none."
)
_PROBLEMS = f"""\
## Problems

Every error is a problem document (RFC 9457, `{MEDIA_TYPE}`); its `type` is `/problems/CODE`. Any route
may also answer `not_found`, `method_not_allowed` and `internal`. `Retry-After` says after how many seconds it
makes sense to try again.
"""
_OTHERS = """\
## Other addresses

Pages for people and what belongs to them; the OpenAPI documents leave them out.
"""
_PARAMETERS = ("Name", "In", "Type", "Default", "Allowed", "Meaning")
_FIELDS = ("Field", "Type", "Default", "Allowed", "Meaning")
_ANSWER = ("Field", "Type", "Meaning")
_JSON = "application/json"
_REQUIRED = "required"


@dataclass(frozen=True)
class Route:
    """A route and what its OpenAPI document says of it."""

    group: str
    method: str
    path: str
    scope: str | None
    operation: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def render() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    documents = {"": api.create_app().openapi(), "Admin panel: ": admin.create_app().openapi()}
    words = Words(_definitions(*documents.values()), linked=True)
    routes = [route for prefix, document in documents.items() for route in _routes(prefix, document)]
    yield _HEADER
    yield from table(("Route", "What it does", "Scope on AWS"), map(_summary, routes))
    group = ""
    for route in routes:
        if route.group != group:
            group = route.group
            yield f"## {group}\n"
        yield from _section(words, route)
    yield "## Objects\n\nWhat answers and bodies hold.\n"
    asked = _held(words, [route.operation.get("requestBody") for route in routes])
    for name in sorted(_held(words, [route.operation for route in routes])):
        yield from _object(words, name, asked=name in asked)
    yield _PROBLEMS
    rows = ((code(each), str(int(status)), title) for each, (status, title) in PROBLEMS.items())
    yield from table(("Code", "Status", "Meaning"), rows)
    for name in (ProblemDetail.__name__, FieldError.__name__, FilledIn.__name__):
        yield from _object(words, name)
    yield _OTHERS
    named = {route.name for route in routes}
    others = (each for each in (*ROUTES, *ADMIN_ROUTES) if f"{each[0]} {each[1]}" not in named)
    yield from table(
        ("Address", "Scope on AWS"), ((code(f"{m} {p}"), _scope(scope)) for m, p, scope in others)
    )


def _definitions(*documents: Schema) -> dict[str, Schema]:
    merged: dict[str, Schema] = {}
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            if merged.setdefault(name, schema) != schema:
                raise ValueError(f"Two different objects are named {name}; a link could not say which.")
    return merged


def _routes(prefix: str, document: Schema) -> Iterator[Route]:
    """Routes of one app, those with the same tag together."""
    scopes = {(method, path): scope for method, path, scope in (*ROUTES, *ADMIN_ROUTES)}
    routes = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = method.upper()
            group = (prefix + operation["tags"][0]).capitalize()
            routes.append(Route(group, name, path, scopes[name, path], operation))
    groups = list(dict.fromkeys(route.group for route in routes))
    yield from sorted(routes, key=lambda route: groups.index(route.group))


def _summary(route: Route) -> tuple[str, str, str]:
    anchor = re.sub(r"[^\w\- ]", "", route.name.lower()).replace(" ", "-")
    return f"[{code(route.name)}](#{anchor})", route.operation["summary"], _scope(route.scope)


def _scope(scope: str | None) -> str:
    return code(scope) if scope and scope != PEOPLE else scope or "none"


def _section(words: Words, route: Route) -> Iterator[str]:
    asked = route.operation
    yield f"### {code(route.name)}\n"
    yield f"{asked['summary']}. {asked['description'].strip()}\n"
    yield f"Scope on AWS: {_scope(route.scope)}.\n"
    if parameters := asked.get("parameters"):
        yield from table(_PARAMETERS, (_parameter(words, each) for each in parameters))
    if "requestBody" in asked:
        yield from _body(words, asked["requestBody"])
    problems = []
    for status, answer in asked["responses"].items():
        if MEDIA_TYPE in answer.get("content", {}):
            problems += [f"{code(each)} ({status})" for each in answer["content"][MEDIA_TYPE]["examples"]]
        else:
            yield from _answer(words, status, answer)
    if problems:
        yield f"[Problems](#problems): {', '.join(problems)}.\n"


def _parameter(words: Words, parameter: Schema) -> tuple[str, ...]:
    name, *rest = _field(words, parameter["name"], parameter["schema"], parameter["required"])
    return name, parameter["in"], *rest


def _field(words: Words, name: str, schema: Schema, required: bool) -> tuple[str, ...]:
    usual = schema.get("default")
    default = _REQUIRED if required else "" if usual in (None, "", []) else code(usual)
    return code(name), words.kind(schema), default, words.allowed(schema), _meaning(schema)


def _meaning(schema: Schema) -> str:
    description: str = schema.get("description", "")
    examples = [
        item for each in schema.get("examples", []) for item in (each if isinstance(each, list) else [each])
    ]
    return f"{description} E.g. {', '.join(map(code, examples))}" if examples else description


def _body(words: Words, body: Schema) -> Iterator[str]:
    content = body["content"][_JSON]
    schema = content["schema"]
    if name := words.named(schema):
        definition = words.definitions[name]
        more = definition.get("additionalProperties", True)
        closed = "" if more else " A field that is not listed is refused."
        yield f"Body: {definition['description']}{closed}\n"
        yield from table(_FIELDS, _asked(words, name))
    else:
        yield f"Body: {words.kind(schema)}, {words.allowed(schema)}. {body['description']} {_EVENTS}\n"
    for example in list(content.get("examples", {}).values())[:1]:
        yield f"```json\n{json.dumps(example['value'])}\n```\n"


def _asked(words: Words, name: str) -> Iterator[tuple[str, ...]]:
    """Fields of an object that callers send."""
    definition = words.definitions[name]
    for each, schema in definition["properties"].items():
        yield _field(words, each, schema, each in definition.get("required", []))


def _answer(words: Words, status: str, answer: Schema) -> Iterator[str]:
    for media, content in answer.get("content", {}).items():
        if name := words.named(content["schema"]):
            yield f"Answers {status}. {words.definitions[name]['description']}\n"
            yield from table(_ANSWER, _fields(words, name))
        else:
            yield f"Answers {status} with {'an object' if media == _JSON else code(media)}.\n"
    if "content" not in answer:
        yield f"Answers {status}: {answer['description']}\n"


def _fields(words: Words, name: str) -> Iterator[tuple[str, ...]]:
    """Fields of an object that callers get."""
    for each, schema in words.definitions[name]["properties"].items():
        values = words.allowed(schema)
        meaning = f"{_meaning(schema)} One of {values}." if values else _meaning(schema)
        yield code(each), words.kind(schema), meaning


def _object(words: Words, name: str, asked: bool = False) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{words.definitions[name]['description']}\n"
    yield from table(_FIELDS, _asked(words, name)) if asked else table(_ANSWER, _fields(words, name))


def _held(words: Words, part: Any) -> set[str]:
    """Names of the objects inside of those that a part of a document refers to."""
    names: set[str] = set()
    new = {name for name in _named(part) if name != ProblemDetail.__name__}
    while new:
        inner = {each for name in new for each in _named(words.definitions[name])}
        new = {name for name in inner - names if words.named({"$ref": name})}
        names |= new
    return names


def _named(part: Any) -> Iterator[str]:
    """Names that anything within part of a document refers to."""
    if isinstance(part, Mapping):
        if isinstance(target := part.get("$ref"), str):
            yield target.rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _named(each)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
