"""Writes docs/reference/local-aws.md: what the emulator makes of each type that the templates use.

`python -m infra.emulator.reference cdk.out/local docs/reference/local-aws.md`
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from infra.emulator.types.catalog import TYPES
from infra.emulator.types.registration import Fidelity
from mercato.cloud.template import Resource, read
from mercato.errors import MercatoError

_HEAD = """# What `make deploy-local` really makes

Written by `make docs` from the templates of the environment `local` and from `infra/emulator/types/`; a test
compares the two with this page, and another asks for each resource by boto3 after a deploy.

- **real**: the service describes it, by the same boto3 call as on AWS.
- **faked**: the service describes it, but what it does on AWS does not happen.
- **recorded**: it is in its stack, with its properties, and nowhere else.

Permissions are not enforced anywhere: that a role allows what its code does is held by other tests.

| Type | Stacks | Count | Here | Note |
|---|---|---:|---|---|
"""


class UnknownTypeError(MercatoError):
    """The templates use a type that nobody has looked into."""


def page(resources: Iterable[Resource]) -> str:
    """The page for these resources.

    Raises:
        UnknownTypeError: a type has no registration.
    """
    stacks: dict[str, list[str]] = defaultdict(list)
    for each in resources:
        stacks[each.type].append(each.stack.rpartition("-")[2])
    unknown = sorted(set(stacks) - set(TYPES))
    if unknown:
        raise UnknownTypeError(
            f"infra/emulator/types says nothing of {', '.join(unknown)}: register them there."
        )
    rows = [_row(name, where) for name, where in sorted(stacks.items())]
    return f"{_HEAD}{chr(10).join(rows)}\n\n{_sums(stacks)}\n"


def _row(name: str, where: list[str]) -> str:
    known = TYPES[name]
    cells = (f"`{name}`", ", ".join(sorted(set(where))), str(len(where)), known.fidelity, known.note)
    return f"| {' | '.join(cells)} |"


def _sums(stacks: dict[str, list[str]]) -> str:
    sums = {
        kind: sum(len(where) for name, where in stacks.items() if TYPES[name].fidelity is kind)
        for kind in Fidelity
    }
    shown = ", ".join(f"{count} {kind}" for kind, count in sums.items())
    return f"{sum(sums.values())} resources of {len(stacks)} types: {shown}."


def main(assembly: str, target: str) -> None:
    """Write the page."""
    Path(target).write_text(page(read(Path(assembly), "local").resources))


if __name__ == "__main__":
    main(*sys.argv[1:])
