"""How far what a model is asked has moved from what it learned from."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from mercato_models.arrays import Floats32
from mercato_models.artifact import Model
from mercato_models.drift.baseline import SCORE, Baseline, NoBaselineError, _column
from mercato_models.drift.comparison import MIN_REQUESTS, SIGNIFICANT, Drift, Tally, stability_index

FEATURES = ("much", "little", "noise", "flag")


def rows(seed: int, count: int = 4000) -> Floats32:
    generator = np.random.default_rng(seed)
    made = generator.normal(size=(count, len(FEATURES)))
    made[:, 3] = generator.random(count) < 0.05
    made[generator.random(count) < 0.1, 2] = np.nan
    return made.astype(np.float32)


@pytest.fixture(scope="module")
def model() -> Model:
    learned = rows(0)
    labels = learned[:, 0] + 0.2 * learned[:, 1] + 0.2 * learned[:, 3] > 0
    data = xgb.DMatrix(learned, labels, feature_names=list(FEATURES))
    settings = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
    return Model(xgb.train(settings, data, 20), FEATURES, "1")


@pytest.fixture(scope="module")
def baseline(model: Model) -> Baseline:
    return Baseline.of(model, rows(1))


def drift(model: Model, baseline: Baseline, asked: Floats32) -> Drift:
    tally = Tally(baseline)
    tally.add(asked, model.score(asked), requests=len(asked))
    return tally.drift()


def psi(found: Drift, name: str) -> float:
    return next(each.psi for each in found.shifts if each.name == name)


def test_others_of_the_same_kind_have_not_drifted(model: Model, baseline: Baseline) -> None:
    found = drift(model, baseline, rows(2))
    assert not found.drifted
    assert max(found.score, found.inputs, *(each.psi for each in found.shifts)) < 0.02


def test_a_feature_that_breaks_counts_as_much_as_it_adds_to_the_scores(
    model: Model, baseline: Baseline
) -> None:
    for name, drifts in (("much", True), ("noise", False)):
        broken = rows(2)
        broken[1:, FEATURES.index(name)] = np.nan
        found = drift(model, baseline, broken)
        assert psi(found, name) > 5, name
        assert found.drifted is (found.inputs > SIGNIFICANT) is drifts, name
        shift = next(each for each in found.shifts if each.name == name)
        assert shift.unknown_now > 0.99
        assert shift.unknown_before == pytest.approx(0.1 if name == "noise" else 0, abs=0.02)
    assert drift(model, baseline, rows(2)).shifts[0].importance <= 1


def test_a_feature_that_matters_and_is_always_the_same_is_broken(model: Model, baseline: Baseline) -> None:
    for name, matters in (("much", True), ("little", True), ("noise", False)):
        asked = rows(2)
        asked[:, FEATURES.index(name)] = 0
        found = drift(model, baseline, asked)
        assert found.broken == ((name,) if matters else ()), name
        assert psi(found, name) > 4
        assert found.drifted is matters
    assert drift(model, baseline, rows(2)).broken == ()


def test_a_feature_that_only_ever_grows_is_no_drift_until_it_is_lost(model: Model) -> None:
    baseline, asked = Baseline.of(model, rows(1), growing=("much",)), rows(2)
    asked[:, 0] += 5
    found = drift(model, baseline, asked)
    assert psi(found, "much") > 5
    assert found.inputs < 0.02
    asked[:, 0] = np.nan
    assert drift(model, baseline, asked).lost == ("much",)


def test_a_feature_that_is_never_known_any_more_is_drift_however_rarely_it_was_known() -> None:
    """The last fraud at a terminal is known of one payment in a hundred, and tells most of those."""
    learned = rows(0)
    rare = np.random.default_rng(0).random(len(learned)) < 0.02
    learned[~rare, 0] = np.nan
    data = xgb.DMatrix(learned, rare & (learned[:, 0] > 0), feature_names=list(FEATURES))
    model = Model(xgb.train({"max_depth": 3, "nthread": 1}, data, 20), FEATURES, "1")
    baseline, lost = Baseline.of(model, learned), learned.copy()
    lost[:, 0] = np.nan
    found = drift(model, baseline, lost)
    assert found.lost == ("much",)
    assert psi(found, "much") < SIGNIFICANT
    assert found.drifted
    few = drift(model, baseline, lost[:200])
    assert few.judged
    assert not few.lost  # of so few it may be chance
    assert not drift(model, baseline, learned).lost


def test_scores_that_moved_are_drift_by_themselves(model: Model, baseline: Baseline) -> None:
    """Each feature alone looks as before; together they do not."""
    asked = rows(2)
    asked[:, 1] = np.sort(asked[:, 1])[np.argsort(np.argsort(-asked[:, 0]))] * 5
    asked = asked[np.abs(model.score(asked) - 0.5) < 0.45]
    found = drift(model, baseline, asked)
    assert found.score > SIGNIFICANT
    assert found.drifted


def test_a_rare_flag_that_is_always_set_has_moved(model: Model, baseline: Baseline) -> None:
    asked = rows(2)
    asked[:, 3] = 1
    assert psi(drift(model, baseline, asked), "flag") > 2


def test_few_requests_are_not_judged(model: Model, baseline: Baseline) -> None:
    broken = np.full((50, len(FEATURES)), np.nan, np.float32)
    tally = Tally(baseline)
    for number in range(1, MIN_REQUESTS + 1):
        tally.add(broken, model.score(broken))
        assert tally.drift().drifted is (number == MIN_REQUESTS)
    assert (tally.requests, tally.rows) == (MIN_REQUESTS, MIN_REQUESTS * 50)


def test_nothing_asked_is_no_drift(baseline: Baseline) -> None:
    found = Tally(baseline).drift()
    assert (found.requests, found.score, found.inputs, found.drifted) == (0, 0, 0, False)


def test_a_row_that_stands_for_many_counts_as_many(model: Model) -> None:
    few = rows(3, 300)
    times = np.random.default_rng(0).integers(1, 5, len(few))
    weighted = Baseline.of(model, few, stands_for=times.astype(np.float64))
    repeated = Baseline.of(model, np.repeat(few, times, axis=0))
    for one, other in zip(weighted, repeated, strict=True):
        assert one.edges == other.edges, one.name
        np.testing.assert_allclose(one.shares, other.shares)


def test_a_baseline_is_read_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    baseline.save(tmp_path)
    assert Baseline.load(tmp_path, FEATURES) == baseline
    assert [column.name for column in baseline] == [*FEATURES, SCORE]
    assert sum(column.importance for column in baseline.columns) == pytest.approx(1)
    for column in baseline:
        assert sum(column.shares) == pytest.approx(1)


@pytest.mark.parametrize("written", [None, "{", '[{"name": "much"}]', "[]"])
def test_a_model_without_one_says_what_to_do(written: str | None, tmp_path: Path) -> None:
    if written is not None:
        (tmp_path / "baseline.json").write_text(written)
    with pytest.raises(NoBaselineError, match="train it again"):
        Baseline.load(tmp_path, FEATURES)


def test_a_baseline_of_other_features_is_none(baseline: Baseline, tmp_path: Path) -> None:
    baseline.save(tmp_path)
    with pytest.raises(NoBaselineError, match="of other features than the model: train it again"):
        Baseline.load(tmp_path, FEATURES[1:])


@pytest.mark.parametrize("before", [np.zeros(500), np.repeat([1.0, 2.0, 3.0], 200), np.linspace(0, 1, 500)])
@pytest.mark.parametrize("now", [-7.0, 7.0])
def test_values_never_seen_before_have_moved_whatever_the_column_was(before: np.ndarray, now: float) -> None:
    column = _column("a", before, np.ones(len(before)))
    assert stability_index(column.shares, column.count(before)) == 0
    assert stability_index(column.shares, column.count(np.full(300, now))) > SIGNIFICANT


def test_a_column_that_is_mostly_its_largest_value_may_fall(model: Model) -> None:
    before = np.append(np.linspace(0, 0.9, 50), np.ones(950))
    column = _column("a", before, np.ones(len(before)))
    assert stability_index(column.shares, column.count(np.zeros(300))) > SIGNIFICANT


def test_rows_that_stand_for_none_are_no_part_of_it(model: Model) -> None:
    hidden = rows(5)
    hidden[:, 2] = np.nan
    shown = rows(4)
    shown[:, 1] = np.nan  # known of hidden rows alone
    both = np.concatenate([shown, hidden])
    stands_for = np.repeat([1.0, 0.0], len(hidden))
    found = Baseline.of(model, both, stands_for=stands_for)
    assert drift(model, found, shown).inputs < 0.01
    assert found.columns[1].shares == (0, 1)
    assert found.columns[2].shares[-1] == pytest.approx(0.1, abs=0.02)


def test_the_index_is_siddiqis() -> None:
    by_hand = (0.6 - 0.5) * log(0.6 / 0.5) + (0.4 - 0.5) * log(0.4 / 0.5)
    assert stability_index((0.5, 0.5), np.array([60.0, 40.0])) == pytest.approx(by_hand)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any), st.data())
def test_the_index_is_never_below_0_and_0_where_shares_are_the_same(
    counts: list[int], data: st.DataObject
) -> None:
    now = np.array(counts, float)
    assert stability_index(tuple(now / now.sum()), now * 3) == pytest.approx(0, abs=1e-12)
    same = st.lists(st.integers(0, 1000), min_size=len(counts), max_size=len(counts)).filter(any)
    before = np.array(data.draw(same), float)
    assert stability_index(tuple(before / before.sum()), now) >= 0
