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
    parser.add_argument("--redis-secret", help="name of the secret that holds the online store's address")
    parser.add_argument("--engine", help="sail, spark, sc://host:port, or active for the session at hand")
    parser.add_argument("--full", help="write every row, changed or not", action="store_true")
    args, _ = parser.parse_known_args(arguments)
    settings = get_settings()
    if args.redis_secret:
        settings = settings.model_copy(update={"redis_url": redis_url(args.redis_secret)})
    with connect(settings, args.engine) as spark:
        lake = Lake(args.lake_uri or settings.lake_uri)
        for outcome in materialize(spark, lake, settings, full=args.full):
            print(json.dumps(dataclasses.asdict(outcome)), flush=True)


def redis_url(secret: str) -> str:
    """Address in a secret of AWS Secrets Manager, whose JSON has `url` (`rediss://user:password@host:port/0`)."""
    import boto3

    held = boto3.client("secretsmanager").get_secret_value(SecretId=secret)
    return str(json.loads(held["SecretString"])["url"])


if __name__ == "__main__":
    main()
