"""Which rows to label: the estimate is unbiased, tells more than random rows, and what was promised of it is so."""

import numpy as np
import pytest

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import AbilityError, DataError, UsageError
from incumbent.evidence import gain
from incumbent.metrics import AUC, F1, MAE, RMSE, Accuracy, Brier, CostMatrix, LogLoss
from incumbent.planning import allocate, choose, estimate

CLASSES = np.array([0, 1])


def sigmoid(score):
    return 1.0 / (1.0 + np.exp(-score))


def two_models(rows=4000, *, seed=0, honest=True):
    """Labels, a champion and a better challenger; honest ones have probabilities that come true."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    y = (rng.random(rows) < sigmoid(3.0 * x[:, 0] + 1.5 * x[:, 1])).astype(int)
    scores = (3.0 * x[:, 0], 3.0 * x[:, 0] + 1.4 * x[:, 1])
    said = []
    for score in scores:
        share = sigmoid(score if honest else 8.0 * score)
        said.append(Prediction((share > 0.5).astype(int), np.column_stack([1.0 - share, share]), CLASSES))
    return y, *said


def two_regressors(rows=4000, *, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = x + rng.normal(size=rows)
    return y, Prediction(x + 0.5 * rng.normal(size=rows) * (x > 1)), Prediction(x)


def differences(y, champion, challenger, metric):
    return metric.losses(y, champion) - metric.losses(y, challenger)


def labelled_many_times(y, champion, challenger, metric, *, times=150, **options):
    """Estimates and standard errors over many draws of rows to label, and those of random rows."""
    apart, rng = differences(y, champion, challenger, metric), np.random.default_rng(1)
    found = []
    for seed in range(times):
        plan = choose(champion, challenger, metric, seed=seed, **options)
        found.append(estimate(apart[plan.at], plan.weight, rows=len(y)))
    random = [apart[rng.choice(len(y), options["rows"], replace=False)].mean() for _ in range(times)]
    return np.array(found), np.array(random), apart.mean(), plan


@pytest.mark.slow
@pytest.mark.parametrize("uniform", [0.0, 0.5])
@pytest.mark.parametrize("honest", [True, False], ids=["honest", "far too sure"])
@pytest.mark.parametrize("metric", [Accuracy(), Brier(), LogLoss()], ids=lambda metric: metric.name)
def test_the_estimate_is_unbiased_and_varies_less_than_that_of_random_rows(metric, honest, uniform):
    found, random, truth, plan = labelled_many_times(*two_models(honest=honest), metric, rows=300, uniform=uniform)
    error = found[:, 0].std() / np.sqrt(len(found))
    assert abs(found[:, 0].mean() - truth) < 4.0 * error
    assert found[:, 0].var() < 0.8 * random.var()
    assert len(plan) == 300


@pytest.mark.parametrize("metric", [RMSE(), MAE()], ids=lambda metric: metric.name)
def test_values_are_labelled_where_the_predictions_are_far_apart(metric):
    found, random, truth, plan = labelled_many_times(*two_regressors(), metric, rows=200, uniform=0.0)
    assert abs(found[:, 0].mean() - truth) < 4.0 * found[:, 0].std() / np.sqrt(len(found))
    assert found[:, 0].var() < 0.5 * random.var()
    assert plan.strata[0].std == 0.0 and plan.strata[0].labelled == 0  # where both say the same


def test_the_standard_error_is_that_of_the_estimates():
    found, _, _, _ = labelled_many_times(*two_models(), Accuracy(), rows=300, uniform=0.3)
    assert np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(found[:, 0].std(), rel=0.15)


def test_a_budget_saves_what_it_says_where_probabilities_come_true():
    found, random, _, plan = labelled_many_times(*two_models(), Brier(), rows=300, uniform=0.0)
    as_good = 1.0 / (found[:, 0].var() / random.var() * (1 / 300 - 1 / 4000) + 1 / 4000)
    assert plan.equivalent_random == pytest.approx(as_good, rel=0.3)
    assert plan.labels_saved == plan.equivalent_random - 300


def test_where_right_and_wrong_counts_only_rows_of_different_labels_are_labelled():
    _, champion, challenger = two_models()
    plan = choose(champion, challenger, Accuracy(), rows=200, uniform=0.0)
    assert (champion.label != challenger.label)[plan.at].all()
    assert plan.differing == int((champion.label != challenger.label).sum())
    assert np.allclose(plan.weight, plan.differing / 200)


def test_probabilities_that_differ_are_worth_a_label_though_the_labels_agree():
    _, champion, challenger = two_models()
    plan = choose(champion, challenger, Brier(), rows=400, uniform=0.0)
    assert (champion.label == challenger.label)[plan.at].any()
    apart = np.abs(champion.proba[:, 1] - challenger.proba[:, 1])
    assert apart[plan.at].mean() > 1.5 * apart.mean()


@pytest.mark.parametrize("uniform", [0.25, 0.5, 1.0])
def test_spread_labels_bound_the_weights_and_represent_all_rows(uniform):
    _, champion, challenger = two_models()
    plan = choose(champion, challenger, Accuracy(), rows=400, uniform=uniform)
    assert plan.weight.sum() == pytest.approx(4000)
    assert plan.weight.max() <= 4000 / 400 / uniform * 1.05


def test_a_stratum_that_can_differ_is_never_left_out():
    rows = 10_000
    champion = np.full(rows, 0.5)
    challenger = champion + np.where(np.arange(rows) < 50, 0.4, 1e-4)
    two = [Prediction((p > 0.5).astype(int), np.column_stack([1 - p, p]), CLASSES) for p in (champion, challenger)]
    plan = choose(*two, Brier(), rows=60, uniform=0.0)
    assert all(part.labelled >= 2 for part in plan.strata)


def test_the_same_seed_chooses_the_same_rows_and_another_does_not():
    _, *two = two_models()
    first, again, other = (choose(*two, Accuracy(), rows=100, seed=seed).at.tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first == sorted(set(first))


def test_all_rows_can_be_labelled_and_then_weigh_one():
    y, *two = two_models(500)
    plan = choose(*two, Accuracy(), rows=500, uniform=0.5)
    assert len(plan) == 500 and (plan.weight == 1.0).all()
    value, error = estimate(differences(y, *two, Accuracy()), plan.weight, rows=500)
    assert value == pytest.approx(differences(y, *two, Accuracy()).mean()) and error == 0.0


def test_more_labels_than_there_is_to_tell_are_not_spent():
    champion, challenger = np.zeros(1000, dtype=int), np.where(np.arange(1000) < 30, 1, 0)
    plan = choose(Prediction(champion), Prediction(challenger), Accuracy(), rows=200, uniform=0.0)
    assert len(plan) == 30 and plan.equivalent_random == 1000


def test_classes_that_only_one_model_knows_and_labels_without_probabilities_will_do():
    champion = Prediction(np.array(["a", "b", "a", "b"] * 50))
    challenger = Prediction(np.array(["a", "c", "a", "b"] * 50))
    assert set(choose(champion, challenger, Accuracy(), rows=20, uniform=0.0).at % 4) == {1}
    costs = CostMatrix(((0, 1, 9), (1, 0, 9), (1, 1, 0)), classes=("a", "b", "c"))
    assert choose(champion, challenger, costs, rows=20, uniform=0.0).differing == 50


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"rows": 0}, UsageError, "1 or more"),
        ({"rows": 5000}, UsageError, "there are 4,000 rows"),
        ({"rows": 1}, UsageError, "too few for 2 strata"),
        ({"uniform": 1.5}, UsageError, "a fraction of the labels"),
        ({"metric": AUC()}, UsageError, "no loss for a single row"),
        ({"metric": F1()}, UsageError, "no loss for a single row"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(changes, error, says):
    _, champion, challenger = two_models()
    options = {"metric": Accuracy(), "rows": 100, "uniform": 0.0} | changes
    with pytest.raises(error, match=says):
        choose(champion, challenger, options.pop("metric"), **options)


def test_models_that_say_the_same_cannot_be_told_apart():
    _, champion, _ = two_models()
    with pytest.raises(DataError, match="predict the same for all 4,000 rows"):
        choose(champion, champion, Accuracy(), rows=100)


def test_probabilities_are_asked_for_where_the_metric_needs_them():
    labels = Prediction(np.array([0, 1, 1]))
    with pytest.raises(AbilityError, match="needs class probabilities"):
        choose(labels, labels, Brier(), rows=2)


@pytest.mark.parametrize("rows", [20, 137, 999])
@pytest.mark.parametrize("uniform", [0.0, 0.4, 1.0])
def test_an_allocation_adds_up_and_keeps_within_its_strata(rows, uniform):
    rng = np.random.default_rng(rows)
    sizes = rng.integers(1, 500, size=6)
    spreads = np.append(0.0, rng.random(5))
    found = allocate(sizes, spreads, rows, uniform=uniform)
    most = sizes.sum() if uniform else sizes[1:].sum()
    assert found.sum() == min(rows, most) and (found <= sizes).all()
    assert (found[1:] >= np.minimum(2, sizes[1:])).all() and (found[0] > 0) == (uniform > 0)


def test_the_allocation_is_neymans_where_no_stratum_is_full():
    sizes, spreads = np.array([5000, 3000, 2000]), np.array([0.1, 0.5, 1.0])
    wanted = 700 * sizes * spreads / (sizes * spreads).sum()
    assert np.abs(allocate(sizes, spreads, 700) - wanted).max() < 1.0


def test_weights_below_one_are_no_inverse_probabilities():
    with pytest.raises(DataError, match="1 or more"):
        estimate(np.zeros(2), np.array([0.5, 1.0]), rows=10)
    with pytest.raises(DataError, match="pair row by row"):
        estimate(np.zeros(2), np.ones(3), rows=10)


@pytest.mark.slow
@pytest.mark.parametrize("wins", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("rows", [250, 1000])
def test_an_update_with_labels_chosen_against_it_promotes_an_equal_challenger_no_more_often(wins, rows):
    """A challenger wins where labels are dense and loses as much where they are sparse and weigh most."""
    rng, dense = np.random.default_rng(rows), int(0.55 * rows)
    weight = np.where(np.arange(rows) < dense, 1000 / dense, 9000 / (rows - dense))
    share = np.where(np.arange(rows) < dense, wins, -wins / 9)
    y, passed, times = np.ones(rows, dtype=int), 0, 1000
    for _ in range(times):
        apart = np.sign(share) * (rng.random(rows) < np.abs(share))
        two = (Prediction(np.where(apart > 0, 0, 1)), Prediction(np.where(apart < 0, 0, 1)))
        passed += gain(PairedPredictions(y, *two, weight=weight / weight.mean()), Accuracy(), alpha=0.05).lower > 0
    assert passed / times <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)


def test_several_values_count_by_their_mean_distance_and_several_labels_are_refused():
    near, far = Prediction(np.zeros((3, 2))), Prediction(np.array([[0.0, 0.0], [3.0, 1.0], [2.0, 0.0]]))
    assert choose(near, far, RMSE(), rows=2, uniform=0.0).at.tolist() == [1, 2]
    on = Prediction(np.eye(2, dtype=int), np.eye(2), CLASSES)
    with pytest.raises(UsageError, match="several labels cannot be chosen"):
        choose(on, on, Accuracy(), rows=1)
