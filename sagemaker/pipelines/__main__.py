"""SageMaker pipelines: write their definitions, or put one into an account and start it.

    python -m pipelines write infra/cdk/generated
    python -m pipelines start recommend --name mercato-dev-recommend --role ARN --parameter DataUri=s3://...

`AWS_ENDPOINT_URL` leads to an emulator.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from pipelines.models import MODELS


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says."""
    args = _parser().parse_args(arguments)
    # The SDK makes clients while it is imported, which no definition depends on.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    logging.disable(logging.WARNING)
    result = _write(args.folder) if args.verb == "write" else _start(args)
    print(
        json.dumps(result) if args.json else "\n".join(f"{name}: {value}" for name, value in result.items())
    )


def _write(folder: Path) -> dict[str, str]:
    """Writes what the stacks read: a definition per model, and the images by region."""
    from pipelines.build import pipeline, session
    from pipelines.images import images

    built = {name: pipeline(model, name, session()) for name, model in MODELS.items()}
    written = {f"pipeline-{name}.json": _text(json.loads(each.definition())) for name, each in built.items()}
    written["images.json"] = _text(images())
    for name, text in written.items():
        (folder / name).write_text(text)
    return {name: str(folder / name) for name in written}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _start(args: argparse.Namespace) -> dict[str, str]:
    """Creates or updates a pipeline, and starts it."""
    from pipelines.deploy import start

    parameters = dict(text.split("=", 1) for text in args.parameter)
    return start(MODELS[args.model], args.name, args.role, parameters)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="what was done, as JSON on stdout")
    verbs = parser.add_subparsers(dest="verb", required=True)
    write = verbs.add_parser("write", help="pipeline-MODEL.json and images.json")
    write.add_argument("folder", type=Path)
    start = verbs.add_parser("start", help="create or update a pipeline, then start it")
    start.add_argument("model", choices=MODELS)
    start.add_argument("--name", required=True, help="of the pipeline in the account")
    start.add_argument("--role", required=True, help="ARN of the role under which it runs")
    start.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    return parser


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"pipelines: {error}")
