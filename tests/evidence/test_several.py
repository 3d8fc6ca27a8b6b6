"""Rows with several labels or values at once: their metrics against scikit-learn's, and what is made of them."""

import numpy as np
import pytest
from sklearn import metrics as sk

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import UsageError
from incumbent.evidence import (
    compare,
    gain,
    negative_flip_rate,
    paired_variance,
    per_class,
    rows_needed,
    scale,
    smallest_gain,
)
from incumbent.metrics import (
    AUC,
    F1,
    MAE,
    R2,
    RMSE,
    Accuracy,
    BalancedAccuracy,
    CalibrationError,
    HammingLoss,
    LogLoss,
    metric,
    persistence_baseline,
    scores,
    standard,
    wrong,
)

NAMES = np.array(["rain", "fog", "snow", "hail"])
ABOVE = np.array([0.0, 0.5, 1.3, 1.75])  # on in half of the rows, in 31 %, 10 % and 4 % of them


def _labels(rng, rows, *, noise=1.0):
    """Return labels of four frequencies, and what a model says of them: the more noise, the worse."""
    hidden = rng.normal(size=(rows, 4))
    y = (hidden > ABOVE).astype(np.int64)
    score = 1.5 * (hidden - ABOVE) + noise * rng.normal(size=(rows, 4))
    proba = 1 / (1 + np.exp(-score))
    return y, Prediction((proba > 0.5).astype(np.int64), proba, NAMES)


def _values(rng, rows):
    y = rng.normal(size=(rows, 3)) * [1.0, 5.0, 0.1] + [0.0, 100.0, 0.0]
    return y, Prediction(y + rng.normal(size=(rows, 3)) * [0.5, 2.0, 0.1])


def _sk_labels(y, said, weight):
    label, proba = said.label, said.proba
    by_label = [
        sk.log_loss(y[:, j], np.clip(proba[:, j], 1e-15, 1 - 1e-15), sample_weight=weight, labels=[0, 1])
        for j in range(4)
    ]
    return {
        "accuracy": sk.accuracy_score(y, label, sample_weight=weight),
        "hamming_loss": sk.hamming_loss(y, label, sample_weight=weight),
        "f1": sk.f1_score(y, label, average="macro", sample_weight=weight),
        "f1_micro": sk.f1_score(y, label, average="micro", sample_weight=weight),
        "precision": sk.precision_score(y, label, average="macro", sample_weight=weight),
        "recall": sk.recall_score(y, label, average="macro", sample_weight=weight),
        "log_loss": np.mean(by_label),
        "brier": np.mean([sk.brier_score_loss(y[:, j], proba[:, j], sample_weight=weight) for j in range(4)]),
        "auc": sk.roc_auc_score(y, proba, average="macro", sample_weight=weight),
    }


@pytest.mark.parametrize("weighted", [False, True])
def test_every_metric_of_several_labels_is_scikit_learns(weighted):
    rng = np.random.default_rng(0)
    y, said = _labels(rng, 400)
    weight = rng.uniform(0.5, 3.0, 400) if weighted else None
    found = scores(y, said, task="classification", weight=weight)
    wanted = _sk_labels(y, said, weight)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=1e-9)
    assert set(found) == {*wanted, "calibration_error"} == set(standard("classification", 4))


@pytest.mark.parametrize("weighted", [False, True])
def test_every_metric_of_several_values_is_scikit_learns(weighted):
    rng = np.random.default_rng(1)
    y, said = _values(rng, 300)
    weight = rng.uniform(0.5, 3.0, 300) if weighted else None
    found = scores(y, said, task="regression", weight=weight)
    wanted = {
        "rmse": np.sqrt(sk.mean_squared_error(y, said.label, sample_weight=weight)),
        "mae": sk.mean_absolute_error(y, said.label, sample_weight=weight),
        "r2": sk.r2_score(y, said.label, sample_weight=weight),
    }
    assert found == pytest.approx(wanted, rel=1e-9)


def test_scores_by_name_are_those_of_all_metrics_at_once():
    y, said = _labels(np.random.default_rng(2), 200)
    every = scores(y, said, task="classification")
    for name in standard("classification", 4):
        made = metric(name, task="classification", classes=NAMES, labels=4)
        assert made.name == name
        assert made.score(y, said) == pytest.approx(every[name], rel=1e-12)


def test_macro_f1_is_another_word_for_f1():
    assert metric("f1_macro", task="classification", labels=3) == F1()


