"""Any metric can decide, and the gate can hold other numbers within limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

import incumbent
from incumbent import Gate, Limit
from incumbent.core import Prediction
from incumbent.errors import AbilityError, UsageError
from rows import fitted, points, values, weak

ASTRAY = (0.0, 1.0, 0.0)
"""What the live model has learned has nothing to do with the rule of the rows."""


def decided_by(metric, **options):
    return incumbent.update(
        fitted(LogisticRegression(), points(300, ASTRAY, seed=3)),
        points(900, seed=2),
        target="label",
        anchor=points(1600, seed=10),
        strategies="retrain",
        metric=metric,
        **options,
    )


@pytest.mark.parametrize("metric", ["balanced_accuracy", "auc", "brier"])
def test_a_real_gain_shows_by_every_metric(metric):
    outcome = decided_by(metric)
    assert (outcome.decision, outcome.metric) == ("promote", metric)
    new = outcome.comparisons["new"]
    better = new.challenger[metric] - new.champion[metric]
    assert (better < 0) if metric == "brier" else (better > 0)
    assert new.interval.lower > 0


def test_the_unit_of_the_gain_is_that_of_the_metric():
    assert "nats" in decided_by("log_loss").verdict.reasons[0].text
    assert "bootstrap" in decided_by("f1").verdict.reasons[0].interval.test
    assert "McNemar" in decided_by(None).verdict.reasons[0].interval.test


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_cost_matrix_decides(working_folder):
    (working_folder / "costs.csv").write_text("true,0,1\n0,0,1\n1,5,0\n")
    outcome = decided_by("cost:costs.csv")
    assert (outcome.decision, outcome.metric) == ("promote", "cost")
    costs = outcome.comparisons["new"]
    assert costs.challenger["cost"] < costs.champion["cost"]


def test_a_function_of_the_users_decides(working_folder):
    (working_folder / "shop_of_mine.py").write_text(
        "def profit(y_true, y_pred):\n    return float((y_true == y_pred).sum())\n"
    )
    outcome = decided_by("shop_of_mine:profit", gate=Gate(tolerance=0.05))
    assert (outcome.decision, outcome.metric) == ("promote", "shop_of_mine:profit")
    assert (
        outcome.comparisons["new"].challenger["shop_of_mine:profit"]
        > outcome.comparisons["new"].champion["shop_of_mine:profit"]
    )


class Hits:
    """A metric of one's own, given as a value."""

    name, greater_is_better, bound, needs_proba = "hits", True, 1.0, False

    def losses(self, y, prediction):
        return (np.asarray(prediction.label) != y).astype(float)

    def score(self, y, prediction: Prediction, weight=None):
        return 1.0 - float(np.average(self.losses(y, prediction), weights=weight))

    def resample(self, y, prediction, weight):
        return 1.0 - weight @ self.losses(y, prediction) / weight.sum(axis=1)


def test_a_metric_that_is_given_as_a_value_decides():
    outcome = decided_by(Hits())
    assert (outcome.decision, outcome.metric) == ("promote", "hits")


@pytest.mark.parametrize(
    ("metric", "files", "said"),
    [
        ("cost:costs.csv", {}, "cannot be read"),
        ("cost:costs.csv", {"costs.csv": "true,0\n0,0\n"}, "at least two classes"),
        ("cost:costs.csv", {"costs.csv": "true,0,1\n0,0,free\n1,1,0\n"}, "free"),
        ("cost:costs.json", {"costs.json": json.dumps({"0": {"0": 0, "2": 1}, "2": {"0": 5, "2": 0}})}, "no class 1"),
        ("shop_a:profit", {}, "metric 'shop_a:profit' cannot be imported"),
        ("shop_b:profit", {"shop_b.py": "profit = 3\n"}, "not a function"),
        ("shop_c:profit", {"shop_c.py": "def profit(y, p):\n    return 'much'\n"}, "returned 'much'"),
        ("shop_d:profit", {"shop_d.py": "def profit(y, p):\n    return 1 / 0\n"}, "ZeroDivisionError"),
        ("shop_e:profit", {"shop_e.py": "def profit(y):\n    return 1.0\n"}, "TypeError"),
    ],
)
def test_a_metric_that_cannot_be_used_is_told_before_anything_is_trained(working_folder, metric, files, said):
    for name, text in files.items():
        (working_folder / name).write_text(text)
    fits = []
    with pytest.raises(UsageError, match=said):
        decided_by(metric, progress=lambda event: fits.append(event.stage) if event.stage == "fit" else None)
    assert not fits


def test_probabilities_that_the_model_does_not_give_are_told_before_anything_is_trained():
    live = fitted(LinearSVC(), points(100, seed=1))
    with pytest.raises(AbilityError, match="log_loss"):
        incumbent.update(live, points(300, seed=2), target="label", metric="log_loss")


# --------------------------------------------------------------------------------------------- limits


def limited(*limits, live=None, **options):
    return incumbent.update(
        live or weak(),
        points(900, seed=2),
        target="label",
        anchor=points(1600, seed=10),
        strategies="retrain",
        gate=Gate(limits=limits, **options),
    )


def test_limits_that_hold_let_the_challenger_through_and_stand_among_the_reasons():
    outcome = limited(
        Limit("latency_us", max=1e9), Limit("bytes", max_ratio=2.0), Limit("accuracy", min=0.5), Limit("brier", max=1.0)
    )
    assert outcome.decision == "promote"
    reasons = {reason.name: reason for reason in outcome.verdict.reasons[2:]}
    assert list(reasons) == ["latency_us", "bytes", "accuracy", "brier"]
    assert 0 < reasons["latency_us"].value < 1e6
    assert 500 < reasons["bytes"].value < reasons["bytes"].limit
    assert 0.8 < reasons["accuracy"].value < 1.0


@pytest.mark.parametrize(
    "limit", [Limit("latency_us", max=1e-6), Limit("bytes", max_ratio=0.01), Limit("accuracy", min=0.999)], ids=repr
)
def test_a_limit_that_is_broken_rejects(limit):
    outcome = limited(limit)
    assert outcome.decision == "reject" and outcome.verdict.reasons[-1].violated
    assert any(limit.name in advice for advice in outcome.verdict.advice)


def test_few_negative_flips_can_be_asked_for():
    assert limited(max_flips=0.2).decision == "promote"
    outcome = limited(max_flips=0.0)
    assert outcome.decision != "promote"
    assert outcome.verdict.reasons[-1].name == "few negative flips"


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (Gate(limits=(Limit("latency", max=1),)), "Did you mean 'latency_us'"),
        (Gate(limits=(Limit("rmse", max=1),)), "not measured"),
    ],
)
def test_a_limit_on_nothing_is_told_before_anything_is_trained(gate, said):
    fits = []
    with pytest.raises(UsageError, match=said):
        incumbent.update(
            weak(), points(300, seed=2), target="label", gate=gate, progress=lambda event: fits.append(event.stage)
        )
    assert "fit" not in fits


def test_negative_flips_of_a_regression_mean_nothing():
    live = fitted(Ridge(), values(100, seed=1))
    with pytest.raises(UsageError, match="a regression has none"):
        incumbent.update(live, values(300, seed=2), target="label", gate=Gate(max_flips=0.1))


def test_a_limit_on_probabilities_needs_a_model_that_gives_them():
    live = fitted(LinearSVC(), points(100, seed=1))
    with pytest.raises(UsageError, match="log_loss"):
        incumbent.update(live, points(300, seed=2), target="label", gate=Gate(limits=(Limit("log_loss", max=1.0),)))
