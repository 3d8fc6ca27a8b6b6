"""The published rules, three steps by hand."""

import numpy as np
import pytest

from incumbent.core import OPTIMIZERS
from incumbent.models.tables import stepper

GRADIENTS = (1.0, -2.0, 0.5)
BY_HAND = {
    "sgd": [-0.1, 0.2, -0.05],
    # velocity 1, 0.9 - 2, -0.99 + 0.5
    "momentum": [-0.1, 0.11, 0.049],
    # sums of squares 1, 5, 5.25
    "adagrad": [-0.1, 0.2 / np.sqrt(5), -0.05 / np.sqrt(5.25)],
    # mean squares 0.1, 0.49, 0.466
    "rmsprop": [-0.1 / np.sqrt(0.1), 0.2 / 0.7, -0.05 / np.sqrt(0.466)],
    # means 0.1, -0.11, -0.049 over 0.1, 0.19, 0.271; squares 0.001, 0.004999, 0.005244001 over 1 - 0.999**t
    "adam": [
        -0.1,
        0.1 * (0.11 / 0.19) / np.sqrt(0.004999 / 0.001999),
        0.1 * (0.049 / 0.271) / np.sqrt(0.005244001 / 0.002997001),
    ],
}
BY_HAND["adamw"] = BY_HAND["adam"]  # a linear model's own penalty is what decays its weights


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_three_steps_are_those_by_hand(name):
    step = stepper(name)
    taken = [step(np.array([gradient]), 0.1).item() for gradient in GRADIENTS]
    assert taken == pytest.approx(BY_HAND[name], rel=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_do_not_disturb_one_another(name):
    together, alone = stepper(name), stepper(name)
    for gradient in GRADIENTS:
        both = together(np.array([[gradient, 5.0]]), 0.1)
        assert both[0, 0] == alone(np.array([gradient]), 0.1)[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_stepper_keeps_its_own_state_and_changes_no_gradient(name):
    used, fresh, gradient = stepper(name), stepper(name), np.ones(2)
    for _ in range(5):
        used(gradient, 0.1)
    assert np.array_equal(gradient, np.ones(2))
    assert np.array_equal(fresh(gradient, 0.1), stepper(name)(gradient, 0.1))
