"""The recommendation ranker beside its peers on last baskets, and where it is right.

python -m benchmarks.models_recommend     (in .venv/peers, as `make bench-models` does)

Judges the lists that `mercato train recommend` wrote; trains every peer on the same histories, read from the
Complete Journey package itself, with the settings that are best on second-last baskets. Needs no engine but
the JVM of Spark's ALS.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import fairness, recommend_sessions, recommend_slices
from benchmarks import recommend_peers as peers
from benchmarks.latency import beside_predict
from benchmarks.machine import describe_machine, write_result
from benchmarks.page import Table, Value
from benchmarks.recommend_data import Lists, Truths, basket_lines, mean, truths
from benchmarks.recommend_peers import Baskets, Peer
from benchmarks.tuning import Setting, climb
from mercato.contracts.tables.predictions import RANKED_PRODUCTS
from mercato.errors import MercatoError
from mercato.settings import get_settings
from mercato_models import artifact, demographics
from mercato_models.fairness import Ratio
from mercato_models.recommend import NAME, channels
from mercato_models.recommend.candidates import candidates
from mercato_models.recommend.evaluation import MODEL, WITHOUT_CONTEXT
from mercato_models.recommend.fairness import ratios
from mercato_models.recommend.features import build
from mercato_models.recommend.metrics import CUT, ndcg, quality, recall
from mercato_models.recommend.predictions import FILES
from mercato_models.recommend.protocol import Cut, cut

_C = RANKED_PRODUCTS.c
_MODEL, _BLIND = "ranker", "ranker, the basket's store and time hidden"
#: Tests whose candidates the ranker is timed on.
_TIMED = 50
_NAMES: Mapping[Peer, str] = {
    peers.popular: "G-TopFreq: popular",
    peers.personal: "P-TopFreq: own",
    peers.personal_then_popular: "GP-TopFreq: own, then popular",
    peers.item_neighbours: "item-kNN",
    peers.up_cf: "UP-CF@r",
    peers.tifu_knn: "TIFU-KNN",
    peers.slrc: "SLRC: time since each purchase",
    peers.factors: "ALS, Spark MLlib",
}
_SPLIT = (
    "The last basket of each household with three baskets before it; histories of 50 baskets at most. Peers' "
    "settings are the best on second-last baskets, by the sum of both measures, one changed at a time until "
    "none is better. The ranker knows the store and time of the basket unless said otherwise, SLRC its day, "
    "the others have no use for them. Open baskets: more "
    "than four products, in a seeded order. Intervals: households drawn again, stores for promotions."
)


def main() -> None:
    """Judge all, and write `models_recommend.json`."""
    home = get_settings().home
    paths = {way: home / "predictions" / name for way, name in FILES.items()}
    for path in paths.values():
        if not path.is_file():
            raise SystemExit(f"{path} is missing: run `mercato train recommend` on the lake first")
    trained = home / "datasets" / "recommend"
    machine, lines = describe_machine(), basket_lines()
    divided = cut(lines)
    earlier, truth = cut(divided.history), truths(divided.test)
    model, blind = _written(paths[MODEL]), _written(paths[WITHOUT_CONTEXT])
    if missing := truth.keys() - model.keys():
        raise MercatoError(
            f"{paths[MODEL]} lacks {len(missing)} test households: it is of another lake than the year"
        )
    by_peer: dict[str, Lists] = {_MODEL: model}
    rows: list[dict[str, Value]] = []
    seconds = {}
    for peer, name in tqdm(_NAMES.items(), desc="peers"):
        started = time.perf_counter()
        setting, tuned = _tuned(peer, earlier)
        by_peer[name] = _lists(peer, divided, setting)
        seconds[name] = round(time.perf_counter() - started, 1)
        described = ", ".join(f"{key} {value}" for key, value in setting.items())
        rows.append({"": name, "setting": described, "on second-last baskets": tuned})
    shown = {_MODEL: model, _BLIND: blind, **by_peer}
    result = {
        "machine": machine,
        "split": _SPLIT,
        "seeds": [0],
        "predictions": FILES[MODEL],
        "tables": [
            Table("Quality", [_quality(name, lists, model, truth) for name, lists in shown.items()]),
            Table("Peers' settings, and the sum of both measures they were chosen by", rows),
            *recommend_slices.tables(by_peer, lines, divided, trained),
            Table("Fairness of the lists", fairness.rows(_ratios(model, truth, trained / "channel"))),
            *recommend_sessions.tables(divided, earlier, trained),
            Table("Latency, milliseconds", _latency(trained)),
        ],
        "seconds": seconds,
    }
    print(write_result("models_recommend", result))


def _written(path: object) -> dict[int, list[int]]:
    table = pq.read_table(path)
    table = table.filter(pc.less_equal(table[_C.rank], CUT)).sort_by(
        [(_C.household_id, "ascending"), (_C.rank, "ascending")]
    )
    by_household = table.to_pandas().groupby(_C.household_id)
    return {int(str(household)): list(of[_C.product_id]) for household, of in by_household}


def _tuned(peer: Peer, earlier: Cut) -> tuple[dict[str, Value], float]:
    """The setting that is best on second-last baskets, and the sum of both measures there."""
    truth = truths(earlier.test)

    def judge(setting: Setting) -> float:
        lists = _lists(peer, earlier, setting)
        measured = quality([lists.get(each, []) for each in truth], list(truth.values()), draws=1)
        return measured.recall + measured.ndcg

    return climb(peers.GRIDS[peer], judge, _NAMES[peer])


def _lists(peer: Peer, divided: Cut, setting: Mapping[str, Value]) -> Lists:
    baskets = Baskets.of(divided.history, divided.test)
    return peers.lists(baskets, peer(baskets, **setting))


def _quality(name: str, lists: Lists, model: Lists, truth: Truths) -> dict[str, Value]:
    households = sorted(truth)
    judged = quality([lists.get(each, []) for each in households], [truth[each] for each in households])
    row: dict[str, Value] = {
        "": name,
        f"R@{CUT}": judged.recall,
        f"R@{CUT} 95 %": "{:.4f} to {:.4f}".format(*judged.recall_interval),
        f"nDCG@{CUT}": judged.ndcg,
        f"nDCG@{CUT} 95 %": "{:.4f} to {:.4f}".format(*judged.ndcg_interval),
    }
    for title, measure in ((f"R@{CUT}", recall), (f"nDCG@{CUT}", ndcg)):
        gain = np.array(
            [
                measure(model[each], truth[each]) - measure(lists.get(each, []), truth[each])
                for each in households
            ]
        )
        row[f"ranker's gain in {title}"] = None if lists is model else mean(households, gain)
    everything = [product for each in households for product in lists.get(each, [])]
    row["products shown"] = len(set(everything))
    row["Gini of those"] = _gini(np.unique(everything, return_counts=True)[1])
    return row


def _gini(counts: NDArray[np.int64]) -> float:
    ordered = np.sort(counts).astype(np.float64)
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def _latency(trained: Path) -> list[dict[str, Value]]:
    """The ranker alone on candidates of the first tests, beside XGBoost's own predict."""
    contexts = channels.read_contexts(trained / "channel")
    snapshots = channels.Snapshots(trained / "channel", channels.stores(contexts))
    tests = channels.targets(contexts, channels.TEST)[:_TIMED]
    rows = [
        build(target.context, catalogue, candidates(target.context, catalogue))
        for target, catalogue in snapshots.beside(tests)
    ]
    return beside_predict(artifact.load(trained / "model"), np.concatenate(rows))


def _ratios(model: Lists, truth: Truths, channel: Path) -> list[Ratio]:
    """Least ratios between groups of the people whom the channel tells of."""
    households = sorted(truth)
    groups = demographics.groups(channel, pd.Series(households), NAME)
    return ratios([model[each] for each in households], [truth[each] for each in households], groups)


if __name__ == "__main__":
    main()
