"""The admin panel on Lambda: `lambdas.admin.handler.handler`."""

from __future__ import annotations

from lambdas.admin.app import create_app
from lambdas.admin.services import open_services
from lambdas.gateway import behind_gateway
from mercato.errors import MercatoError
from mercato.settings import get_settings

settings = get_settings()
if settings.sign_in_discovery_url is None:
    # API Gateway lets everybody through to the pages.
    raise MercatoError("Nobody could be asked to sign in: set MERCATO_SIGN_IN_DISCOVERY_URL.")
handler = behind_gateway(create_app(), open_services(settings))
