"""Propose next week's prices with the approved price model: a Glue or EMR job.

python proposals.py --prefix mercato-dev- --lake-uri s3://shop-{layer} --to s3://shop-models/predictions

All of them go to `proposals.parquet` in that folder, and those that move a price to the online store, where
the admin panel finds them. No price changes before a person accepts it.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mercato.contracts.tables.silver import PRODUCTS
from mercato.decisions.price import Guardrails
from mercato.decisions.price_list import price_list, proposals
from mercato.lake.tables import Lake
from mercato.online.connection import connect
from mercato.online.prices import PriceBook
from mercato.settings import Settings
from mercato_models import datasets, registry, scoring
from mercato_models.price import NAME, channels

_FILE = "proposals.parquet"
#: Bulk writes may wait longer than a request may.
_TIMEOUT_SECONDS = 30.0


def main(arguments: list[str] | None = None) -> None:
    """Propose, unless no version is approved; unknown arguments, which these services add, are ignored."""
    parser = scoring.parser(__doc__)
    parser.add_argument(
        "--cost-share", type=float, default=0.7, help="a unit's cost as a share of its usual price"
    )
    args, _ = parser.parse_known_args(arguments)
    settings, group = scoring.settings_of(args), f"{args.prefix}{NAME}"
    lake = Lake(settings.lake_uri)
    with registry.approved(group) as found:
        if found is None:
            print(json.dumps({"proposals": 0, "reason": f"no version of {group} is approved"}), flush=True)
            return
        rows = price_list(
            _panel(lake),
            pd.read_parquet(found.folder / channels.ELASTICITIES),
            found.model,
            products=lake.read_arrow(PRODUCTS),
            cost_share=args.cost_share,
            rules=Guardrails(),
            now=datetime.now(UTC),
        )
        scoring.keep(rows, args.to, _FILE)
        waiting = _serve(rows, settings)
        said = {"proposals": len(rows), "waiting": waiting, "model": found.version}
        print(json.dumps(said), flush=True)


def _panel(lake: Lake) -> pd.DataFrame:
    """The weeks so far, up to the newest."""
    with tempfile.TemporaryDirectory() as scratch:
        datasets.write(NAME, lake, Path(scratch))
        return channels.read(Path(scratch))


def _serve(rows: pd.DataFrame, settings: Settings) -> int:
    with connect(settings, timeout=_TIMEOUT_SECONDS) as redis:
        return PriceBook(redis).propose(proposals(rows))


if __name__ == "__main__":
    main()
