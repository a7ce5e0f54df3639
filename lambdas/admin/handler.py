"""The admin panel on Lambda: `lambdas.admin.handler.handler`."""

from __future__ import annotations

from lambdas.admin.app import app
from lambdas.admin.services import open_services
from lambdas.gateway import behind_gateway
from mercato.settings import get_settings

handler = behind_gateway(app, open_services(get_settings()))
