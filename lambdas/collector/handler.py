"""The collector on Lambda: `lambdas.collector.handler.handler`."""

from __future__ import annotations

from lambdas.collector.app import create_app
from lambdas.event_services import EventServices, open_event_log
from lambdas.gateway import behind_gateway
from lambdas.metrics import Metrics
from mercato.settings import get_settings

_settings = get_settings()
handler = behind_gateway(create_app(), EventServices(_settings, Metrics(), open_event_log(_settings)))
