# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Who is about to leave
#
# Grocery shoppers have no contract, so nobody tells the shop when they leave; they just stop coming. A
# household that shopped in the last 28 days and five times in all is active; it churns if no basket follows
# in the next 28. This notebook looks at the real year, asks what signals churn, and evaluates the model on
# as-of days without look-ahead. The figures with intervals are in [the page on churn](../churn.md).

# %%
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato.replay.dataset import Dataset
from mercato_models.churn import bgnbd, evaluation
from mercato_models.churn.channels import HOUSEHOLD, JUDGED, JUDGED_STEP_DAYS, snapshots
from mercato_models.churn.days import HORIZON_DAYS, over
from mercato_models.churn.features import AS_OF, LABEL, baskets
from mercato_models.churn.model import Hyperparameters, train
from mercato_models.curves import Curve
from mercato_models.reasons import drivers, reasons

L = BASKET_LINES.c
read = Dataset().lines
names = [L.household_id, L.basket_id, L.store_id, L.sales_value, L.retail_disc, L.coupon_disc]
names.append(L.coupon_match_disc)
lines = pd.DataFrame({name: getattr(read, name) for name in names})
lines[L.basket_time] = pd.to_datetime(read.time, unit="us")
start = lines[L.basket_time].min().normalize()
history = baskets(lines, start)
print(f"{len(history):,} baskets of {history[L.household_id].nunique():,} households")

# %% [markdown]
# ## Silence means different things
#
# Someone who comes every two days and has been away for ten is in trouble; someone who comes every three
# weeks is not. So the model relies on a household's own rhythm more than on the length of the silence.

# %%
last = JUDGED_STEP_DAYS * (JUDGED - 1)
until = over(history, start, datetime.now(UTC))  # all days of the year
newest = until - HORIZON_DAYS
first = newest - (newest % 7) - last
learned = range(84, first - HORIZON_DAYS, JUDGED_STEP_DAYS)
rows = snapshots(history, [*learned, *range(first, first + last + 1, JUDGED_STEP_DAYS)], until)
features = tuple(name for name in rows if name not in (AS_OF, HOUSEHOLD, LABEL))

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5))
titles = {"recency": "days since the last basket", "silence_by_mean": "the same, in own mean gaps"}
for axes, (name, title) in zip((left, right), titles.items(), strict=True):
    tenths = pd.qcut(rows[name], 10, duplicates="drop")
    rate = rows.groupby(tenths, observed=True)[LABEL].mean()
    axes.bar(range(len(rate)), rate)
    axes.set(xlabel=f"{title}, tenths", ylabel="share that churned", ylim=(0, 0.4))
figure.tight_layout()

# %% [markdown]
# ## Evaluate it on days whose future it has not seen
#
# Each of five days is scored by a model trained on labels known by then, from as-of days two weeks apart
# instead of one: this takes seconds, with less training data than the full run. The peer is BG/NBD, which
# marketing science has used for twenty years: a household buys at its own rate until it drops out unseen.

# %%
parameters = Hyperparameters()
judged = evaluation.backtest(
    rows, rows[rows[AS_OF] >= first], lambda known: train(known, features, parameters)
)


def silence(as_of: float, households: pd.Series) -> np.ndarray:
    known = bgnbd.summary(history, as_of)
    of = [bgnbd.Summary(*part.to_numpy().T) for part in (known, known.loc[households])]
    return bgnbd.fit(of[0]).silence(of[1], HORIZON_DAYS / bgnbd.WEEK)


judged["bg_nbd"] = np.concatenate([silence(day, part[HOUSEHOLD]) for day, part in judged.groupby(AS_OF)])
for column in (evaluation.PROBABILITY, "bg_nbd", evaluation.RECENCY):
    auc, precision = (
        evaluation.mean_of(judged, column, measure)(np.ones(len(judged)))
        for measure in (Curve.auc, Curve.average_precision)
    )
    print(f"{column:<12} AUC {auc:.3f}   AP {precision:.3f}")

# %% [markdown]
# ## Calibration
#
# What is at stake is a household's value times its probability of leaving: that needs calibrated
# probabilities.

# %%
figure, axes = plt.subplots(figsize=(4.5, 4))
for column, name in ((evaluation.PROBABILITY, "model"), ("bg_nbd", "BG/NBD")):
    tenths = pd.qcut(judged[column], 10, duplicates="drop")
    told, came = (judged.groupby(tenths, observed=True)[what].mean() for what in (column, LABEL))
    axes.plot(told, came, marker="o", label=name)
axes.plot([0, 0.6], [0, 0.6], color="grey", linestyle=":")
axes.set(xlabel="told", ylabel="came true")
axes.legend()

# %% [markdown]
# ## Why this household
#
# Drivers over all households, and the reasons for the three households most likely to leave.

# %%
model = train(rows, features, parameters)
now = rows[rows[AS_OF] == rows[AS_OF].max()].reset_index(drop=True)
matrix = now[list(features)].to_numpy(np.float32)
top = dict(list(drivers(model, matrix).items())[:10])
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.barh(list(top)[::-1], list(top.values())[::-1])
axes.set(xlabel="mean |SHAP value|")
figure.tight_layout()

# %%
probability = model.score(matrix)
for place in np.argsort(-probability)[:3]:
    (why,) = reasons(model, matrix[place : place + 1])
    said = ", ".join(f"{one.feature} = {one.value:.3g}" for one in why)
    print(f"household {now[HOUSEHOLD][place]}: {probability[place]:.0%}, because {said}")
