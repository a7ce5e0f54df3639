"""Propose next week's prices with the approved price model: a Glue or EMR job.

python proposals.py --prefix mercato-dev- --lake-uri s3://shop-{layer} --to s3://shop-models/predictions

All of them go to `proposals.parquet` in that folder, with the whole list's figures in `proposals.json` beside
it, and those that move a price to the online store, where the admin panel finds them. No price changes before
a person accepts it.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mercato.decisions.price import COST_SHARE, Guardrails
from mercato.decisions.price_limits import Limits, parse
from mercato.decisions.price_list import price_list, proposals
from mercato.decisions.price_standing import Shop
from mercato.errors import MercatoError
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato.online.connection import BULK_TIMEOUT_SECONDS, connect
from mercato.online.prices import PriceBook
from mercato_models import batch_scoring, datasets, sagemaker_registry
from mercato_models.price import NAME, channels, published

#: Where the limits are if they are anywhere: beside what was deployed, which this job may read.
_LIMITS = ("artifacts", "price/limits.csv")


def main(arguments: list[str] | None = None) -> None:
    """Propose, unless no version is approved; unknown arguments, which these services add, are ignored."""
    parser = batch_scoring.parser(__doc__)
    parser.add_argument(
        "--cost-share", type=float, default=COST_SHARE, help="a unit's cost as a share of its usual price"
    )
    parser.add_argument(
        "--limits",
        help="CSV file of limits, s3://BUCKET/FILE: product_id, store_id (optional), minimum_advertised, "
        "ceiling, unit_cost; by default price/limits.csv of the artifacts' bucket, if it is there",
    )
    args, _ = parser.parse_known_args(arguments)
    settings, group = batch_scoring.settings_of(args), f"{args.prefix}{NAME}"
    lake = Lake(settings.lake_uri)
    with sagemaker_registry.approved(group) as approved:
        if approved is None:
            print(json.dumps({"proposals": 0, "reason": f"no version of {group} is approved"}), flush=True)
            return
        with connect(settings, timeout=BULK_TIMEOUT_SECONDS) as redis:
            book = PriceBook(redis)
            made = price_list(
                _panel(lake),
                channels.elasticities(approved.folder),
                approved.model,
                shop=Shop.of(lake.read_arrow, book.charged_anywhere(), _limits(lake, args.limits)),
                cost_share=args.cost_share,
                rules=Guardrails(),
                now=datetime.now(UTC),
            )
            published.to_folder(made, args.to)
            waiting = book.propose(proposals(made.rows))
        summary = {"proposals": len(made.rows), "waiting": waiting, "model": approved.version}
        print(json.dumps(summary | made.summary.as_dict()), flush=True)


def _panel(lake: Lake) -> pd.DataFrame:
    """The weeks so far, up to the newest."""
    with tempfile.TemporaryDirectory() as scratch:
        datasets.write(NAME, lake, Path(scratch))
        return channels.read(Path(scratch))


def _limits(lake: Lake, given: str | None) -> Limits:
    uri = given or lake.beside(*_LIMITS)
    storage, path = filesystem(uri)
    try:
        with storage.open_input_stream(path) as file:
            return parse(file.read(), uri)
    except FileNotFoundError as error:
        if given:
            raise MercatoError(f"There is no {uri} with limits.") from error
        return Limits()


if __name__ == "__main__":
    main()
