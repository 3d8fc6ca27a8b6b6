"""Metrics against scikit-learn, which is the well-kept implementation of each."""

import json
import math
import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from incumbent.core import PairedPredictions, Prediction
from incumbent.errors import AbilityError, UsageError
from incumbent.evidence import change, per_class
from incumbent.metrics import (
    AUC,
    F1,
    METRICS,
    R2,
    RMSE,
    Accuracy,
    BalancedAccuracy,
    Brier,
    CalibrationError,
    CostMatrix,
    Custom,
    LogLoss,
    Precision,
    Recall,
    kappa,
    kappa_temporal,
    metric,
    persistence_baseline,
    read_costs,
    scores,
)

NAMES = {"numbers": [3, 7, 9], "words": ["ant", "bee", "cat"], "two": ["no", "yes"]}


def make(classes, rows=400, seed=0, known=None):
    """Truth, a prediction with tied probabilities, and row weights."""
    rng = np.random.default_rng(seed)
    labels = np.array(classes, dtype=object if isinstance(classes[0], str) else int)
    known = len(classes) if known is None else known
    y = rng.integers(len(classes), size=rows)
    raw = np.round(rng.dirichlet(np.ones(known), size=rows) + 0.6 * (y[:, None] == np.arange(known)), 1) + 0.01
    proba = raw / raw.sum(axis=1, keepdims=True)
    return labels[y], Prediction(labels[proba.argmax(axis=1)], proba, labels[:known]), rng.integers(1, 4, rows) * 1.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", NAMES.values(), ids=NAMES)
def test_classification_metrics_are_those_of_scikit_learn(classes, weighted):
    y, said, weight = make(classes)
    w = weight if weighted else None
    average = {"pos_label": classes[-1]} if len(classes) == 2 else {"average": "macro"}
    proba = said.proba[:, 1] if len(classes) == 2 else said.proba
    rest = np.mean([sk.roc_auc_score(y == c, said.proba[:, i], sample_weight=w) for i, c in enumerate(classes)])
    brier = np.square(said.proba - (y[:, None] == np.array(classes, dtype=object))).sum(axis=1) / 2
    y_plain, label = y.astype(type(classes[0])), said.label.astype(type(classes[0]))
    expected = {
        "accuracy": sk.accuracy_score(y_plain, label, sample_weight=w),
        "balanced_accuracy": sk.balanced_accuracy_score(y_plain, label, sample_weight=w),
        "precision": sk.precision_score(y_plain, label, sample_weight=w, **average),
        "recall": sk.recall_score(y_plain, label, sample_weight=w, **average),
        "f1": sk.f1_score(y_plain, label, sample_weight=w, **average),
        "log_loss": sk.log_loss(y_plain, said.proba, sample_weight=w, labels=classes),
        "brier": np.average(brier, weights=w),
        "auc": sk.roc_auc_score(y_plain == classes[-1], proba, sample_weight=w) if len(classes) == 2 else rest,
    }
    found = scores(y, said, task="classification", weight=w)
    assert set(found) == set(METRICS["classification"])
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
        assert metric(name, task="classification").score(y, said, w) == pytest.approx(value, abs=1e-12), name


def test_regression_metrics_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, weight = rng.normal(1e4, 1.0, 500), rng.uniform(0.5, 2, 500)
    said = Prediction(y + rng.normal(size=500))
    found = scores(y, said, task="regression", weight=weight)
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(y, said.label, sample_weight=weight))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(y, said.label, sample_weight=weight))
    assert found["r2"] == pytest.approx(sk.r2_score(y, said.label, sample_weight=weight))


@pytest.mark.parametrize("name", [*METRICS["classification"], "cost"])
def test_resampling_gives_the_score_under_each_weighting(name):
    y, said, _ = make(NAMES["words"], rows=60)
    table = {
        t: {p: float(i != j) * (i + 1) for j, p in enumerate(NAMES["words"])} for i, t in enumerate(NAMES["words"])
    }
    chosen = CostMatrix(table) if name == "cost" else metric(name, task="classification")
    counts = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60), size=5).astype(float)
    found = chosen.resample(y, said, counts)
    for row, value in zip(counts.astype(int), found, strict=True):
        if name == "calibration_error":  # its bins belong to the rows, not to the weighting
            assert value == pytest.approx(chosen.score(y, said, row * 1.0))
        else:
            at = np.repeat(np.arange(60), row)
            assert value == pytest.approx(chosen.score(y[at], said.take(at))), name


def test_auc_counts_ties_as_brute_force_does():
    rng = np.random.default_rng(3)
    y, score, weight = rng.integers(0, 2, 80), rng.integers(0, 5, 80) / 4, rng.uniform(0.1, 2, (3, 80))
    said = Prediction(score > 0.5, np.column_stack([1 - score, score]), np.array([0, 1]))
    above = np.sign(score[:, None] - score[None, :]) / 2 + 0.5
    for flip in (y, 1 - y):  # the side that is summed is the larger one, whichever it is
        mask = (flip[:, None] == 1) & (flip[None, :] == 0)
        expected = [(np.outer(w, w) * above * mask).sum() / (np.outer(w, w) * mask).sum() for w in weight]
        assert AUC().resample(flip, said, weight) == pytest.approx(expected)


