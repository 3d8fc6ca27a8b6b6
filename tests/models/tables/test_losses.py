"""Slopes against finite differences, and Fisher information against the expectation written out."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from incumbent.models.tables import _losses as losses

LOSSES = {
    "softmax": losses.SOFTMAX,
    "log": losses.LOG,
    "squared": losses.SQUARED,
    "hinge": losses.HINGE,
    "squared hinge": losses.SQUARED_HINGE,
    "perceptron": losses.PERCEPTRON,
    "modified huber": losses.MODIFIED_HUBER,
    "huber": losses.huber(0.7),
    "epsilon insensitive": losses.epsilon_insensitive(0.3),
    "squared epsilon insensitive": losses.squared_epsilon_insensitive(0.3),
}


def targets(name, n, k, rng):
    if name == "softmax":
        return np.eye(k)[rng.integers(k, size=n)]
    if LOSSES[name].signs:
        return rng.choice([-1.0, 1.0], size=(n, k))
    return rng.integers(2, size=(n, k)).astype(float) if name == "log" else rng.normal(size=(n, k))


@pytest.mark.parametrize("name", LOSSES)
def test_the_slope_is_the_derivative_of_the_value(name):
    rng = np.random.default_rng(0)
    score, loss, step = 2 * rng.normal(size=(200, 3)), LOSSES[name], 1e-6
    target = targets(name, 200, 3, rng)
    slope = loss.slope(score, target)
    for k in range(3):
        up, down = score.copy(), score.copy()
        up[:, k] += step
        down[:, k] -= step
        measured = (loss.value(up, target) - loss.value(down, target)) / (2 * step)
        assert np.allclose(slope[:, k], measured, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "score", "target", "value"),
    [
        ("log", 0.0, 1.0, np.log(2)),
        ("log", 2.0, 0.0, np.log(1 + np.exp(2))),
        ("squared", 3.0, 1.0, 2.0),
        ("hinge", 0.25, 1.0, 0.75),
        ("hinge", 2.0, 1.0, 0.0),
        ("squared hinge", -1.0, 1.0, 4.0),
        ("perceptron", -0.5, 1.0, 0.5),
        ("modified huber", -3.0, 1.0, 12.0),
        ("modified huber", 0.5, 1.0, 0.25),
        ("huber", 0.5, 0.0, 0.125),
        ("huber", 2.0, 0.0, 0.7 * 2 - 0.7**2 / 2),
        ("epsilon insensitive", 1.0, 0.0, 0.7),
        ("squared epsilon insensitive", 1.0, 0.0, 0.49),
    ],
)
def test_known_values(name, score, target, value):
    assert LOSSES[name].value(np.array([[score]]), np.array([[target]])) == pytest.approx([value])


def test_the_value_of_a_softmax_is_minus_the_log_of_the_true_class():
    score, target = np.array([[1.0, 2.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    assert losses.SOFTMAX.value(score, target) == pytest.approx(-np.log(softmax(score, axis=1)[:, 1]))


def test_large_scores_overflow_nowhere():
    score = np.array([[1e4], [-1e4]])
    assert np.isfinite(losses.LOG.value(score, np.array([[0.0], [1.0]]))).all()
    assert np.isfinite(losses.SOFTMAX.value(np.array([[1e4, -1e4]]), np.array([[0.0, 1.0]]))).all()


def test_fisher_of_a_softmax_is_the_expected_square_of_its_slope():
    score = np.random.default_rng(1).normal(size=(50, 4))
    p = softmax(score, axis=1)
    expected = sum(p[:, [c]] * losses.SOFTMAX.slope(score, np.tile(np.eye(4)[c], (50, 1))) ** 2 for c in range(4))
    assert np.allclose(losses.SOFTMAX.fisher(score), expected)


def test_fisher_of_a_logistic_model_is_the_expected_square_of_its_slope():
    score = np.random.default_rng(1).normal(size=(50, 1))
    p = expit(score)
    expected = (
        p * losses.LOG.slope(score, np.ones_like(p)) ** 2 + (1 - p) * losses.LOG.slope(score, np.zeros_like(p)) ** 2
    )
    assert np.allclose(losses.LOG.fisher(score), expected)


@pytest.mark.parametrize("name", ["hinge", "squared hinge", "perceptron", "modified huber", "huber"])
def test_what_is_no_likelihood_has_no_fisher_information(name):
    assert LOSSES[name].fisher is None