def test_two_labels_at_once_are_not_two_classes():
    y, said = np.array([[1, 0], [1, 1], [0, 1]]), np.array([[1, 1], [1, 1], [0, 0]])
    found = scores(y, Prediction(said), task="classification")
    assert found["f1"] == pytest.approx(sk.f1_score(y, said, average="macro"))
    assert found["recall"] == pytest.approx(sk.recall_score(y, said, average="macro"))


@pytest.mark.parametrize("name", ["accuracy", "hamming_loss", "log_loss", "brier"])
def test_the_score_is_the_mean_of_the_losses_of_rows(name):
    y, said = _labels(np.random.default_rng(3), 100)
    made = metric(name, task="classification", labels=4)
    losses = made.losses(y, said)
    assert losses.shape == (100,)
    assert losses.max() <= made.bound
    assert made.score(y, said) == pytest.approx(1 - losses.mean() if made.greater_is_better else losses.mean())


@pytest.mark.parametrize("name", [*standard("classification", 4), "rmse", "mae", "r2"])
def test_resampling_with_equal_weights_is_the_score(name):
    rng = np.random.default_rng(4)
    task = "regression" if name in ("rmse", "mae", "r2") else "classification"
    y, said = _values(rng, 80) if task == "regression" else _labels(rng, 80)
    made = metric(name, task=task, labels=y.shape[1])
    twice = made.resample(y, said, np.vstack([np.ones(80), rng.uniform(1, 2, 80)]))
    assert twice.shape == (2,)
    assert twice[0] == pytest.approx(made.score(y, said))


def test_the_calibration_error_of_labels_is_that_of_all_their_decisions():
    rng = np.random.default_rng(5)
    y, said = _labels(rng, 300)
    weight = rng.uniform(1, 2, 300)
    flat = Prediction(said.label.ravel(), np.column_stack([1 - said.proba.ravel(), said.proba.ravel()]), np.arange(2))
    one = CalibrationError().score(y.ravel(), flat, np.repeat(weight, 4))
    assert CalibrationError().score(y, said, weight) == pytest.approx(one, rel=1e-9)


def test_a_label_that_is_never_on_is_left_out_of_means_and_a_value_that_never_varies_too():
    y, said = _labels(np.random.default_rng(6), 100)
    y[:, 3] = 0
    assert AUC().score(y, said) == pytest.approx(sk.roc_auc_score(y[:, :3], said.proba[:, :3], average="macro"))
    constant, guess = np.column_stack([np.arange(5.0), np.ones(5)]), np.column_stack([np.arange(5.0), np.zeros(5)])
    assert R2().score(constant, Prediction(guess)) == 1.0
    assert np.isnan(R2().score(np.ones((5, 2)), Prediction(guess)))


# ------------------------------------------------------------------------------------------ what does not fit


@pytest.mark.parametrize("spec", ["balanced_accuracy", "cost:costs.csv", BalancedAccuracy()])
def test_a_metric_of_one_class_a_row_is_refused_by_name(spec):
    with pytest.raises(UsageError, match="one class each, and these have 3 labels. Choose from accuracy"):
        metric(spec, task="classification", labels=3)


def test_hamming_loss_of_rows_with_one_label_is_refused():
    with pytest.raises(UsageError, match="of several labels, and these rows have one each"):
        metric("hamming_loss", task="classification")


# ----------------------------------------------------------------------------------- champion and challenger


def test_a_row_counts_as_right_where_every_label_is():
    y = np.array([[1, 0], [1, 1], [0, 1]])
    before, after = np.array([[1, 0], [1, 1], [0, 0]]), np.array([[1, 0], [0, 1], [0, 1]])
    assert wrong(before, y).tolist() == [False, False, True]
    found = negative_flip_rate(PairedPredictions(y, Prediction(before), Prediction(after)), alpha=0.05)
    assert found.value == pytest.approx(1 / 3)
    assert (
        gain(PairedPredictions(y, Prediction(before), Prediction(after)), Accuracy(), alpha=0.05).test
        == "exact McNemar"
    )


def test_forgetting_is_told_by_label_and_by_f1():
    rng = np.random.default_rng(7)
    y, before = _labels(rng, 300)
    after = before.label.copy()
    after[:, 2] = 0  # forgotten
    after[:, 1] = 1  # called everywhere: its recall rises, its F1 falls
    found = per_class(PairedPredictions(y, before, Prediction(after, None, NAMES)))
    assert list(found) == NAMES.tolist()
    assert found["rain"][0] == found["rain"][1] == pytest.approx(sk.f1_score(y[:, 0], before.label[:, 0]))
    assert found["snow"] == (pytest.approx(sk.f1_score(y[:, 2], before.label[:, 2])), 0.0, int(y[:, 2].sum()))
    assert found["fog"][1] < found["fog"][0]


