# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Finding fraud while labels are a week late
#
# A town of 1,000 customers pays by card at 2,000 terminals. Some payments are fraud, and nobody knows which
# until a week later. This notebook simulates such a town, shows what fraud looks like there, trains Mercato's
# model beside the handbook's, and turns scores into decisions. It runs in about a minute; the figures for the
# published data set, twenty times larger, are in [the page on fraud](../fraud.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import precision_recall_curve

from mercato.contracts.durations import DAY_SECONDS
from mercato.decisions.fraud import CODES, SENTENCES, Action, Costs, decide, review_threshold
from mercato_models.artifact import Model
from mercato_models.fraud.amount_likelihood import learn
from mercato_models.fraud.evaluation import COMPARED, HANDBOOK, MODEL, evaluate, gain
from mercato_models.fraud.model import Hyperparameters, fit
from mercato_models.fraud.payments import SCORED
from mercato_models.fraud.protocol import TEST_STARTS
from mercato_models.fraud.replay import Past
from mercato_models.fraud.simulator import World, simulate
from mercato_models.fraud.state import FEATURES
from mercato_models.reasons import contributions, drivers

town = World(customers=1_000, terminals=2_000, days=150, radius=10.0, terminals_a_day=1, customers_a_day=2)
payments, kind = simulate(town)
print(f"{len(payments):,} payments, {payments.fraud.sum():,} of them fraud ({payments.fraud.mean():.2%})")

# %% [markdown]
# ## Three ways to steal
#
# Very high amounts are easy to detect. At a compromised terminal every payment is a fraud, at ordinary
# amounts. With a leaked card, some payments are larger than its owner would make. No model sees which kind it
# was.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5))
names = {1: "high amount", 2: "compromised terminal", 3: "leaked card"}
for which, name in names.items():
    left.hist(payments.amount[kind == which], bins=np.linspace(0, 500, 60), alpha=0.6, label=name)
left.set(xlabel="amount", ylabel="frauds", title="Amounts of frauds")
left.legend()
terminal = np.bincount(payments.terminal[kind == 2]).argmax()
there = payments.terminal == terminal
right.scatter(
    payments.day[there], payments.amount[there], c=np.where(payments.fraud[there], "crimson", "grey"), s=14
)
right.set(xlabel="day", ylabel="amount", title=f"Terminal {terminal}: red payments are fraud")
figure.tight_layout()

# %% [markdown]
# ## What can be known in time
#
# Labels come seven days late, so in the first week of a compromise nothing at that terminal gives it away.
# The features of each customer and terminal (`mercato_models/fraud/state.py`) use a payment's label only once
# it has arrived. How much of the fraud can nobody catch?

# %%
past = Past(payments)
frauds = np.flatnonzero(kind == 2)
order = np.lexsort((payments.second[frauds], payments.terminal[frauds]))
frauds = frauds[order]
new = np.diff(payments.terminal[frauds], prepend=-1) != 0
gap = np.diff(payments.second[frauds], prepend=0) > 14 * DAY_SECONDS
opens = np.maximum.accumulate(np.where(new | gap, np.arange(len(frauds)), 0))
age = (payments.second[frauds] - payments.second[frauds[opens]]) / DAY_SECONDS
unseen = (age < 7).sum() / payments.fraud.sum()
print(f"{unseen:.0%} of all frauds are at terminals whose first fraud is not known yet")

# %% [markdown]
# ## Train on the past, test on the week after next
#
# Three folds, each a week later than the previous one: train on all that is known, wait a week for labels,
# test on the next week. The peer is the same learner over the features that the Fraud Detection Handbook
# describes. Both are trained on all that is known, on two weeks of it, and on the handbook's own single week.

# %%
parameters = Hyperparameters()
judged = evaluate(past, parameters, TEST_STARTS[:3])
for name in dict.fromkeys(each for pair in COMPARED for each in pair):
    measured = {key: judged.metrics[f"{name}_{key}"] for key in ("average_precision", "roc_auc")}
    print(f"{name:<18} AP {measured['average_precision']:.3f}   AUC {measured['roc_auc']:.3f}")
low, high = (judged.metrics[f"{gain(MODEL, HANDBOOK)}_{end}"] for end in ("low", "high"))
print(
    f"paired gain in AP over the handbook's features: {low:+.3f} to {high:+.3f} (95 %, customers drawn again)"
)

# %%
label, score, probability, amount = (
    judged.scored[name].to_numpy()
    for name in (SCORED.c.label, SCORED.c.score, SCORED.c.probability, SCORED.c.amount)
)
precision, recall, _ = precision_recall_curve(label, score)
figure, axes = plt.subplots(figsize=(5, 3.5))
axes.plot(recall, precision)
axes.set(xlabel="recall", ylabel="precision", title="All test weeks together", ylim=(0, 1.02))
# %% [markdown]
# ## From a score to a decision
#
# A review costs money, a declined honest customer costs more, a fraud costs its amount. The action with the
# lowest expected cost is taken, so the threshold depends on the amount: small payments are not worth a
# review. Scores are too sure to be probabilities: each week's are calibrated on those of the weeks before it.

# %%
costs = Costs()
actions = [decide(p, a, costs) for p, a in zip(probability.tolist(), amount.tolist(), strict=True)]
spent = sum(costs.expected(float(f), a)[chosen] for f, a, chosen in zip(label, amount, actions, strict=True))
print(f"approve everything: {amount[label.astype(bool)].sum():,.0f}   decide by cost: {spent:,.0f}")
print({action.value: actions.count(action) for action in Action})

figure, axes = plt.subplots(figsize=(5, 3.5))
amounts = np.linspace(1, 300, 200)
axes.plot(amounts, [min(review_threshold(a, costs), 1) for a in amounts])
axes.set(xlabel="amount", ylabel="probability of fraud", title="From here on not simply approved")
# %% [markdown]
# ## Why
#
# Each response has reasons: SHAP values of the features, in plain words, if these are true of the payment.
# What moves the model most overall:

# %%
known = np.ones(len(payments), bool)
features = past.features(learn(payments, past.ratio, known))
model = Model(fit(features, payments.fraud, FEATURES, parameters), FEATURES, "notebook", judged.calibration)
moved = drivers(model, features[-2000:])
top = dict(list(moved.items())[:10])
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.barh(list(top)[::-1], list(top.values())[::-1])
axes.set(xlabel="mean |SHAP value|")
figure.tight_layout()

# %%
suspicious = np.argsort(-model.score(features))[:3]
for row, shares in zip(suspicious, contributions(model, features[suspicious]).tolist(), strict=True):
    values = dict(zip(FEATURES, features[row].tolist(), strict=True))
    said = CODES.strongest(zip(FEATURES, shares, strict=True), values)
    print(f"payment {row}, amount {payments.amount[row]:.2f}: {'; '.join(SENTENCES[each] for each in said)}")
