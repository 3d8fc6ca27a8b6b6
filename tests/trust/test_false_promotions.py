"""A thousand streams with no true difference, five challengers each: at most a share alpha is promoted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from incumbent import Evidence, Gate
from incumbent.core import Challenger, PairedPredictions, Prediction
from incumbent.metrics import Accuracy
from incumbent.updating import choose, improvement

STREAMS, CHALLENGERS, SELECT, GATE, ALPHA = 1_000, 5, 150, 250, 0.05


class Made:
    """Stands for a model that was trained: the choice only asks whether there is one."""


def promoted(seed: int, error: float, *, peek: bool) -> bool:
    """Choose the best of five challengers that are as good as the champion, and let it meet the gate."""
    rng, metric = np.random.default_rng(seed), Accuracy()
    y = rng.integers(0, 2, SELECT + GATE)
    said = [Prediction(np.where(rng.random(len(y)) < error, 1 - y, y)) for _ in range(CHALLENGERS + 1)]
    chosen_on = np.arange(SELECT, len(y)) if peek else np.arange(SELECT)
    before = said[0].take(chosen_on)
    gains = [improvement(metric, y[chosen_on], before, each.take(chosen_on), None) for each in said[1:]]
    tries = choose([Challenger(str(k), model=Made(), gain=gain) for k, gain in enumerate(gains)])
    best = next(k for k, each in enumerate(tries) if each.chosen)
    at = np.arange(SELECT, len(y))
    pair = PairedPredictions(y[at], said[0].take(at), said[1 + best].take(at))
    return Gate(tolerance=None, alpha=ALPHA)(Evidence(metric, pair)).decision == "promote"


@pytest.mark.slow
@pytest.mark.parametrize("error", [0.05, 0.2])
def test_false_promotions_stay_within_alpha_however_many_challengers_were_tried(error):
    false = sum(promoted(seed, error, peek=False) for seed in range(STREAMS))
    assert binomtest(false, STREAMS, ALPHA, alternative="greater").pvalue > 0.001, false


@pytest.mark.slow
def test_a_choice_that_saw_the_gate_rows_would_promote_far_more():
    false = sum(promoted(seed, 0.2, peek=True) for seed in range(300))
    assert binomtest(false, 300, ALPHA, alternative="greater").pvalue < 1e-6, false  # so the test above can fail
