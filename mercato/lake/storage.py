"""How files of a lake are reached: on disk, or on S3 with the credentials of this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pyarrow.fs import FileSystem, S3FileSystem

from mercato.errors import MercatoError

_S3 = "s3://"
#: Characters, besides those that are not ASCII, that Sail, Spark and delta-rs escape in a path, each its own
#: way: one looks for a table in another folder than the other wrote it to.
_ESCAPED = frozenset(' "#%*<>?[]^`{|}~\\')


class NoCredentialsError(MercatoError):
    """The lake is on S3, and this process has no credentials for it."""


class UnreadableLakeError(MercatoError):
    """The lake is in a folder in which no engine finds its tables."""


def check_readable(uri: str) -> None:
    """See that jobs could read a lake there.

    Raises:
        UnreadableLakeError: a folder on its path has a name that they would not find.
    """
    if local_path(uri) is None:
        return
    if wrong := {each for each in uri.replace("{layer}", "") if each in _ESCAPED or not each.isascii()}:
        raise UnreadableLakeError(
            f"Jobs cannot read a lake in {uri}: its path has {' '.join(map(repr, sorted(wrong)))}. Set "
            "MERCATO_HOME to a folder whose path has ASCII letters, digits, -, _ and . only."
        )


def local_path(uri: str) -> Path | None:
    """Folder that an address names on this machine; `None` if it is elsewhere."""
    if "://" not in uri:
        return Path(uri)
    parts = urlsplit(uri)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def on_s3(uri: str) -> bool:
    """Whether an address is on S3."""
    return uri.startswith(_S3)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Of an address on S3."""
    bucket, _, key = uri.removeprefix(_S3).partition("/")
    return bucket, key


def storage_options(uri: str) -> dict[str, str]:
    """What delta-rs must be told to reach an address; nothing on disk.

    Asked for again at each opening, because the credentials of a role expire.
    """
    if not on_s3(uri):
        return {}
    access = _access()
    options = {
        "AWS_ACCESS_KEY_ID": access["access_key"],
        "AWS_SECRET_ACCESS_KEY": access["secret_key"],
        "AWS_SESSION_TOKEN": access.get("session_token"),
        "AWS_REGION": access.get("region"),
        "AWS_ENDPOINT_URL": (endpoint := _endpoint()),
        "AWS_ALLOW_HTTP": "true" if endpoint and endpoint.startswith("http://") else None,
    }
    return {name: value for name, value in options.items() if value}


def filesystem(uri: str) -> tuple[FileSystem, str]:
    """Arrow's file system for an address or local path, and the path in it."""
    if not on_s3(uri):
        storage, root = FileSystem.from_uri(uri if "://" in uri else Path(uri).resolve().as_uri())
        return storage, root
    access = _access()
    if endpoint := _endpoint():
        access["scheme"], _, access["endpoint_override"] = endpoint.partition("://")
    return S3FileSystem(**access), uri.removeprefix(_S3)


def _access() -> dict[str, Any]:
    """Credentials and region as boto3 finds them, in Arrow's words."""
    import boto3

    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError(
            "There are no AWS credentials for the lake on S3: set AWS_PROFILE or a role."
        )
    frozen = credentials.get_frozen_credentials()
    access = {
        "access_key": frozen.access_key,
        "secret_key": frozen.secret_key,
        "session_token": frozen.token,
        "region": session.region_name,
    }
    return {name: value for name, value in access.items() if value}


def _endpoint() -> str | None:
    """Address that stands in for S3's own, such as an emulator's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