def test_margins_of_hamming_loss_are_shares_of_the_champions():
    y, said = _labels(np.random.default_rng(8), 500)
    both = PairedPredictions(y, said, said)
    assert scale(both, HammingLoss()) == pytest.approx(HammingLoss().score(y, said))
    assert scale(both, LogLoss()) == 1.0


@pytest.mark.parametrize("name", standard("classification", 4))
def test_a_better_model_is_shown_to_be_better_and_a_worse_one_worse(name):
    rng = np.random.default_rng(9)
    y, bad = _labels(rng, 1500, noise=6.0)
    hidden = np.where(y == 1, 0.9, 0.1)
    good = Prediction((hidden > 0.5).astype(np.int64), hidden, NAMES)
    made = metric(name, task="classification", classes=NAMES, labels=4)
    better, worse = (gain(PairedPredictions(y, *pair), made, alpha=0.05) for pair in ((bad, good), (good, bad)))
    assert better.lower > 0 > worse.upper
    assert better.lower <= better.value <= better.upper
    assert better.value == pytest.approx(-worse.value)


@pytest.mark.parametrize("made", [RMSE(), MAE(), R2()])
def test_several_values_are_compared(made):
    rng = np.random.default_rng(10)
    y, near = _values(rng, 400)
    far = Prediction(near.label + rng.normal(size=y.shape) * 3)
    assert gain(PairedPredictions(y, far, near), made, alpha=0.05).lower > 0
    assert gain(PairedPredictions(y, near, near), made, alpha=0.05).lower < 0


@pytest.mark.parametrize("name", ["f1", "f1_micro", "auc"])
def test_ten_rows_on_which_both_agree_prove_nothing(name):
    y = np.array([[1, 0, 1], [0, 1, 0]] * 5)
    said = Prediction(y, y * 0.8 + 0.1, np.arange(3))
    found = gain(PairedPredictions(y, said, said), metric(name, task="classification", labels=3), alpha=0.05)
    assert found.lower < -0.05
    assert found.upper > 0.05


@pytest.mark.parametrize("name", ["f1", "f1_micro"])
def test_equal_models_are_seldom_shown_to_differ(name):
    made, passed, tries = metric(name, task="classification", labels=4), 0, 120
    for seed in range(tries):
        rng = np.random.default_rng([seed, 11])
        y = _labels(rng, 250)[0]
        before, after = (np.where(rng.random(y.shape) < 0.15, 1 - y, y) for _ in range(2))  # of the same law
        passed += gain(PairedPredictions(y, Prediction(before), Prediction(after)), made, alpha=0.1).lower > 0
    assert passed <= 0.1 * tries + 2.6 * np.sqrt(0.09 * tries)


def test_the_bootstrap_of_labels_sees_groups_and_time():
    rng = np.random.default_rng(12)
    y, said = _labels(rng, 300)
    other = Prediction(np.roll(said.label, 1, axis=0), np.roll(said.proba, 1, axis=0), NAMES)
    block = PairedPredictions(y, other, said, block=np.arange(300) // 10)
    assert "by cluster" in gain(block, F1(), alpha=0.05).test
    ordered = PairedPredictions(
        y[np.argsort(y.sum(1))], *(p.take(np.argsort(y.sum(1))) for p in (other, said)), ordered=True
    )
    assert np.isfinite(gain(ordered, F1(), alpha=0.05).lower)


def test_power_and_spread_are_told_of_several_labels():
    y, said = _labels(np.random.default_rng(13), 600)
    both = PairedPredictions(y, said, Prediction(np.roll(said.label, 1, axis=1), None, NAMES))
    assert 0 < smallest_gain(both, Accuracy(), 0.05) < 1
    assert rows_needed(both, HammingLoss(), 0.05, 0.05) > 0
    assert paired_variance(both, Accuracy()).differing > 0
    assert paired_variance(both, HammingLoss()).scale == pytest.approx(HammingLoss().score(y, said))


def test_a_comparison_holds_every_metric_and_each_label():
    y, said = _labels(np.random.default_rng(14), 200)
    found = compare("new", PairedPredictions(y, said, said), Accuracy(), alpha=0.05, task="classification")
    assert set(found.champion) == set(standard("classification", 4))
    assert list(found.per_class) == NAMES.tolist()


def test_no_change_repeats_the_labels_of_the_row_before():
    assert persistence_baseline(np.array([[1, 0], [0, 1]])).label.tolist() == [[1, 0], [1, 0]]
