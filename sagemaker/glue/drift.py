"""Compare what the approved models are asked with what they learned from: a Glue or EMR job.

python drift.py --prefix mercato-dev- --lake-uri s3://shop-{layer} --captures s3://shop-models/capture \\
    --to s3://shop-models/predictions

What it finds goes to `drift.json` in that folder, and to CloudWatch, where the alarms look at it.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import boto3

from mercato.lake.tables import Lake
from mercato_models import batch_scoring, sagemaker_registry
from mercato_models.drift.baseline import NoBaselineError
from mercato_models.drift.report import MODELS, Asked, Report, report

log = logging.getLogger(__name__)

_NAMESPACE = "Mercato"
FILE = "drift.json"


def main(arguments: list[str] | None = None) -> None:
    """Look at each model that has an approved version; unknown arguments are ignored.

    Raises:
        SystemExit: a model could not be looked at; the others were.
    """
    parser = batch_scoring.parser(__doc__)
    parser.add_argument("--captures", required=True, help="folder with the models' kept requests, s3://...")
    parser.add_argument("--days", type=int, default=7, help="days that requests may be old (default: 7)")
    args, _ = parser.parse_known_args(arguments)
    lake = Lake(batch_scoring.settings_of(args).lake_uri)
    asked = Asked(lake, args.captures, args.days, datetime.now(UTC))
    found: dict[str, Report] = {}
    skipped, failures = {}, {}
    for name in MODELS:
        try:
            if made := _of(name, f"{args.prefix}{name}", asked):
                found[name] = made
        except NoBaselineError as error:  # approved before there were any: the next training mends it
            skipped[name] = str(error)
        except Exception as error:  # whatever it is, the others are looked at
            log.exception("%s could not be looked at", name)
            failures[name] = str(error)
    summary = {
        "at": asked.now.isoformat(),
        "models": [made.as_dict() for made in found.values()],
        "skipped": skipped,
        "failures": failures,
    }
    batch_scoring.tell(summary, args.to, FILE)
    lines = [made.line() for made in found.values()]
    print(json.dumps({"lines": lines, "skipped": skipped, "failures": failures}), flush=True)
    for name, made in found.items():
        if made.drift.judged:
            _count(f"{args.prefix}{name}", made)
    if failures:
        sys.exit(f"drift: {'; '.join(f'{name}: {why}' for name, why in failures.items())}")


def _of(name: str, group: str, asked: Asked) -> Report | None:
    """Of one model; `None` if no version is approved."""
    with sagemaker_registry.approved(group) as approved:
        return report(name, approved.model, approved.folder, asked) if approved else None


def _count(group: str, made: Report) -> None:
    """Tell CloudWatch."""
    drift = made.drift
    values = {"Drifted": float(drift.drifted), "ScoreDrift": drift.score, "InputDrift": drift.inputs}
    of = [{"Name": "Model", "Value": group}]
    boto3.client("cloudwatch").put_metric_data(
        Namespace=_NAMESPACE,
        MetricData=[
            {"MetricName": name, "Dimensions": of, "Value": value, "Timestamp": datetime.now(UTC)}
            for name, value in values.items()
        ],
    )


if __name__ == "__main__":
    main()
