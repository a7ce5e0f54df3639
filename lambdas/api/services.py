"""What the routes work with, opened and closed with the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Path, Request

from lambdas.api.event_log import EventLog
from lambdas.api.metrics import Metrics
from lambdas.api.problem import ProblemError
from lambdas.api.recommending import Recommender
from lambdas.api.scorer import Scorer
from lambdas.api.shelf import ShelfKeeper
from mercato.online.reader import OnlineFeatures
from mercato.settings import Settings

#: Identifiers as the event contracts bound them.
Identifier = Annotated[int, Path(gt=0, lt=2**53, description="As in the events.")]


#: Lists decided at a time. Deciding is Python's work, and threads that take turns at it only delay each
#: other: at 100 requests/s, p99 was 17-30 ms with 2, 14-71 ms with 4, 100-940 ms with 40.
DECIDERS = 2


@dataclass(slots=True)
class Services:
    """Handles to everything outside the process; `None` where it was never started."""

    settings: Settings
    metrics: Metrics
    events: EventLog | None
    online: OnlineFeatures | None
    scorer: Scorer
    keeper: ShelfKeeper
    recommender: Recommender
    deciders: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(DECIDERS))

    def require_online(self) -> OnlineFeatures:
        """The online features.

        Raises:
            ProblemError: `online_unavailable`.
        """
        if self.online is None:
            raise ProblemError(
                "online_unavailable", "Redis is not running; `mercato up redis` starts it.", retry_after=2
            )
        return self.online

    def close(self) -> None:
        """Send what is queued and close the connections."""
        self.keeper.stop()
        for part in (self.events, self.online, self.scorer):
            if part is not None:
                part.close()

    def model_version(self) -> str | None:
        """Version of the model that scores now, `None` if unknown."""
        return self.scorer.model_version


async def services_of(request: Request) -> Services:
    """The app's services, for routes."""
    services: Services = request.app.state.services
    return services


UseServices = Annotated[Services, Depends(services_of)]
