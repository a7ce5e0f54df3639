"""Every CloudFormation type that the emulator is held to know."""

from __future__ import annotations

from infra.emulator.types import (
    compute,
    custom,
    lake,
    models,
    network,
    observability,
    security,
    serving,
    stores,
    streaming,
)
from infra.emulator.types.registration import CloudType

_SERVICES = (
    network,
    security,
    lake,
    streaming,
    compute,
    stores,
    models,
    serving,
    observability,
    custom,
)

TYPES: dict[str, CloudType] = {each.name: each for module in _SERVICES for each in module.TYPES}
