"""Which tables each model learns from."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.contracts.tables.base import Table
from mercato_models.datasets import DATASETS
from mercato_models.recommend import pipeline

LEARNED_FROM: Mapping[str, tuple[Table, ...]] = {
    "recommend": pipeline.SOURCES,
    **{name: dataset.sources for name, dataset in DATASETS.items()},
}
