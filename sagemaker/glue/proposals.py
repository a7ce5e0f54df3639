"""Propose next week's prices with the approved price model: a Glue or EMR job.

python proposals.py --prefix mercato-dev- --lake-uri s3://shop-{layer} --to s3://shop-models/predictions

All of them go to `proposals.parquet` in that folder. No price changes by that.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mercato.decisions.price import Guardrails
from mercato.decisions.price_list import price_list
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato.settings import get_settings
from mercato_models import datasets, registry
from mercato_models.price import NAME, channels

_FILE = "proposals.parquet"


def main(arguments: list[str] | None = None) -> None:
    """Propose, unless no version is approved; unknown arguments, which these services add, are ignored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--prefix", default="", help="before the model's name, in that of its package group")
    parser.add_argument("--lake-uri", help="root of the lake; MERCATO_LAKE_URI by default")
    parser.add_argument("--to", required=True, help="folder for the file, s3://BUCKET/FOLDER")
    parser.add_argument(
        "--cost-share", type=float, default=0.7, help="a unit's cost as a share of its usual price"
    )
    args, _ = parser.parse_known_args(arguments)
    group = f"{args.prefix}{NAME}"
    with registry.approved(group) as found:
        if found is None:
            print(json.dumps({"proposals": 0, "reason": f"no version of {group} is approved"}), flush=True)
            return
        rows = price_list(
            _panel(Lake(args.lake_uri or get_settings().lake_uri)),
            pd.read_parquet(found.folder / channels.ELASTICITIES),
            found.model,
            cost_share=args.cost_share,
            rules=Guardrails(),
            now=datetime.now(UTC),
        )
        storage, path = filesystem(f"{args.to}/{_FILE}")
        rows.to_parquet(path, filesystem=storage, index=False)
        print(json.dumps({"proposals": len(rows), "model": found.version}), flush=True)


def _panel(lake: Lake) -> pd.DataFrame:
    """The weeks so far, up to the newest."""
    with tempfile.TemporaryDirectory() as scratch:
        datasets.write(NAME, lake, Path(scratch))
        return channels.read(Path(scratch))


if __name__ == "__main__":
    main()