def test_a_class_the_model_does_not_know_costs_the_most_and_ranks_as_zero():
    y, said, _ = make(NAMES["words"], known=2)
    unknown = y == "cat"
    loss = LogLoss().losses(y, said)
    assert loss[unknown] == pytest.approx(-math.log(1e-15)) and loss.max() <= LogLoss().bound
    assert Brier().losses(y, said)[unknown] == pytest.approx(0.5 * (np.square(said.proba[unknown]).sum(axis=1) + 1))
    assert (Accuracy().losses(y, said)[unknown] == 1).all()
    assert AUC(positive="cat").score(y, said) == 0.5
    assert scores(y, said, task="classification")["auc"] == pytest.approx(AUC().score(y, said))


def test_the_positive_class_is_the_last_unless_named():
    y, said, _ = make(NAMES["two"])
    assert Recall().score(y, said) == Recall("yes").score(y, said)
    assert Recall("no").score(y, said) == pytest.approx(
        sk.recall_score(y.astype(str), said.label.astype(str), pos_label="no")
    )
    assert Precision("no").score(y, said) != Precision().score(y, said)


def test_classes_fixed_beforehand_keep_a_binary_score_binary_when_one_class_is_absent():
    y = np.array([1, 1, 1])
    said = Prediction(np.array([1, 1, 0]))
    assert F1(classes=(0, 1)).score(y, said) == pytest.approx(0.8)
    assert BalancedAccuracy().score(y, said) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("made", "best"), [(AUC(), True), (F1(), True), (R2(), True), (CalibrationError(), False), (RMSE(), False)]
)
def test_direction_and_repr(made, best):
    assert made.greater_is_better is best
    names = {k.__name__: k for task in METRICS.values() for k in task.values()}
    assert eval(repr(made), names) == made


def test_auc_of_one_class_is_not_a_number():
    said = Prediction(np.array([1, 1]), np.array([[0.2, 0.8], [0.4, 0.6]]), np.array([0, 1]))
    assert math.isnan(AUC().score(np.array([1, 1]), said))


def test_calibration_error_of_a_known_curve():
    proba = np.repeat([0.1, 0.5, 0.9], 100)
    y = np.concatenate([np.arange(100) < 20, np.arange(100) < 50, np.arange(100) < 80]).astype(int)
    said = Prediction((proba > 0.5).astype(int), np.column_stack([1 - proba, proba]), np.array([0, 1]))
    assert CalibrationError().score(y, said) == pytest.approx((0.1 + 0 + 0.1) / 3)


# ------------------------------------------------------------------------------------------- by name


def test_defaults_and_names():
    assert metric(None, task="classification") == Accuracy()
    assert metric(None, task="regression") == RMSE()
    assert metric(AUC(), task="classification") == AUC()
    assert metric("recall", task="classification", classes=np.array(["a", "b"])) == Recall(classes=("a", "b"))


@pytest.mark.parametrize(
    ("spec", "task", "hint"),
    [
        ("acuracy", "classification", "Did you mean accuracy?"),
        ("log-loss", "classification", "Did you mean log_loss?"),
        ("rmse", "classification", "This is a classification"),
        ("wurst", "regression", "Choose from rmse, mae, r2"),
        ("cost:x.csv", "regression", "needs classes"),
        ("cost:absent.csv", "classification", "cannot be read"),
        ("nowhere:f", "classification", "cannot be imported"),
        ("math:nothing", "classification", "math has no 'nothing'"),
        ("math:pi", "classification", "not a function"),
    ],
)
def test_a_wrong_name_is_answered_with_what_to_type(spec, task, hint):
    with pytest.raises(UsageError, match=hint):
        metric(spec, task=task)


@pytest.mark.parametrize("name", ["log_loss", "brier", "auc", "calibration_error"])
def test_a_metric_on_probabilities_says_what_the_model_lacks(name):
    with pytest.raises(AbilityError, match=f"{name} needs class probabilities.*--metric accuracy"):
        metric(name, task="classification").score(
            np.array([0, 1]), Prediction(np.array([0, 1]), None, np.array([0, 1]))
        )


def test_scores_leave_out_what_needs_probabilities():
    found = scores(np.array([0, 1]), Prediction(np.array([0, 1])), task="classification")
    assert set(found) == {"accuracy", "balanced_accuracy", "precision", "recall", "f1"}
    assert all(math.isnan(x) for x in scores(np.array([]), Prediction(np.array([])), task="regression").values())


# --------------------------------------------------------------------------------------- cost, custom


