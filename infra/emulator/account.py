"""Whose account and region the emulators are asked for."""

from __future__ import annotations

import boto3

ACCOUNT = "000000000000"
REGION = "us-east-1"
#: Neither emulator looks at it.
SECRET = "local"


def session(account: str = ACCOUNT, region: str = REGION) -> boto3.Session:
    """What makes clients of the emulators; twelve digits as the key say which account is meant, to both."""
    return boto3.Session(aws_access_key_id=account, aws_secret_access_key=SECRET, region_name=region)
