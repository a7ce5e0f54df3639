"""Bronze -> gold by hand in DuckDB: what the jobs of `glue_jobs/gold` do, as one script of SQL.

It reads the same bronze files, parses, drops what it cannot parse and what repeats an event id,
and writes the same tables as Parquet. It does not say why a record is refused, keeps no silver
and no progress: what a person would write for one run, and so the bar to be measured against.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from benchmarks.gold_duckdb_as_of import AS_OF
from glue_jobs.gold import product_pairs
from glue_jobs.gold.weeks import AGES, WEEK_MICROS
from mercato.contracts.tables import features, silver
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.bronze import BRONZE

_TRANSACTION = """{"event_id": "VARCHAR", "event_time": "TIMESTAMPTZ", "household_id": "BIGINT",
    "store_id": "BIGINT", "basket_id": "BIGINT", "product_id": "BIGINT", "quantity": "BIGINT",
    "sales_value": "DOUBLE", "retail_disc": "DOUBLE", "coupon_disc": "DOUBLE",
    "coupon_match_disc": "DOUBLE", "week": "INTEGER"}"""
_PRODUCT = """{"event_id": "VARCHAR", "event_time": "TIMESTAMPTZ", "product_id": "BIGINT",
    "department": "VARCHAR"}"""
_PROMOTION = """{"event_id": "VARCHAR", "event_time": "TIMESTAMPTZ", "product_id": "BIGINT",
    "valid_from": "TIMESTAMPTZ", "valid_to": "TIMESTAMPTZ",
    "placements": [{"display": "VARCHAR", "mailer": "VARCHAR", "stores": ["BIGINT"]}]}"""
_EVENTS = (
    (silver.TRANSACTIONS, _TRANSACTION),
    (silver.PRODUCTS, _PRODUCT),
    (silver.PROMOTIONS, _PROMOTION),
)
#: A week's number is that of the Monday 05:00 UTC at which it ends, a day's that of its 05:00 UTC.
_MACROS = f"""
create macro week_ending(t) as ceil((epoch_us(t) - 363600000000) / {WEEK_MICROS})::bigint;
create macro end_of_week(week) as to_timestamp(week * 604800 + 363600);
create macro day_ending(t) as ceil((epoch_us(t) - 363600000000) / 86400000000)::bigint;
create macro end_of_day(day) as to_timestamp(day * 86400 + 363600);
create macro days(a, b) as (epoch_us(b) - epoch_us(a)) / 86400e6;
"""

_PREPARED = f"""
create table dated as select *, week_ending(basket_time) week_end, (select max(basket_time) from lines) newest
  from lines;
create macro last_week() as (select any_value(case when end_of_week(week_ending(newest)) = newest
  then week_ending(newest) else week_ending(newest) - 1 end) from dated);
create table ages(age) as select unnest({list(AGES)});
create table snapshots(week) as
  select unnest(range(last_week() - {features.SNAPSHOT_WEEKS - 1}, last_week() + 1));
"""

_LINES = """
create table lines as
with baskets as (
  select household_id, basket_id, max(event_time) basket_time, min(store_id) store_id, min(week) as week
  from transactions group by all),
numbered as (
  select *, row_number() over (partition by household_id order by basket_time, basket_id) basket_seq
  from baskets)
select household_id, basket_id, product_id, any_value(b.store_id) store_id,
  any_value(basket_time) basket_time, any_value(basket_seq) basket_seq, any_value(b.week) as week,
  sum(quantity)::bigint quantity,
  sum(sales_value) sales_value, sum(retail_disc) retail_disc, sum(coupon_disc) coupon_disc,
  sum(coupon_match_disc) coupon_match_disc
from transactions t join numbered b using (household_id, basket_id)
group by household_id, basket_id, product_id
"""

_GOLD = {
    "basket_lines": "from lines",
    "customer_360": """
with totals as (
  select household_id, min(basket_time) first_basket_time, max(basket_time) last_basket_time,
    max(basket_seq) baskets, count(*) lines, count(distinct product_id) products, sum(sales_value) spend,
    sum(retail_disc) retail_disc, sum(coupon_disc + coupon_match_disc) coupons,
    sum(sales_value + retail_disc + coupon_match_disc) shelf
  from lines group by 1),
stores as (
  select household_id, first(store_id order by n desc, store_id) favourite_store_id, max(n) visits,
    count(*) stores
  from (select household_id, store_id, count(distinct basket_id) n from lines group by 1, 2) group by 1),
departments as (
  select household_id, first(department order by n desc, department) top_department
  from (select household_id, department, count(*) n from lines
        join (select product_id, arg_max(department, event_time) department from products group by 1)
        using (product_id) group by 1, 2) group by 1)
