"""Properties of a template, fitted to the parameters of the API call that AWS's CloudFormation makes.

Both name the same things, but not alike: MSK's API starts names in lower case, tags are lists here and
maps there, and templates may write numbers as strings. What the operation has no parameter for is left
out; boto3 then refuses what is missing or of the wrong type, as AWS would.
"""

from __future__ import annotations

import json
from typing import Any


def fit(value: Any, shape: Any) -> Any:
    """A property's value as the parameter of this botocore shape."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            return _structure(value, shape)
        case "list":
            return _list(value, shape)
        case "map":
            return _map(value, shape)
        case "string" if isinstance(value, dict | list):
            return json.dumps(value)
        case "string":
            return str(value)
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case _:
            return value


def _structure(value: dict[str, Any], shape: Any) -> dict[str, Any]:
    members = {name.lower(): (name, member) for name, member in shape.members.items()}
    fitted = {}
    for key, each in value.items():
        found = members.get(key.lower())
        if found and each is not None:
            name, member = found
            fitted[name] = fit(each, member)
    return fitted


def _list(value: Any, shape: Any) -> Any:
    if isinstance(value, dict):
        names = {name.lower(): name for name in getattr(shape.member, "members", {})}
        if {"key", "value"} <= set(names):
            return [{names["key"]: key, names["value"]: str(each)} for key, each in value.items()]
        return [fit(value, shape.member)]
    return [fit(each, shape.member) for each in value]


def _map(value: Any, shape: Any) -> Any:
    if isinstance(value, list):
        pairs = [{key.lower(): each for key, each in item.items()} for item in value]
        return {pair["key"]: pair["value"] for pair in pairs}
    return {key: fit(each, shape.value) for key, each in value.items()}
