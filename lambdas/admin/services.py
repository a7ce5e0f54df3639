"""What the panel works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis import Redis

from lambdas.event_services import EventServices, open_event_log
from lambdas.metrics import Metrics
from mercato.online.cases import CaseBook
from mercato.online.connection import connect
from mercato.online.prices import PriceBook
from mercato.settings import Settings


@dataclass(slots=True)
class AdminServices(EventServices):
    """Handles to Kafka and to what waits for people in the online store."""

    redis: Redis

    @property
    def cases(self) -> CaseBook:
        """The payments."""
        return CaseBook(self.redis)

    @property
    def prices(self) -> PriceBook:
        """The prices."""
        return PriceBook(self.redis)

    def close(self) -> None:
        """Send what is queued and close the connections."""
        EventServices.close(self)
        self.redis.close()


def open_services(settings: Settings) -> AdminServices:
    """Open everything the panel works with.

    Raises:
        mercato.settings.NotRunningError: Redis has no address.
    """
    return AdminServices(settings, Metrics(), open_event_log(settings), connect(settings))


async def _services_of(request: Request) -> AdminServices:
    services: AdminServices = request.app.state.services
    return services


UseAdminServices = Annotated[AdminServices, Depends(_services_of)]
