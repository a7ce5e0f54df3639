"""What is expected of households now comes from the features that the model learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercato_models import checks
from mercato_models.artifact import Model
from mercato_models.churn import model as churn
from mercato_models.churn.channels import snapshots
from mercato_models.churn.days import over
from mercato_models.churn.features import AS_OF, LABEL, baskets, features
from mercato_models.churn.scoring import PROBABILITY, SHARES, SPEND, VALUES, score
from tests.unit.churn.visits import NOW, START, L, visits


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return visits(households=200, each=15)


@pytest.fixture(scope="module")
def model(lines: pd.DataFrame) -> Model:
    rows = snapshots(baskets(lines, START), range(84, 165, 7), 200)
    named = tuple(name for name in rows.columns if name not in (AS_OF, L.household_id, LABEL))
    return churn.train(rows, named, churn.Hyperparameters(rounds=20))


def test_scores_are_the_models_of_those_active_at_the_end_of_the_newest_day(
    lines: pd.DataFrame, model: Model
) -> None:
    as_of, found = score(lines, model, NOW)
    assert as_of == START + pd.Timedelta(days=200)
    assert as_of > lines[L.basket_time].max()
    known = features(baskets(lines, START), 200)
    assert found.index.equals(known.index)
    rows = known[list(model.features)].to_numpy(np.float32)
    np.testing.assert_allclose(found[PROBABILITY], model.score(rows))
    assert found[SPEND].gt(0).all()
    assert list(found[SHARES].iloc[0]) == list(found[VALUES].iloc[0]) == list(model.features)


def test_a_day_that_began_this_night_is_not_taken_for_whole(lines: pd.DataFrame, model: Model) -> None:
    """Households were inactive most of a day before their 28 days were over, and all seemed longer away."""
    now = START + pd.Timedelta(days=150, hours=5.5)
    known = lines[lines[L.basket_time] <= now]
    assert known[L.basket_time].max() > now.normalize()
    for later, days in ((0, 150), (18.4, 150), (18.5, 151)):
        at = (now + pd.Timedelta(hours=later)).tz_localize("UTC")
        as_of, found = score(known, model, at)
        assert as_of == START + pd.Timedelta(days=days)
        assert found.index.equals(features(baskets(known, START), days).index)
    assert over(baskets(known, START), START, pd.Timestamp.now("UTC")) == 151


def test_a_model_of_other_features_is_refused(lines: pd.DataFrame, model: Model) -> None:
    other = Model(model.booster, (*model.features[:-1], "shoe_size"), "1")
    with pytest.raises(checks.CheckError, match="missing columns: shoe_size"):
        score(lines, other, NOW)
