"""The decision API and the storefront on Lambda: `lambdas.api.handler.handler`."""

from __future__ import annotations

from typing import Any

from lambdas.api.app import create_app, open_services
from lambdas.gateway import behind_gateway
from mercato.settings import get_settings

_services = open_services(get_settings())
_services.keeper.refresh_when_due()
_answer = behind_gateway(create_app(), _services)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request, from a catalogue that no thread could refresh since the last one."""
    _services.keeper.refresh_when_due()
    return _answer(event, context)
