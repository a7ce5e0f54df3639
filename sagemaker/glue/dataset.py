"""Write what a model learns from to S3, where its pipeline finds it: a Glue or EMR job.

python dataset.py --model churn --lake-uri s3://shop-{layer} --to s3://shop-models/datasets

With `--demographics s3://BUCKET/FILE` (Parquet or CSV with household_id, age, income and household_size, the
values as `mercato_models.demographics` names them) the model is also judged by groups of people.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import get_settings
from mercato_models import datasets, demographics, manifest

#: The model whose features of the past are computed by a session.
_RANKER = "recommend"


def main(arguments: list[str] | None = None) -> None:
    """Write one dataset; unknown arguments, which these services add, are ignored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--model", required=True, choices=[_RANKER, *datasets.DATASETS])
    parser.add_argument("--lake-uri", help="root of the lake; MERCATO_LAKE_URI by default")
    parser.add_argument("--to", required=True, help="folder of every model's datasets, s3://BUCKET/FOLDER")
    parser.add_argument(
        "--demographics", metavar="URI", help="what is known of households (default: nothing)"
    )
    parser.add_argument("--engine", help="sail, spark, sc://host:port, or active for the session at hand")
    args, _ = parser.parse_known_args(arguments)
    lake = Lake(args.lake_uri or get_settings().lake_uri)
    known = args.demographics and args.model in datasets.OF_PEOPLE
    people = datasets.people(args.demographics) if known else None
    folder, version = f"{args.to}/{args.model}", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with tempfile.TemporaryDirectory() as scratch:
        channel = Path(scratch) / "channel"
        if args.model == _RANKER:
            _write_rankers(lake, f"{folder}/{version}/lake", channel, args.engine)
        else:
            datasets.write(args.model, lake, channel)
        if people is not None:
            demographics.write(channel, people)
        files = manifest.publish(channel, folder, version)
    print(json.dumps({"model": args.model, "version": version, "files": files}), flush=True)


def _write_rankers(lake: Lake, beside: str, channel: Path, engine: str | None) -> None:
    """The ranker's channel; `beside` is where the session's workers keep what they compute on the way."""
    from mercato_models.recommend.pipeline import write_channel

    # Feast keeps its registry where the channel is: whoever runs jobs may write nowhere else.
    settings = get_settings().model_copy(update={"home": channel.parent, "lake_uri": beside})
    with connect(settings, engine) as spark:
        write_channel(spark, settings, Lake(beside, base=lake), channel)


if __name__ == "__main__":
    main()
