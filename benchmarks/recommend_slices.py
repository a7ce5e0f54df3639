"""Where lists are right: products bought before and new ones, new households, new products, promotions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from benchmarks.page import Table, Value
from benchmarks.recommend_data import Lists, Truths, mean, truths
from benchmarks.recommend_peers import Baskets
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import artifact
from mercato_models.recommend import channels
from mercato_models.recommend.dataset import ranked
from mercato_models.recommend.metrics import CUT, recall
from mercato_models.recommend.protocol import Cut

_L = BASKET_LINES.c
#: Baskets of history, from and to.
_LIVES = ((3, 5), (6, 10), (11, 49), (50, 50))
#: A product is new for so long, and that is asked of baskets this long after the first one of the data.
NEW, SETTLED = pd.Timedelta(weeks=4), pd.Timedelta(weeks=13)


def tables(by_peer: Mapping[str, Lists], lines: pa.Table, divided: Cut, trained: Path) -> list[Table]:
    """Every slice.

    Args:
        by_peer: lists by who made them.
        lines: of all baskets; divided: the protocol's cut of them.
        trained: folder of a training run of the ranker, with its channel and its model.
    """
    truth, history = truths(divided.test), Baskets.of(divided.history, divided.test)
    repeats = [by_past(name, lists, truth, history) for name, lists in by_peer.items()]
    newness = [by_age(name, lists, lines, divided.test) for name, lists in by_peer.items()]
    return [
        Table("Repeated and new products", repeats),
        Table("By baskets of history", by_history(by_peer, truth, history)),
        Table(f"Products first sold in the last {NEW.days} days", newness),
        Table("The ranker and what the store promotes", promotions(trained)),
    ]


def by_past(name: str, lists: Lists, truth: Truths, history: Baskets) -> dict[str, Value]:
    """Recall among products that the household had bought before, and among those it had not."""
    owned: dict[int, set[int]] = {int(household): set() for household in history.households}
    for household, item in zip(
        history.households[history.household], history.products[history.product], strict=True
    ):
        owned[int(household)].add(int(item))
    row: dict[str, Value] = {"": name}
    for title, own in (("bought before", True), ("new to the household", False)):
        reached, _ = _recall(lists, truth, lambda each, item, own=own: (item in owned[each]) == own)
        row[f"R@{CUT} of products {title}"] = reached
    return row


def by_history(by_peer: Mapping[str, Lists], truth: Truths, history: Baskets) -> list[dict[str, Value]]:
    """Recall of households that have been known for long, and of those that have not."""
    lengths = dict(zip(history.households.tolist(), history.held.tolist(), strict=True))
    rows = []
    for low, high in _LIVES:
        chosen = [each for each in truth if low <= lengths[each] <= high]
        row: dict[str, Value] = {
            "": f"{low} to {high}" if low < high else f"{low}",
            "households": len(chosen),
        }
        for name, lists in by_peer.items():
            values = [recall(lists.get(each, []), truth[each]) for each in chosen]
            row[name] = float(np.mean(values)) if values else None
        rows.append(row)
    return rows


def by_age(name: str, lists: Lists, lines: pa.Table, test: pa.Table) -> dict[str, Value]:
    """Recall among products that anybody bought first not long before the basket, and among older ones."""
    known = lines.select([_L.product_id, _L.basket_time]).to_pandas()
    first = known.groupby(_L.product_id)[_L.basket_time].min()
    start = first.min() + SETTLED
    baskets = test.select([_L.household_id, _L.product_id, _L.basket_time]).to_pandas()
    baskets = baskets[baskets[_L.basket_time] >= start]
    age = baskets[_L.basket_time] - baskets[_L.product_id].map(first)
    new = set(baskets.loc[age <= NEW, [_L.household_id, _L.product_id]].itertuples(index=False, name=None))
    by_household = baskets.groupby(_L.household_id)[_L.product_id].agg(frozenset)
    truth: Truths = {int(household): items for household, items in by_household.items()}
    row: dict[str, Value] = {"": name}
    for title, wanted in (("new products", True), ("older products", False)):
        reached, number = _recall(lists, truth, lambda *pair, wanted=wanted: (pair in new) == wanted)
        row |= {title: number, f"R@{CUT} of {title}": reached}
    return row


def promotions(trained: Path) -> list[dict[str, Value]]:
    """What the ranker finds of products displayed or mailed in the basket's store, told of them and not.

    Households in stores of which no promotion is known are left out. Intervals: stores drawn again.
    """
    model, channel = artifact.load(trained / "model"), trained / "channel"
    contexts = channels.read_contexts(channel)
    snapshots = channels.Snapshots(channel, channels.stores(contexts))
    targets = channels.targets(contexts, channels.TEST)
    truth: dict[int, frozenset[int]] = {}
    shop: dict[int, int] = {}
    promoted: dict[int, set[int]] = {}
    told: dict[int, list[int]] = {}
    hidden: dict[int, list[int]] = {}
    for target, catalogue in tqdm(snapshots.beside(targets), desc="promotions", total=len(targets)):
        household, store_id = target.household_id, target.context.store_id
        if store_id is None or store_id not in catalogue.promoted:
            continue
        quiet = copy.copy(catalogue)
        quiet.promoted = {}
        truth[household], shop[household] = target.truth, store_id
        promoted[household] = set(catalogue.product_ids[catalogue.promoted[store_id].rows].tolist())
        for lists, known in ((told, catalogue), (hidden, quiet)):
            lists[household] = ranked(target.context, known, model.score, CUT)[0].tolist()
    stores = [shop[each] for each in truth]
    rows = []
    for name, lists in (("promotions known", told), ("promotions hidden", hidden)):
        row: dict[str, Value] = {"": name, "households": len(truth), "stores": len(set(stores))}
        row[f"R@{CUT}"] = float(np.mean([recall(lists[each], truth[each]) for each in truth]))
        for title, wanted in (("promoted products", True), ("others", False)):
            chosen = lambda each, item, wanted=wanted: (item in promoted[each]) == wanted  # noqa: E731
            row[f"R@{CUT} of {title}"], row[title] = _recall(lists, truth, chosen)
        shares = [len(promoted[each] & set(lists[each])) / max(1, len(lists[each])) for each in truth]
        row["share of the list promoted"] = float(np.mean(shares))
        gain = np.array(
            [recall(told[each], truth[each]) - recall(lists[each], truth[each]) for each in truth]
        )
        row[f"gain in R@{CUT} by knowing them"] = None if lists is told else mean(stores, gain)
        rows.append(row)
    return rows


def _recall(lists: Lists, truth: Truths, chosen: Callable[..., bool]) -> tuple[float | None, int]:
    """Mean recall among chosen products of each basket that has any, and their number in all."""
    shares, number = [], 0
    for each, held in truth.items():
        if wanted := {item for item in held if chosen(each, item)}:
            shares.append(recall(lists.get(each, []), wanted))
            number += len(wanted)
    return (float(np.mean(shares)) if shares else None), number