def test_costs_from_csv_and_json_match_the_models_classes(tmp_path):
    (tmp_path / "c.csv").write_text(",0,1\n0,0,1\n1,5,0\n")
    (tmp_path / "c.json").write_text(json.dumps({"0": {"0": 0, "1": 1}, "1": {"0": 5, "1": 0}}))
    y, said = np.array([0, 1, 1]), Prediction(np.array([1, 0, 1]))
    for name in ("c.csv", "c.json"):
        for classes in (None, [0, 1]):
            found = metric(f"cost:{tmp_path / name}", task="classification", classes=classes)
            assert found.score(y, said) == 2.0 and found.losses(y, said).tolist() == [1, 5, 0]
    assert read_costs(tmp_path / "c.csv", classes=["0", "1"]).classes == ("0", "1")


def test_a_cost_matrix_knows_its_direction_and_its_largest_difference():
    profit = CostMatrix(((-10.0, 1.0), (5.0, 0.0)))
    assert profit.bound == 15.0 and not profit.greater_is_better
    assert eval(repr(profit)) == profit


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (",a,b\na,0,1\n", "same labels as rows and as columns"),
        (",a,b\na,0\nb,1,2\n", "2 costs"),
        (",a,b\na,0,x\nb,1,2\n", "not a table of costs"),
        ("", "no rows"),
        (",a,b\na,0,inf\nb,1,2\n", "finite"),
    ],
)
def test_a_bad_cost_file_is_one_clear_sentence(tmp_path, text, hint):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(UsageError, match=hint):
        read_costs(tmp_path / "c.csv")


def test_a_class_without_a_cost_is_named():
    with pytest.raises(UsageError, match="no class 2"):
        CostMatrix(((0, 1), (1, 0))).losses(np.array([2]), Prediction(np.array([0])))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    (tmp_path / "shop_metrics.py").write_text(
        "import numpy as np\n"
        "def profit(y_true, y_pred, sample_weight=None):\n"
        "    return float(np.average(y_true == y_pred, weights=sample_weight))\n"
        "def sure(y_true, y_pred, y_proba):\n    return float(y_proba[:, 1].mean())\n"
        "def waste(y_true, y_pred):\n    return float(np.mean(y_true != y_pred))\n"
        "waste.greater_is_better = False\n"
        "def text(y_true, y_pred):\n    return 'a lot'\n"
    )
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("shop_metrics", None)


def test_a_function_of_ones_own_is_found_in_the_working_directory(shop):
    y, said, weight = make([0, 1], rows=50)
    profit, waste = Custom("shop_metrics:profit"), metric("shop_metrics:waste", task="classification")
    assert profit.score(y, said, weight) == pytest.approx(Accuracy().score(y, said, weight))
    assert profit.resample(y, said, np.stack([weight, 2 * weight])) == pytest.approx(
        [profit.score(y, said, weight)] * 2
    )
    assert not waste.greater_is_better and profit.greater_is_better
    repeated = waste.score(y, said, weight)  # no weights of its own: rows are repeated
    assert repeated == pytest.approx(1 - Accuracy().score(y, said, weight), abs=2 / 50)
    assert "" not in sys.path[-1:]


def test_a_function_that_needs_probabilities_gets_them_or_says_so(shop):
    y, said, _ = make([0, 1], rows=50)
    assert Custom("shop_metrics:sure").score(y, said) == pytest.approx(said.proba[:, 1].mean())
    with pytest.raises(AbilityError, match="shop_metrics:sure needs class probabilities"):
        Custom("shop_metrics:sure").score(y, Prediction(said.label))


def test_a_function_that_returns_no_number_is_told_so(shop):
    with pytest.raises(UsageError, match="returned 'a lot'"):
        Custom("shop_metrics:text").score(np.array([1]), Prediction(np.array([1])))


# ------------------------------------------------------------------------------ baselines, forgetting


def test_kappa_is_cohens():
    y, said, weight = make(NAMES["words"])
    for w in (None, weight):
        expected = sk.cohen_kappa_score(y.astype(str), said.label.astype(str), sample_weight=w)
        assert kappa(y, said, weight=w) == pytest.approx(expected)


def test_temporal_kappa_of_the_no_change_baseline_is_zero_and_of_the_truth_one():
    y = np.array([0, 0, 1, 1, 1, 0, 2, 2])
    assert kappa_temporal(y, persistence_baseline(y)) == 0.0
    assert kappa_temporal(y, Prediction(y)) == 1.0
    assert kappa_temporal(y, Prediction(np.full(8, 9))) < 0
    assert kappa_temporal(y, persistence_baseline(y, before=5), before=5) == 0.0
    assert math.isnan(kappa_temporal(np.zeros(5), Prediction(np.zeros(5))))


def test_forgetting_by_class_shows_the_class_that_was_lost():
    y = np.array(["a", "a", "b", "b", "b"])
    champion, challenger = np.array(["a", "a", "b", "b", "a"]), np.array(["a", "a", "a", "a", "b"])
    both = PairedPredictions(y, Prediction(champion), Prediction(challenger), weight=np.array([1.0, 1, 1, 1, 2]))
    found = per_class(both)
    assert found == {"a": (1.0, 1.0, 2), "b": (0.5, 0.5, 3)}
    assert change(per_class(PairedPredictions(y, Prediction(champion), Prediction(challenger)))) == pytest.approx(
        {"a": 0, "b": -1 / 3}
    )
