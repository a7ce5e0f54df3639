"""Every job runs on a shop that sold next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from glue_jobs.catalog import select
from glue_jobs.main import run_jobs
from mercato.contracts.tables.features import PRODUCT_OCCASIONS, STORE_PROMOTIONS
from mercato.contracts.tables.gold import BASKET_LINES, CUSTOMER_360
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from tests.integration import smallest

pytestmark = pytest.mark.integration


def test_every_job_runs_on_the_smallest_shops(tmp_path: Path) -> None:
    with connect(Settings(home=tmp_path), "sail") as sail:
        for shop, baskets in smallest.SHOPS.items():
            lake = Lake(str(tmp_path / shop))
            smallest.write(lake, shop)
            run_jobs(sail, Settings(home=tmp_path), lake, select(smallest.JOBS, smallest.LAYERS))
            assert lake.rows(BASKET_LINES) == sum(len(products) for _, products in baskets)
            assert lake.rows(STORE_PROMOTIONS) == 1
            c = CUSTOMER_360.c
            departments = lake.read_arrow(CUSTOMER_360)[c.top_department].to_pylist()
            assert departments == (["GROCERY"] if baskets else [])
    sizes = lake.read_arrow(PRODUCT_OCCASIONS)[PRODUCT_OCCASIONS.c.mean_inverse_size].to_pylist()
    assert sizes == [0.5, 0.5]
