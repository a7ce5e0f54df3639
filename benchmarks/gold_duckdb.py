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

from glue_jobs.gold import (
    product_neighbours,
    product_occasions,
    product_pairs,
    store_popular,
    store_promotions,
)
from glue_jobs.gold.weeks import WEEK_MICROS
from mercato.contracts.tables import features, silver
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.bronze import BRONZE

_TRANSACTION = """{"event_id": "VARCHAR", "event_time": "TIMESTAMPTZ", "household_id": "BIGINT",
    "store_id": "BIGINT", "basket_id": "BIGINT", "product_id": "BIGINT", "quantity": "BIGINT",
    "sales_value": "DOUBLE", "retail_disc": "DOUBLE", "coupon_disc": "DOUBLE",
    "coupon_match_disc": "DOUBLE", "week": "INTEGER"}"""
_PRODUCT = """{"event_id": "VARCHAR", "event_time": "TIMESTAMPTZ", "product_id": "BIGINT",
    "department": "VARCHAR"}"""
_PROMOTION = """{"event_id": "VARCHAR", "product_id": "BIGINT", "valid_from": "TIMESTAMPTZ",
    "valid_to": "TIMESTAMPTZ",
    "placements": [{"display": "VARCHAR", "mailer": "VARCHAR", "stores": ["BIGINT"]}]}"""
_EVENTS = (
    (silver.TRANSACTIONS, _TRANSACTION),
    (silver.PRODUCTS, _PRODUCT),
    (silver.PROMOTIONS, _PROMOTION),
)
_AGES = range(0, features.SNAPSHOT_WEEKS, features.SNAPSHOT_STEP_WEEKS)
_WINDOW = product_neighbours.WINDOW_WEEKS
_SLOTS, _SLOT = 24 // features.SLOT_HOURS, features.SLOT_HOURS * 3_600
#: A week's number is that of the Monday 05:00 UTC at which it ends, a day's that of its 05:00 UTC.
_MACROS = f"""
create macro week_ending(t) as ceil((epoch_us(t) - 363600000000) / {WEEK_MICROS})::bigint;
create macro end_of(week) as to_timestamp(week * 604800 + 363600);
create macro day_ending(t) as ceil((epoch_us(t) - 363600000000) / 86400000000)::bigint;
create macro end_of_day(day) as to_timestamp(day * 86400 + 363600);
create macro days(a, b) as (epoch_us(b) - epoch_us(a)) / 86400e6;
"""

