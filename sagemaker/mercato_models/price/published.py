"""The files that hold a list of proposed prices and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercato_models import batch_scoring

if TYPE_CHECKING:
    from mercato.decisions.price_list import PriceList

FILE, SUMMARY = "proposals.parquet", "proposals.json"


def to_folder(price_list: PriceList, folder: str) -> None:
    """Write all proposals, and the list in figures beside them."""
    batch_scoring.keep(price_list.rows, folder, FILE)
    batch_scoring.tell(price_list.summary.as_dict(), folder, SUMMARY)
