"""The as-of feature tables by hand in DuckDB: the second half of the script of `gold_duckdb.py`."""

from __future__ import annotations

import itertools

from glue_jobs.gold import (
    product_neighbours,
    product_occasions,
    product_returns,
    store_popular,
    store_promotions,
)
from glue_jobs.gold.weeks import AGES
from mercato.contracts.tables import features

_WINDOW = product_neighbours.WINDOW_WEEKS
#: Least and first too high of each step of how often a product was bought, and of baskets until it is again.
_TIMES, _WAITS = (
    list(itertools.pairwise((*steps, 1 << 30))) for steps in (features.RETURN_TIMES, features.RETURN_BASKETS)
)
_SLOTS, _SLOT = 24 // features.SLOT_HOURS, features.SLOT_HOURS * 3_600

#: By table, the SELECT that makes it.
AS_OF = {
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
      range between interval '27 days 23:59:59.999999' preceding and current row))
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
select product_id, end_of_week(week) event_timestamp, coalesce(baskets_1w, 0) baskets_1w,
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
with sizes as (select household_id, basket_id, count(*) size from lines group by 1, 2),
held as (select product_id, last_week() - week_end sold, isodow(basket_time) - 1 weekday,
    epoch(basket_time)::bigint // {_SLOT} % {_SLOTS} slot, size
  from dated join sizes using (household_id, basket_id))
select product_id, end_of_week(last_week() - age) event_timestamp,
  [{", ".join(f"count_if(slot = {each})::int" for each in range(_SLOTS))}] by_slot,
  [{", ".join(f"count_if(weekday = {each})::int" for each in range(7))}] by_weekday,
  count_if(size <= {features.SMALL_BASKET})::int small_baskets,
  avg(round(ln(size) * 1048576)) / 1048576 mean_log_size,
  avg(round(1048576 / size)) / 1048576 mean_inverse_size
from held join ages on age <= sold and sold < age + {product_occasions.WINDOW_WEEKS}
group by product_id, age having count(*) >= {features.OCCASION_BASKETS}""",
    "product_returns": f"""
with bought as (select household_id, product_id, basket_seq, last_week() - week_end sold,
    lead(basket_seq) over one next_seq, lead(last_week() - week_end) over one next_sold,
    row_number() over one times
  from dated where week_end <= last_week()
  window one as (partition by household_id, product_id order by basket_seq)),
newest as (select household_id, age, max(basket_seq) newest_seq from dated
  join ages on age <= last_week() - week_end group by all),
waits as (select product_id, age, times, coalesce(next_sold >= age, false) again,
    case when again then next_seq else newest_seq end - basket_seq wait
  from bought join ages on age <= sold and sold < age + {product_returns.WINDOW_WEEKS}
  join newest using (household_id, age))
select product_id, end_of_week(last_week() - age) event_timestamp,
  [{
        ", ".join(
            f"count_if(times >= {a} and times < {b} and again and wait >= {c} and wait < {d})::int"
            for a, b in _TIMES
            for c, d in _WAITS
        )
    }] returned,
  [{
        ", ".join(
            f"sum(case when times >= {a} and times < {b} then greatest(0, least(wait, {d - 1}) - {c - 1}) "
            f"else 0 end)::bigint"
            for a, b in _TIMES
            for c, d in _WAITS
        )
    }] waited
from waits group by product_id, age having count(*) >= {features.OCCASION_BASKETS}""",
    "product_neighbours": f"""
with held as (select household_id, basket_id, product_id, last_week() - week_end age from dated
  where week_end <= last_week() and week_end > last_week() - {AGES[-1] + _WINDOW}),
sold as (select product_id, ages.age, count(*) n from held join ages
    on held.age >= ages.age and held.age < ages.age + {_WINDOW}
  group by 1, 2 having n >= {product_neighbours.MIN_BASKETS}),
frequent as (select * from held semi join sold using (product_id)),
counts as (select a.product_id a, b.product_id b,
    {", ".join(f"count_if(a.age >= {age} and a.age < {age + _WINDOW}) c{age}" for age in AGES)}
  from frequent a join frequent b
    on a.household_id = b.household_id and a.basket_id = b.basket_id and a.product_id < b.product_id
  group by 1, 2),
pairs as (select * from (
    {" union all ".join(f"select a, b, {age} age, c{age} c from counts" for age in AGES)})
  where c >= {product_neighbours.MIN_JOINT_BASKETS}),
scored as (select a, b, p.age, c / sqrt(x.n * y.n) cosine from pairs p
  join sold x on a = x.product_id and p.age = x.age join sold y on b = y.product_id and p.age = y.age),
both_ways as (select a, b, age, cosine from scored union all select b, a, age, cosine from scored)
select a product_id, end_of_week(last_week() - age) event_timestamp,
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
select store_id, end_of_week(week) event_timestamp,
  list(product_id order by score desc, product_id)[:{features.POPULAR_PRODUCTS}] product_ids,
  list((score / 1048576)::float order by score desc, product_id)[:{features.POPULAR_PRODUCTS}] scores
from weighted group by 1, 2""",
    "store_promotions": f"""
with told as (select product_id, event_time, valid_to, placements, case when event_time <= valid_from
    then valid_from else to_timestamp(ceil(epoch(event_time) / 3600) * 3600) end begins from promotions),
known as (select * rename (begins as valid_from) from told where begins < valid_to),
bounds as (select newest, newest - interval '{7 * store_promotions.PROMOTION_WEEKS} days' oldest
  from (select least(max(valid_from), max(event_time) + interval 7 days) newest from known)),
recent as (select product_id, valid_from, valid_to, unnest(placements) p,
    valid_from > oldest or valid_to > newest opens from known, bounds where valid_to > oldest),
placed as (select product_id, valid_from, valid_to, opens, unnest(p.stores) store_id,
    (p.display = '0')::int + (p.mailer = '0')::int nowhere, p.display display, p.mailer mailer from recent),
windows as (select distinct store_id, valid_from, valid_to, opens from placed),
instants as (select store_id, valid_from instant from windows where opens
  union select store_id, valid_to from windows),
running as (select store_id, valid_from, valid_to, instant from windows join instants using (store_id)
  where valid_from <= instant and instant < valid_to),
once as (select store_id, instant, product_id, max(valid_to) valid_to,
    min({{n: nowhere, d: display, m: mailer}}) place
  from placed join running using (store_id, valid_from, valid_to) group by 1, 2, 3)
select store_id, instant event_timestamp, max(valid_to) valid_to,
  list(product_id order by product_id) product_ids,
  list(place.d order by product_id) displays, list(place.m order by product_id) mailers
from once group by 1, 2""",
}
