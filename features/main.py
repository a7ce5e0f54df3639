"""Entry script that brings the online store up to date, as a Glue or EMR job.

python -m features.main --lake-uri s3://bucket/lake --engine active
"""

from __future__ import annotations

import argparse
import dataclasses
import json

from features.materialize import materialize
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import get_settings


def main(arguments: list[str] | None = None) -> None:
    """Materialise every view; unknown arguments, which these services add, are ignored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--lake-uri", help="root of the lake; MERCATO_LAKE_URI by default")
    parser.add_argument("--redis-url", help="address of the online store; MERCATO_REDIS_URL by default")
    parser.add_argument(
        "--redis-secret", help="ARN of the secret of its user; MERCATO_REDIS_SECRET_ARN by default"
    )
    parser.add_argument("--engine", help="sail, spark, sc://host:port, or active for the session at hand")
    parser.add_argument("--full", help="write every row, changed or not", action="store_true")
    args, _ = parser.parse_known_args(arguments)
    given = {
        "lake_uri": args.lake_uri,
        "redis_url": args.redis_url,
        "redis_secret_arn": args.redis_secret,
    }
    settings = get_settings().model_copy(update={name: value for name, value in given.items() if value})
    with connect(settings, args.engine) as spark:
        lake = Lake(settings.lake_uri)
        for outcome in materialize(spark, lake, settings, full=args.full):
            print(json.dumps(dataclasses.asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
