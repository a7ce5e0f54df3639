"""Where a household's outlook goes: a file of all of them, and the online store, where the API finds them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mercato.online.connection import BULK_TIMEOUT_SECONDS
from mercato.online.store import OnlineStore
from mercato.online.views import HOUSEHOLD_OUTLOOK
from mercato.settings import Settings
from mercato_models import batch_scoring

FILE = "outlook.parquet"


def to_folder(rows: pd.DataFrame, folder: str) -> None:
    """Write what `mercato.decisions.outlook.outlook` makes."""
    batch_scoring.keep(rows, folder, FILE)


def to_store(rows: pd.DataFrame, settings: Settings) -> None:
    """Serve it. Who is not active any more has no outlook.

    Raises:
        OnlineUnavailableError: Redis cannot be reached.
    """
    store = OnlineStore(settings, timeout=BULK_TIMEOUT_SECONDS)
    records: list[Any] = rows.to_dict("records")
    try:
        store.replace(HOUSEHOLD_OUTLOOK, records)
    finally:
        store.close()
