"""What the events' routes work with, and what they answer; all that the collector needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from lambdas.event_log import EventLog, EventsUnavailableError
from lambdas.intake import Accepted
from lambdas.metrics import Metrics
from mercato.contracts.events import Event, Topic
from mercato.settings import Settings


@dataclass(slots=True)
class EventServices:
    """Handles to where events go; `events` is `None` where Kafka was never started."""

    settings: Settings
    metrics: Metrics
    events: EventLog | None

    def send(self, topic: Topic, *events: Event) -> None:
        """Append events of the platform's own and wait until the broker has them.

        Raises:
            EventsUnavailableError: one is not known to have arrived.
        """
        if self.events is None:
            raise EventsUnavailableError("Kafka is not running; `mercato up kafka` starts it")
        taken = [Accepted(topic, event, topic.encode(event)) for event in events]
        self.events.append([each.record(self.settings.topic_prefix) for each in taken])

    def close(self) -> None:
        """Send what is queued and close the connections."""
        if self.events is not None:
            self.events.close()


async def _services_of(request: Request) -> EventServices:
    services: EventServices = request.app.state.services
    return services


UseEventServices = Annotated[EventServices, Depends(_services_of)]


class TakenEvent(BaseModel):
    """An event that is on Kafka now."""

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="Its topic.", examples=["clickstream.v1"])
    event_id: str = Field(
        description="As sent; made up if it was missing.", examples=["0f3c9a7be5d94e51b7f0c8a2d1e6f4aa"]
    )
    event_time: datetime = Field(description="As sent; when it arrived if it was missing.")


class TakenEvents(BaseModel):
    """Events in the order in which they were sent."""

    model_config = ConfigDict(frozen=True)

    events: list[TakenEvent] = Field(description="One for each event sent.")


def open_event_log(settings: Settings) -> EventLog | None:
    """The event log, `None` where Kafka was never started."""
    return EventLog(settings) if settings.endpoint("kafka_bootstrap") else None
