"""How well the rest of a basket is told from its first products: the ranker beside session recommenders.

The data keep no order within a basket, so the products come in a seeded one, the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from benchmarks import session_peers
from benchmarks.page import Table, Value
from benchmarks.recommend_data import Lists, mean
from benchmarks.recommend_peers import best
from benchmarks.session_peers import Peer, Sessions
from benchmarks.tuning import Setting, climb
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models import artifact
from mercato_models.recommend import channels
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import ranked
from mercato_models.recommend.history import History
from mercato_models.recommend.metrics import CUT, ndcg, recall, reciprocal_rank
from mercato_models.recommend.protocol import Cut

_L = BASKET_LINES.c
#: How many products of the basket are told. Baskets that hold more than all of these are judged.
TOLD = (1, 2, 4)
SEED = 0
MODEL, BLIND, NOBODY = "ranker", "ranker, not told the products", "ranker, not told whose basket it is"
_PEERS: Mapping[Peer, str] = {session_peers.vmis_knn: "VMIS-kNN", session_peers.together: "co-occurrence"}
_MEASURES: Mapping[str, Callable[..., float]] = {
    f"R@{CUT}": recall,
    f"nDCG@{CUT}": ndcg,
    f"MRR@{CUT}": reciprocal_rank,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A basket whose products come one after another."""

    time: np.datetime64
    products: tuple[int, ...]

    def rest(self, told: int) -> frozenset[int]:
        """What is left to predict."""
        return frozenset(self.products[told:])


def opened(lines: pa.Table) -> dict[int, Opened]:
    """By household its basket in a seeded order, if it holds more than the most products told."""
    result = {}
    for household, basket in lines.to_pandas().groupby(_L.household_id):
        if len(basket) > max(TOLD):
            order = np.random.default_rng([SEED, int(str(household))])
            products = order.permutation(np.sort(basket[_L.product_id].to_numpy()))
            time = basket[_L.basket_time].to_numpy()[0]
            result[int(str(household))] = Opened(time, tuple(products.tolist()))
    return result


def tables(divided: Cut, earlier: Cut, trained: Path) -> list[Table]:
    """Quality on the last baskets, and the settings that were best on the second-last ones.

    Args:
        divided, earlier: the protocol's cut, and that of its history.
        trained: folder of a training run of the ranker, with its channel and its model.
    """
    asked, sessions = opened(divided.test), Sessions.of(divided.history)
    by_peer: dict[tuple[str, int], dict[int, list[int]]] = {}
    chosen: list[dict[str, Value]] = []
    for peer, name in _PEERS.items():
        setting, reached = _tuned(peer, earlier)
        described = ", ".join(f"{key} {value}" for key, value in setting.items())
        chosen.append({"": name, "setting": described, "on second-last baskets": reached})
        for told in TOLD:
            by_peer[name, told] = lists(peer, sessions, asked, told, setting)
    for name, told, household, listed in _ranked(trained, asked):
        by_peer.setdefault((name, told), {})[household] = listed
    names = (MODEL, *_PEERS.values(), BLIND, NOBODY)
    rows = [_quality(name, told, by_peer, asked) for told in TOLD for name in names]
    return [Table("The rest of an open basket", rows), Table("Settings for open baskets", chosen)]


def _tuned(peer: Peer, earlier: Cut) -> tuple[dict[str, Value], float]:
    """The setting with the best sum of recall and nDCG over all numbers of products told."""
    asked, sessions = opened(earlier.test), Sessions.of(earlier.history)

    def judge(setting: Setting) -> float:
        values = [
            recall(listed, rest) + ndcg(listed, rest)
            for told in TOLD
            for household, listed in lists(peer, sessions, asked, told, setting).items()
            if (rest := asked[household].rest(told))
        ]
        return float(np.mean(values))

    return climb(session_peers.GRIDS[peer], judge, _PEERS[peer])


def lists(
    peer: Peer, sessions: Sessions, asked: Mapping[int, Opened], told: int, setting: Mapping[str, Value]
) -> dict[int, list[int]]:
    """The best products of each household's rest, from the first ones by a peer."""
    result = {}
    for household, basket in asked.items():
        shown = sessions.places(np.array(basket.products[:told]))
        scores = peer(sessions, shown, sessions.before(basket.time), **setting)
        scores[shown[shown >= 0]] = 0
        result[household] = best(scores, sessions.products)
    return result


def _ranked(trained: Path, asked: Mapping[int, Opened]) -> Iterator[tuple[str, int, int, list[int]]]:
    """Lists of the ranker: how it was asked, how many products it was told, for whom, and which it shows."""
    model, channel = artifact.load(trained / "model"), trained / "channel"
    contexts = channels.read_contexts(channel)
    snapshots = channels.Snapshots(channel, channels.stores(contexts))
    targets = [each for each in channels.targets(contexts, channels.TEST) if each.household_id in asked]
    for target, catalogue in tqdm(snapshots.beside(targets), desc=MODEL, total=len(targets)):
        household, products = target.household_id, asked[target.household_id].products
        known = target.context
        alone = ranked(known, catalogue, model.score, CUT + max(TOLD))[0].tolist()
        for told in TOLD:
            cart = products[:told]
            yield BLIND, told, household, [item for item in alone if item not in cart]
            nobody = Context(History.of(), store_id=known.store_id, time=known.time, cart=cart)
            for name, context in ((MODEL, replace(known, cart=cart)), (NOBODY, nobody)):
                yield name, told, household, ranked(context, catalogue, model.score, CUT)[0].tolist()


def _quality(
    name: str, told: int, by_peer: Mapping[tuple[str, int], Lists], asked: Mapping[int, Opened]
) -> dict[str, Value]:
    households = sorted(by_peer[MODEL, told])
    row: dict[str, Value] = {"": name, "products told": told, "baskets": len(households)}
    gains: dict[str, Value] = {}
    for title, measure in _MEASURES.items():
        ours, theirs = (
            np.array([measure(by_peer[way, told][each], asked[each].rest(told)) for each in households])
            for way in (MODEL, name)
        )
        row[title] = float(theirs.mean())
        gains[f"ranker's gain in {title}"] = None if name == MODEL else mean(households, ours - theirs)
    return row | gains