select household_id, first_basket_time, last_basket_time, baskets, lines, products, spend,
  spend / baskets mean_basket_value, lines / baskets mean_basket_size,
  days(first_basket_time, last_basket_time) / nullif(baskets - 1, 0) mean_gap_days, favourite_store_id,
  visits / baskets favourite_store_share, stores,
  coalesce(retail_disc / nullif(shelf, 0), 0) retail_discount_share,
  coalesce(coupons / nullif(shelf, 0), 0) coupon_share, top_department, 1 - products / lines repeat_share
from totals join stores using (household_id) left join departments using (household_id)""",
    "household_product": """
select household_id, product_id, count(*) baskets, sum(quantity) quantity, sum(sales_value) sales_value,
  min(basket_time) first_time, max(basket_time) last_time,
  days(min(basket_time), max(basket_time)) / nullif(count(*) - 1, 0) mean_gap_days
from lines group by 1, 2""",
    "product_daily": """
select product_id, store_id, day, sum(units) units, sum(baskets) baskets, count(*) households,
  sum(sales_value) sales_value, sum(retail_disc) retail_disc, sum(coupon_disc) coupon_disc,
  sum(coupon_match_disc) coupon_match_disc
from (select product_id, store_id, event_time::date as day, household_id, sum(quantity) units,
        count(distinct basket_id) baskets, sum(sales_value) sales_value, sum(retail_disc) retail_disc,
        sum(coupon_disc) coupon_disc, sum(coupon_match_disc) coupon_match_disc
      from transactions group by all)
group by all""",
    "price_history": """
select product_id, store_id, week, first_sold_at, units, (loyalty + retail) / units regular_price,
  loyalty / units loyalty_price, net / units net_price, 1 - loyalty / (loyalty + retail) discount_share
from (select product_id, store_id, week, min(event_time) first_sold_at, sum(quantity) units,
        sum(sales_value + coupon_match_disc) loyalty, sum(retail_disc) retail,
        sum(sales_value - coupon_disc) net
      from transactions where quantity > 0 group by 1, 2, 3)
where loyalty + retail > 0""",
    "product_pairs": f"""
with sold as (select product_id, count(*) n from lines group by 1 having n >= {product_pairs.MIN_BASKETS}),
held as (select household_id, basket_id, product_id from lines semi join sold using (product_id)),
pairs as (select a.product_id a, b.product_id b, count(*) c from held a join held b
  on a.household_id = b.household_id and a.basket_id = b.basket_id and a.product_id < b.product_id
  group by all having c >= {product_pairs.MIN_JOINT_BASKETS}),
scored as (select a, b, c, c / sqrt(x.n * y.n) cosine,
    c * (select count(distinct (household_id, basket_id)) from lines) / (x.n * y.n) lift
  from pairs join sold x on a = x.product_id join sold y on b = y.product_id),
both_ways as (select a, b, c, cosine, lift from scored union all select b, a, c, cosine, lift from scored)
select a product_id, b neighbour_id, row_number() over (partition by a order by cosine desc, b) rank,
  c baskets_together, lift, cosine
from both_ways qualify rank <= {features.NEIGHBOURS}""",
    **AS_OF,
}


def statements(bronze: str, out: Path) -> Iterator[str]:
    """The script, from the bronze tables below `bronze` to Parquet files in `out`."""
    yield "set timezone = 'UTC'"
    yield _MACROS
    for table, shape in _EVENTS:
        yield _parsed(bronze, table, shape)
    yield _LINES
    yield _PREPARED
    for name, query in _GOLD.items():
        yield f"copy ({query}) to '{out / name}.parquet' (format parquet)"


def _parsed(bronze: str, table: Table, shape: str) -> str:
    name = table.short_name
    delta = DeltaTable(f"{bronze}/{BRONZE[f'{name}.v1'].name.replace('.', '/')}")
    return f"""
create table {name} as
select event.* from (
  select event, row_number() over (partition by event.event_id order by "partition", "offset") as n from (
    select try(from_json(decode(value), '{shape}')) as event, "partition", "offset"
    from read_parquet({delta.file_uris()})))
where n = 1 and event.event_id is not null"""


def run(bronze: str, out: Path, memory: str, spill: Path) -> None:
    """Make every gold table.

    Args:
        memory: DuckDB's memory limit; beyond it, it writes to `spill`.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = {"threads": 2, "memory_limit": memory, "temp_directory": str(spill)}
    with duckdb.connect(config=settings) as connection:
        for statement in statements(bronze, out):
            connection.execute(statement)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bronze", help="root of the lake with the bronze tables")
    parser.add_argument("out", type=Path, help="folder for the Parquet files")
    parser.add_argument("--memory", default="6GB")
    arguments = parser.parse_args()
    run(arguments.bronze, arguments.out, arguments.memory, arguments.out / "spill")
