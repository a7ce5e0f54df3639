"""Write the templates of an environment: compose its stacks, hold them to the rules, synthesize."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from aws_cdk import App

from infra.artifacts.artifact import ROOT
from infra.cdk.compose import compose
from infra.cdk.config import environments, load
from infra.cdk.rules import check
from mercato.errors import MercatoError


class ValidationFailedError(MercatoError):
    """A template breaks a rule that nobody has given a reason for."""


def main(arguments: list[str] | None = None) -> int:
    """Write the templates; the CDK CLI gives its context, a person `--env`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", help=f"{', '.join(environments())}; the context's `env`, or dev, by default")
    parser.add_argument("--out", type=Path, help="folder; cdk.out/ENV, or what the CDK CLI says, by default")
    parser.add_argument("--overlay", type=Path, help="JSON laid over the environment's file")
    args = parser.parse_args(arguments)
    try:
        outdir = args.out or (ROOT / "cdk.out" / args.env if args.env else None)
        # The CDK CLI hands over what is in cdk.json; without it, this does.
        flags = json.loads((ROOT / "cdk.json").read_text())["context"]
        app = App(outdir=str(outdir) if outdir else None, context=flags)
        name = args.env or app.node.try_get_context("env") or "dev"
        config = load(name, json.loads(args.overlay.read_text()) if args.overlay else {})
        compose(app, config)
        check(app, config)
        _synth(app)
    except MercatoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _synth(app: App) -> None:
    try:
        app.synth()
    except RuntimeError as error:
        # The findings are on the screen already; the rest is how they crossed two languages.
        if "ValidationFailed" not in str(error):
            raise
        raise ValidationFailedError(
            "the templates break rules: mend what is listed above, or give a reason in infra/cdk/rules.py."
        ) from error
