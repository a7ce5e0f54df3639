"""Online features from MSK event sources: `lambdas.features.handler.handler`."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import msgspec

from lambdas import msk
from mercato.contracts.events import TOPICS, Event, Violation
from mercato.online.store import OnlineStore
from mercato.settings import get_settings
from mercato.stream.online_features import GROUP
from mercato.stream.quarantine import send_to_quarantine
from mercato.stream.updates import update

_settings = get_settings()
_store = OnlineStore(_settings)


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Merge a batch of events into what is known of those whom they are about.

    What breaks its contract is the lake's to quarantine, and what cannot be merged is sent there from here;
    so a batch is either done, or Redis is gone and Lambda gives it again, which changes nothing twice.

    Raises:
        mercato.online.connection.OnlineUnavailableError: Redis does not answer.
    """
    events: dict[str, list[Event]] = defaultdict(list)
    invalid = 0
    for record in chain.from_iterable(event["records"].values()):
        decoded = TOPICS[record["topic"]].decode(msk.value(record), msk.received_at(record))
        if isinstance(decoded, Violation):
            invalid += 1
        else:
            events[record["topic"]].append(decoded)
    counts, failed = update(_store, events, datetime.now(UTC))
    counts.invalid = invalid
    result = msgspec.structs.asdict(counts)
    _store.count(GROUP, result)
    send_to_quarantine(_settings, failed)
    return result
