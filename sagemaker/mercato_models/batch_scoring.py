"""What jobs that say something with an approved model have in common: their arguments, and where it goes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

import pandas as pd
from pyarrow.fs import FileSystem, LocalFileSystem

from mercato.lake.storage import filesystem
from mercato.settings import Settings, get_settings


def parser(description: str | None) -> argparse.ArgumentParser:
    """Arguments of every such job; `settings_of` reads them, and the rest is the job's own."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    made.add_argument("--prefix", default="", help="before the model's name, in that of its package group")
    made.add_argument("--lake-uri", help="root of the lake; MERCATO_LAKE_URI by default")
    made.add_argument("--to", required=True, help="folder for the file, s3://BUCKET/FOLDER")
    made.add_argument("--redis-url", help="address of the online store; MERCATO_REDIS_URL by default")
    made.add_argument(
        "--redis-secret", help="ARN of the secret of its user; MERCATO_REDIS_SECRET_ARN by default"
    )
    return made


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings, with what a job was given in the place of the environment's."""
    values = {"redis_url": args.redis_url, "redis_secret_arn": args.redis_secret, "lake_uri": args.lake_uri}
    return get_settings().model_copy(update={name: value for name, value in values.items() if value})


def keep(rows: pd.DataFrame, folder: str, file: str) -> None:
    """Write rows to a Parquet file in a folder, on S3 or here."""
    storage, path = _place(folder, file)
    rows.to_parquet(path, filesystem=storage, index=False)


def tell(summary: Mapping[str, object], folder: str, file: str) -> None:
    """Write figures to a JSON file in a folder, on S3 or here."""
    storage, path = _place(folder, file)
    with storage.open_output_stream(path) as written:
        written.write(json.dumps(summary, indent=2).encode())


def _place(folder: str, file: str) -> tuple[FileSystem, str]:
    storage, path = filesystem(folder)
    if isinstance(storage, LocalFileSystem):  # S3 has no folders
        storage.create_dir(path)
    return storage, f"{path}/{file}"
