"""How each type of resource is billed: one module a plane, one function a type."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.cloud.cost.charge import Rule
from mercato.cloud.cost.rules import (
    decisions,
    models,
    network,
    observability,
    processing,
    security,
    stores,
    streaming,
)

RULES: Mapping[str, Rule] = {
    **network.RULES,
    **security.RULES,
    **streaming.RULES,
    **processing.RULES,
    **stores.RULES,
    **models.RULES,
    **decisions.RULES,
    **observability.RULES,
}
