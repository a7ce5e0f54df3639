"""Say of every active household what the approved churn model expects of it: a Glue or EMR job.

python outlook.py --prefix mercato-dev- --lake-uri s3://shop-{layer} --to s3://shop-models/predictions

All of them go to `outlook.parquet` in that folder, and to the online store, where the API finds them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.decisions.outlook import outlook
from mercato.lake.tables import Lake
from mercato_models import batch_scoring, sagemaker_registry
from mercato_models.churn import NAME, published


def main(arguments: list[str] | None = None) -> None:
    """Score, unless no version is approved; unknown arguments, which these services add, are ignored."""
    args, _ = batch_scoring.parser(__doc__).parse_known_args(arguments)
    settings, group = batch_scoring.settings_of(args), f"{args.prefix}{NAME}"
    with sagemaker_registry.approved(group) as approved:
        if approved is None:
            print(json.dumps({"households": 0, "reason": f"no version of {group} is approved"}), flush=True)
            return
        lines = Lake(settings.lake_uri).read_arrow(BASKET_LINES).to_pandas()
        rows = outlook(lines, approved.model, datetime.now(UTC))
        published.to_folder(rows, args.to)
        published.to_store(rows, settings)
        print(json.dumps({"households": len(rows), "model": approved.version}), flush=True)


if __name__ == "__main__":
    main()
