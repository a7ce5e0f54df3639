"""The lists that the ranker is judged by, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mercato.contracts.tables.predictions import RANKED_PRODUCTS
from mercato_models.recommend.evaluation import MODEL, WITHOUT_CONTEXT, Evaluation, Ranked

_C = RANKED_PRODUCTS.c
#: File of each of the model's two ways to make a list.
FILES = {MODEL: "recommend.parquet", WITHOUT_CONTEXT: "recommend_without_context.parquet"}


def write_lists(folder: Path, judged: Evaluation) -> None:
    """Write FILES with every test household's best products."""
    for way, name in FILES.items():
        pq.write_table(_table(judged.households, judged.lists[way]), folder / name)


def _table(households: Sequence[int], lists: Sequence[Ranked]) -> pa.Table:
    lengths = [len(each.products) for each in lists]
    columns = {
        _C.household_id: np.repeat(households, lengths),
        _C.rank: np.concatenate([np.arange(1, length + 1) for length in lengths]),
        _C.product_id: np.concatenate([each.products for each in lists]),
        _C.score: np.concatenate([each.scores for each in lists]),
    }
    return pa.table(columns).cast(RANKED_PRODUCTS.arrow_schema)
