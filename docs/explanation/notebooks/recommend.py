# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # What goes into the next basket
#
# A grocer sells tens of thousands of products, and a household buys a dozen. This notebook takes a hundred
# households of the real year, looks at what they buy again, and predicts each one's last basket with a ranker
# that has never seen it. It uses the same jobs and functions as `mercato train recommend`, in its own lake.
# The figures for all households, beside the published methods, are in [the page on
# recommendations](../recommend.md).

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
from deltalake import write_deltalake

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.decisions.wording import product_name
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.replay.dataset import Dataset
from mercato.settings import Settings
from mercato_models.artifact import Model
from mercato_models.reasons import drivers
from mercato_models.recommend import channels, evaluation
from mercato_models.recommend.dataset import examples, ranked, training_set
from mercato_models.recommend.features import FEATURES
from mercato_models.recommend.metrics import CUT, recall
from mercato_models.recommend.pipeline import write_channel
from mercato_models.recommend.ranker import Hyperparameters, fit

L = BASKET_LINES.c
data = Dataset(households=100)
basket = [L.household_id, L.basket_id]
bought = data.lines
lines = pd.DataFrame({name: getattr(bought, name) for name in L if hasattr(bought, name)})
lines = lines.groupby([*basket, L.store_id, L.week, L.product_id], as_index=False).sum()
times = pd.Series(pd.to_datetime(bought.time, unit="us", utc=True)).groupby(bought.basket_id).max()
lines[L.basket_time] = lines[L.basket_id].map(times)
lines = lines.sort_values([L.household_id, L.basket_time, L.basket_id])
opens = lines[L.basket_id].ne(lines[L.basket_id].shift())
lines[L.basket_seq] = opens.groupby(lines[L.household_id]).cumsum()
print(f"{lines[L.basket_id].nunique():,} baskets with {lines[L.product_id].nunique():,} different products")

# %% [markdown]
# ## Old acquaintances, in their own rhythm
#
# Left: how much of a basket the household has bought before: nothing at first, half of it after eighty
# baskets. Right: for products bought at least four times, the newest gap over the product's mean gap. Half of
# these ratios lie between 0.5 and 1.5: a product comes back when it is due.

# %%
product = [L.household_id, L.product_id]
again = lines.duplicated(product)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5))
share = again.groupby(lines[L.basket_seq]).mean().iloc[:80]
left.plot(share.index, share)
left.set(xlabel="basket of the household", ylabel="share of its products bought before", ylim=(0, 0.7))
days = lines[L.basket_time].groupby([lines[name] for name in product]).diff() / pd.Timedelta(days=1)
gaps = lines.assign(gap=days).dropna(subset=["gap"]).groupby(product)["gap"]
rhythm = (gaps.transform("last") / gaps.transform("mean"))[gaps.transform("size") >= 3]
right.hist(rhythm.clip(upper=4), bins=40)
right.set(xlabel="newest gap over the mean gap", ylabel="purchases")
figure.tight_layout()

# %% [markdown]
# ## A past without the last basket
#
# The last basket of each household is held out before anything is counted, so no popularity or neighbour
# includes it. Features are joined to a basket as of a second before it.

# %%
home = Path(tempfile.mkdtemp())
lake = Lake(str(home / "lake"))
rows = pa.Table.from_pandas(lines[list(L)], preserve_index=False).cast(BASKET_LINES.arrow_schema)
write_deltalake(lake.path(BASKET_LINES), rows)
settings = Settings(home=home)
channel = home / "channel"
with connect(settings, "sail") as spark:
    write_channel(spark, settings, Lake(str(home / "cut"), base=lake), channel, targets=4)
contexts = channels.read_contexts(channel)
snapshots = channels.Snapshots(channel, channels.stores(contexts))
learned, judged = (channels.targets(contexts, split) for split in (channels.TRAIN, channels.TEST))
print(f"{len(learned)} baskets to learn from, {len(judged)} last baskets to predict")

# %% [markdown]
# ## Ranked by what a household does
#
# A few hundred candidates per household, and trees that predict which of them it buys. With so few households
# the neighbours are sparse and the intervals wide.

# %%
data_set = training_set(examples(snapshots.beside(learned), negatives=40))
parameters = Hyperparameters(rounds=120, learning_rate=0.08, max_depth=5, threads=1)
model = Model(fit(data_set, parameters), FEATURES, "notebook")
found = evaluation.evaluate(judged, list(evaluation.lists(snapshots.beside(judged), model.score)))
figure, axes = plt.subplots(figsize=(7, 3))
names = {
    evaluation.POPULAR: "popular",
    evaluation.PERSONAL: "own, most often bought",
    evaluation.WITHOUT_CONTEXT: "ranker",
    evaluation.MODEL: "ranker, store and time known",
}
for place, (way, name) in enumerate(names.items()):
    quality = found.qualities[way]
    low, high = quality.recall_interval
    axes.barh(place, quality.recall, color="C0", xerr=[[quality.recall - low], [high - quality.recall]])
    print(f"{name:<30} R@10 {quality.recall:.3f}   nDCG@10 {quality.ndcg:.3f}")
axes.set(yticks=range(len(names)), yticklabels=names.values(), xlabel="R@10, 95 % interval")
figure.tight_layout()

# %% [markdown]
# ## What the cart gives away
#
# Products already in the cart need no prediction; only the rest counts. The grey line is the list made with
# an empty cart, without what is in it now.

# %%
large = [target for target in judged if len(target.truth) > 4]
told = (0, 1, 2, 4)
with_cart, without = np.zeros((2, len(told), len(large)))
for number, (target, catalogue) in enumerate(snapshots.beside(large)):
    order = np.random.default_rng(target.household_id).permutation(sorted(target.truth)).tolist()
    before = ranked(target.context, catalogue, model.score, CUT + max(told))[0].tolist()
    for place, count in enumerate(told):
        cart, rest = order[:count], set(order[count:])
        context = replace(target.context, cart=tuple(cart))
        with_cart[place, number] = recall(ranked(context, catalogue, model.score, CUT)[0].tolist(), rest)
        without[place, number] = recall([item for item in before if item not in cart], rest)
figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(told, with_cart.mean(axis=1), marker="o", label="told what is in the cart")
axes.plot(told, without.mean(axis=1), marker="o", color="grey", label="not told")
axes.set(xlabel="products in the cart", ylabel="R@10 of the rest", ylim=(0, None), xticks=told)
axes.legend()

# %% [markdown]
# ## What drives a recommendation
#
# The model's drivers, and one household's list with what it then bought: the household with the median
# recall.

# %%
top = dict(list(drivers(model, data_set.features[:2000]).items())[:10])
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.barh(list(top)[::-1], list(top.values())[::-1])
axes.set(xlabel="mean |SHAP value|")
figure.tight_layout()

# %%
catalogue_of = data.catalogue
place_of = {int(product_id): place for place, product_id in enumerate(catalogue_of.product_id)}


def name_of(product_id: int) -> str:
    place = place_of[product_id]
    return product_name(catalogue_of.product_type[place], catalogue_of.category[place], product_id)


lists = {of: best.products for of, best in zip(found.households, found.lists[evaluation.MODEL], strict=True)}
by_recall = sorted(judged, key=lambda each: recall(lists[each.household_id].tolist(), each.truth))
target = by_recall[len(judged) // 2]
for rank, product_id in enumerate(lists[target.household_id][:CUT].tolist(), 1):
    hit = "bought" if product_id in target.truth else ""
    print(f"{rank:>2}  {name_of(product_id):<40} {hit}")
