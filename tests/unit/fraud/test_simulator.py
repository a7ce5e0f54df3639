"""The simulated payments are the published ones."""

from __future__ import annotations

import numpy as np
import pytest

from mercato_models.fraud.simulator import simulate
from tests.unit.fraud.world import SMALL


@pytest.mark.slow
def test_the_published_counts() -> None:
    payments, kind = simulate()
    assert len(payments) == 1_754_155
    assert int(payments.fraud.sum()) == 14_681
    assert np.array_equal(payments.fraud, kind > 0)
    assert len(np.unique(payments.day)) == 183
    assert (np.diff(payments.second) >= 0).all()


def test_the_same_world_twice_and_every_kind_of_fraud() -> None:
    first, kind = simulate(SMALL)
    again, _ = simulate(SMALL)
    assert np.array_equal(first.amount, again.amount)
    assert set(kind.tolist()) >= {0, 2, 3}
    assert (first.fraud[first.amount > SMALL.limit]).all()