_PREPARED = f"""
create table dated as select *, week_ending(basket_time) week_end, (select max(basket_time) from lines) newest
  from lines;
create macro last_week() as (select any_value(case when end_of(week_ending(newest)) = newest
  then week_ending(newest) else week_ending(newest) - 1 end) from dated);
create table ages(age) as select unnest({list(_AGES)});
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
held as (select basket_id, product_id from lines semi join sold using (product_id)),
pairs as (select a.product_id a, b.product_id b, count(*) c from held a join held b
  on a.basket_id = b.basket_id and a.product_id < b.product_id
  group by all having c >= {product_pairs.MIN_JOINT_BASKETS}),
scored as (select a, b, c, c / sqrt(x.n * y.n) cosine,
    c * (select count(distinct basket_id) from lines) / (x.n * y.n) lift
  from pairs join sold x on a = x.product_id join sold y on b = y.product_id),
both_ways as (select a, b, c, cosine, lift from scored union all select b, a, c, cosine, lift from scored)
select a product_id, b neighbour_id, row_number() over (partition by a order by cosine desc, b) rank,
  c baskets_together, lift, cosine
from both_ways qualify rank <= {features.NEIGHBOURS}""",
    "household_history": f"""
with recent as (select * from lines
  join (select household_id, max(basket_seq) newest from lines group by 1) using (household_id)
  where basket_seq > newest - {features.HISTORY_BASKETS + features.HISTORY_SNAPSHOTS - 1}),
baskets as (select household_id, basket_seq, any_value(basket_time) t, any_value(store_id) s, count(*) n,
    list(product_id order by product_id) p, list(quantity::int order by product_id) q,
    list(sales_value::float order by product_id) v
  from recent group by 1, 2),
households as (select household_id, list(t order by basket_seq) t, list(s order by basket_seq) s,
    list(n order by basket_seq) n, list(p order by basket_seq) p, list(q order by basket_seq) q,
    list(v order by basket_seq) v
  from baskets group by 1),
ends as (select *, unnest(range(greatest(len(t) - {features.HISTORY_SNAPSHOTS - 1}, 1), len(t) + 1)) e
  from households)
select household_id, t[e] event_timestamp, list_transform(t[w:e], lambda x: epoch(x)::bigint) basket_times,
  s[w:e] basket_stores, n[w:e] basket_sizes, flatten(p[w:e]) products, flatten(q[w:e]) quantities,
  flatten(v[w:e]) "values"
from (select *, greatest(e - {features.HISTORY_BASKETS - 1}, 1) w from ends)
where e = len(t) or t[e + 1] <> t[e]""",
    "household_profile": """
with moments as (
  select household_id, basket_time t, max(basket_seq) baskets, max(basket_seq) - min(basket_seq) + 1 together,
    count(*) lines, sum(sales_value) spend, sum(retail_disc) retail,
    sum(coupon_disc + coupon_match_disc) coupons, sum(sales_value + retail_disc + coupon_match_disc) shelf
  from lines group by 1, 2),
running as (
  select household_id, t, baskets, sum(lines) over w lines, sum(spend) over w spend,
    sum(retail) over w retail, sum(coupons) over w coupons, sum(shelf) over w shelf,
    min(t) over w earliest, lag(t) over w before,
    sum(together) over recent baskets_28d, sum(spend) over recent spend_28d
  from moments
  window w as (partition by household_id order by t rows unbounded preceding),
    recent as (partition by household_id order by t
      range between interval '27 days 23:59:59' preceding and current row))
select household_id, t event_timestamp, baskets, lines, spend, lines / baskets mean_basket_size,
  spend / baskets mean_basket_value, days(earliest, t) / nullif(baskets - 1, 0) mean_gap_days,
  days(before, t) last_gap_days, baskets_28d, spend_28d,
  coalesce(retail / nullif(shelf, 0), 0) retail_discount_share,
  coalesce(coupons / nullif(shelf, 0), 0) coupon_share
from running""",
    "product_stats": """
with sales as (
  select product_id, week_end, count(*) n, sum(quantity) units,
    sum(sales_value + coupon_match_disc) filter (quantity > 0) priced,
    sum(sales_value + coupon_match_disc + retail_disc) shelf, sum(retail_disc) retail
  from dated where week_end <= last_week() group by 1, 2),
sold as (
  select product_id, week, sum(n) filter (week_end = week) baskets_1w,
    sum(n) filter (week_end > week - 4) baskets_4w, sum(n) filter (week_end > week - 13) baskets_13w,
    sum(n) filter (week_end > week - 52) baskets_52w,
    sum(priced) filter (week_end > week - 13)
      / nullif(sum(units) filter (week_end > week - 13), 0) mean_price_13w,
    arg_max(priced / nullif(units, 0), week_end) last_price,
    sum(retail) filter (week_end > week - 4)
      / nullif(sum(shelf) filter (week_end > week - 4), 0) discount_share_4w
  from sales join snapshots on week_end <= week group by 1, 2),
visits as (
  select product_id, household_id, week_end, count(*) n from dated
  where week_end <= last_week() group by all),
households as (
  select product_id, week, count(*) households_52w, count(*) filter (n > 1) repeat_households_52w
  from (select product_id, household_id, week, sum(n) n from visits
        join snapshots on week_end <= week and week_end > week - 52 group by 1, 2, 3)
  group by 1, 2)
select product_id, end_of(week) event_timestamp, coalesce(baskets_1w, 0) baskets_1w,
  coalesce(baskets_4w, 0) baskets_4w, coalesce(baskets_13w, 0) baskets_13w, baskets_52w, households_52w,
  repeat_households_52w, mean_price_13w, last_price, discount_share_4w
from sold join households using (product_id, week)""",
    "product_trends": f"""
with newest as (select case when end_of_day(day_ending(max(basket_time))) = max(basket_time)
    then day_ending(max(basket_time)) else day_ending(max(basket_time)) - 1 end last from lines),
sales as (
  select product_id, day_ending(basket_time) sold, count(*) n, sum(quantity) units,
    sum(sales_value + coupon_match_disc) filter (quantity > 0) priced from lines group by 1, 2),
days as (select unnest(range(last - {features.SNAPSHOT_DAYS - 1}, last + 1)) as day from newest)
select product_id, end_of_day(day) event_timestamp,
  sum(case when sold > day - 1 then n else 0 end)::int baskets_1d,
  sum(case when sold > day - 3 then n else 0 end)::int baskets_3d, sum(n)::int baskets_7d,
  sum(priced) / nullif(sum(units), 0) mean_price_7d
from sales join days on sold <= day and sold > day - 7 group by 1, 2""",
    "product_occasions": f"""
with sizes as (select basket_id, count(*) size from lines group by 1),
held as (select product_id, last_week() - week_end sold, isodow(basket_time) - 1 weekday,
    epoch(basket_time)::bigint // {_SLOT} % {_SLOTS} slot, size from dated join sizes using (basket_id))
select product_id, end_of(last_week() - age) event_timestamp,
  [{", ".join(f"count_if(slot = {each})::int" for each in range(_SLOTS))}] by_slot,
  [{", ".join(f"count_if(weekday = {each})::int" for each in range(7))}] by_weekday,
  count_if(size <= {features.SMALL_BASKET})::int small_baskets,
  avg(round(ln(size) * 1048576)) / 1048576 mean_log_size,
  avg(round(1048576 / size)) / 1048576 mean_inverse_size
from held join ages on age <= sold and sold < age + {product_occasions.WINDOW_WEEKS}
group by product_id, age having count(*) >= {features.OCCASION_BASKETS}""",
    "product_neighbours": f"""
with held as (select basket_id, product_id, last_week() - week_end age from dated
  where week_end <= last_week() and week_end > last_week() - {_AGES[-1] + _WINDOW}),
sold as (select product_id, ages.age, count(*) n from held join ages
    on held.age >= ages.age and held.age < ages.age + {_WINDOW}
  group by 1, 2 having n >= {product_neighbours.MIN_BASKETS}),
frequent as (select * from held semi join sold using (product_id)),
counts as (select a.product_id a, b.product_id b,
    {", ".join(f"count_if(a.age >= {age} and a.age < {age + _WINDOW}) c{age}" for age in _AGES)}
  from frequent a join frequent b on a.basket_id = b.basket_id and a.product_id < b.product_id group by 1, 2),
pairs as (select * from (
    {" union all ".join(f"select a, b, {age} age, c{age} c from counts" for age in _AGES)})
  where c >= {product_neighbours.MIN_JOINT_BASKETS}),
scored as (select a, b, p.age, c / sqrt(x.n * y.n) cosine from pairs p
  join sold x on a = x.product_id and p.age = x.age join sold y on b = y.product_id and p.age = y.age),
both_ways as (select a, b, age, cosine from scored union all select b, a, age, cosine from scored)
select a product_id, end_of(last_week() - age) event_timestamp,
  list(b order by cosine desc, b)[:{features.NEIGHBOURS}] neighbour_ids,
  list(cosine::float order by cosine desc, b)[:{features.NEIGHBOURS}] scores
from both_ways group by a, age""",
    "store_popular": f"""
with sales as (select store_id, product_id, week_end, count(*) n from dated group by 1, 2, 3),
everywhere as (from sales union all
  select {features.ALL_STORES}, product_id, week_end, sum(n) from sales group by 2, 3),
weighted as (
  select store_id, week, product_id,
    sum(n * round(1048576 * 2 ** ((week_end - week) / {store_popular.HALF_LIFE_WEEKS}))::bigint) score
  from everywhere join snapshots on week_end <= week and week_end > week - {store_popular.WINDOW_WEEKS}
  group by 1, 2, 3)
select store_id, end_of(week) event_timestamp,
  list(product_id order by score desc, product_id)[:{features.POPULAR_PRODUCTS}] product_ids,
  list((score / 1048576)::float order by score desc, product_id)[:{features.POPULAR_PRODUCTS}] scores
from weighted group by 1, 2""",
    "store_promotions": f"""
with recent as (select product_id, valid_from, valid_to, unnest(placements) p from promotions
  where valid_from > (select max(valid_from) from promotions)
    - interval '{7 * store_promotions.PROMOTION_WEEKS} days'),
placed as (select product_id, valid_from, valid_to, unnest(p.stores) store_id,
    (p.display = '0')::int + (p.mailer = '0')::int nowhere, p.display display, p.mailer mailer from recent),
once as (select store_id, valid_from, product_id, max(valid_to) valid_to,
    min({{n: nowhere, d: display, m: mailer}}) place from placed group by 1, 2, 3)
select store_id, valid_from event_timestamp, max(valid_to) valid_to,
  list(product_id order by product_id) product_ids,
  list(place.d order by product_id) displays, list(place.m order by product_id) mailers
from once group by 1, 2""",
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
