"""What the routes work with, opened and closed with the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Path, Request

from lambdas.api.catalogue_snapshot import SnapshotKeeper
from lambdas.api.health import Dependencies
from lambdas.api.payment_decisions import PaymentJudge
from lambdas.api.recommending import Recommender
from lambdas.api.scorer import Scorer
from lambdas.event_services import EventServices
from lambdas.problem import ProblemError
from mercato.online.reader import OnlineFeatures
from mercato.search.products import ProductSearch


def _identifier(example: int) -> Any:
    """A part of a path that is bounded as in the event contracts."""
    return Path(gt=0, lt=2**53, description="As in the events.", examples=[example])


HouseholdPath = Annotated[int, _identifier(1)]
ProductPath = Annotated[int, _identifier(1082185)]
StorePath = Annotated[int, _identifier(367)]

#: Lists decided at a time. Deciding is Python's work, and threads that take turns at it only delay each
#: other: at 100 requests/s, p99 was 17-30 ms with 2, 14-71 ms with 4, 100-940 ms with 40.
DECIDERS = 2


@dataclass(slots=True)
class Services(EventServices):
    """Handles to everything outside the process; `None` where it was never started."""

    online: OnlineFeatures | None
    scorer: Scorer
    keeper: SnapshotKeeper
    recommender: Recommender
    payments: PaymentJudge
    deciders: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(DECIDERS))
    search: ProductSearch = field(init=False)
    dependencies: Dependencies = field(init=False)

    def __post_init__(self) -> None:
        self.search = ProductSearch(self.settings)
        self.dependencies = Dependencies(
            kafka=self.events.check if self.events else None,
            redis=self.online.ping if self.online else None,
            scorer=self.scorer.ping,
        )

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
        EventServices.close(self)
        if self.online is not None:
            self.online.close()
        self.scorer.close()
        self.payments.scorer.close()
        self.search.close()

    def model_version(self) -> str | None:
        """Version of the model that scores now, `None` if unknown."""
        return self.scorer.model_version


async def services_of(request: Request) -> Services:
    """The app's services, for routes."""
    services: Services = request.app.state.services
    return services


UseServices = Annotated[Services, Depends(services_of)]
