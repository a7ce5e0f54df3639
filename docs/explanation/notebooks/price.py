# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # What a price does
#
# Shops raise prices when demand is high, so sales and prices rise together, and a plain regression concludes
# that shoppers hardly mind. This notebook simulates a chain of stores whose true elasticities are known,
# recovers them, proposes prices, and estimates from sales at other prices what a policy would have earned.
# Figures over twenty chains, beside EconML and DoubleML, are in [the page on prices](../price.md).

# %%
import matplotlib.pyplot as plt
import numpy as np

from mercato.decisions.price import Guardrails, Priced, propose
from mercato_models.price import policy
from mercato_models.price.elasticity import ESTIMATE, HIGH, LOW, MATE, PRODUCT, cross_table, learn
from mercato_models.price.nuisances import Settings, expect
from mercato_models.price.panel import checked
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import simulate

world = simulate(4000)
panel = checked(world.panel)
arrays = PanelArrays.of(panel)
truth = np.diag(world.elasticity)
panel.head()

# %% [markdown]
# ## Prices follow demand
#
# Whoever sets the prices sees a demand index. Left: one product's log prices in one store against it; right:
# its log units against its log prices.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5))
left.scatter(world.index[0, 0], world.log_price[0, 0], s=12)
left.set(xlabel="demand index", ylabel="log price")
right.scatter(world.log_price[0, 0], np.log(np.maximum(world.units[0, 0], 0.5)), s=12)
right.set(xlabel="log price", ylabel="log units")
figure.tight_layout()
# %% [markdown]
# ## Subtract what was to be expected
#
# Double machine learning keeps only the surprises in prices and demand: the expectation of each is learned on
# other weeks and subtracted. Then the products of a category are partially pooled.

# %%
plain = []
for rows in arrays.rows_by_product:
    stores = arrays.store[rows, None] == np.unique(arrays.store[rows])
    columns = np.column_stack([arrays.log_price[rows], stores])
    logs = np.log(np.maximum(arrays.units[rows], 0.5))
    plain.append(np.linalg.lstsq(columns, logs, rcond=None)[0][0])
expected = expect(arrays, Settings())
found = learn(arrays, expected)
figure, axes = plt.subplots(figsize=(5, 5))
axes.plot([-4, 0], [-4, 0], color="grey", lw=1)
axes.errorbar(
    truth,
    found.own,
    yerr=found.reach * found.own_error,
    fmt="o",
    ms=4,
    lw=0.8,
    label="double machine learning",
)
axes.plot(truth, plain, "x", label="plain regression")
axes.set(xlabel="true elasticity", ylabel="estimate")
axes.legend()
covered = ((found.low <= truth) & (truth <= found.high)).mean()
print(f"mean absolute error {np.abs(found.own - truth).mean():.3f}, plain {np.abs(plain - truth).mean():.3f}")
print(f"{covered:.0%} of the 95 % intervals hold the truth")

# %% [markdown]
# ## Neighbours
#
# When a product's price rises, some shoppers switch to another in its category. The same regression
# estimates how much a product gains when one of the four best-selling others in its category gets dearer.

# %%
cross = cross_table(found)
pairs = cross[PRODUCT].to_numpy(), cross[MATE].to_numpy()
true_cross = world.elasticity[pairs]
figure, axes = plt.subplots(figsize=(5, 5))
axes.plot([0, 0.3], [0, 0.3], color="grey", lw=1)
axes.plot(true_cross, cross[ESTIMATE], "o", ms=3)
axes.set(xlabel="true cross elasticity", ylabel="estimate")
held = (cross[LOW] <= true_cross) & (true_cross <= cross[HIGH])
print(f"{held.mean():.0%} of the 95 % intervals of {len(cross)} pairs contain the truth")

# %% [markdown]
# ## From an elasticity to a price
#
# A proposal has the highest expected profit of all prices that the guardrails allow; `held` names those that
# kept it from going further. A very uncertain elasticity moves no price.

# %%
usual = np.exp(world.log_price.mean(axis=(1, 2)))
for number in range(6):
    product = Priced(
        price=round(float(usual[number]), 2),
        cost=0.55 * float(usual[number]),
        units=float(world.units[number].mean()),
        elasticity=float(found.own[number]),
        low=float(found.low[number]),
        high=float(found.high[number]),
        lowest_30_days=round(float(usual[number]), 2),
        days_unchanged=30,
    )
    proposal = propose(product, Guardrails())
    print(
        f"{product.price:.2f} -> {proposal.price:.2f}  gain {proposal.gain:6.2f} USD "
        f"({proposal.least_gain:.2f} to {proposal.most_gain:.2f})  "
        f"held by {', '.join(proposal.reasons) or 'nothing'}"
    )

# %% [markdown]
# ## Would it have paid?
#
# Doubly robust: sales at prices that happened to be near the policy's correct what the elasticities predict.

# %%
cost, folds = 0.55 * usual, policy.crossfit(arrays, expected)
for shift in (-0.05, 0.0, 0.05):
    value = policy.evaluate(arrays, expected, folds, expected.log_price + shift, cost[arrays.product])
    base, own = np.log(world.expected(world.log_price)), truth[:, None, None]
    moved = (expected.log_price + shift).reshape(base.shape)
    true = ((np.exp(moved) - cost[:, None, None]) * np.exp(base + own * (moved - world.log_price))).mean()
    true -= ((np.exp(world.log_price) - cost[:, None, None]) * np.exp(base)).mean()
    print(
        f"{shift:+.0%}: gain told {value.gain.estimate:+.2f} ({value.gain.low:+.2f} to "
        f"{value.gain.high:+.2f}), true {true:+.2f} USD a week, product and store"
    )
