"""The streams have the drift, the noise and the classes that they promise."""

import numpy as np
import pytest

from incumbent.core import Batch
from incumbent.errors import UsageError
from incumbent.testing import abrupt_drift_stream, gradual_drift_stream, stationary_stream


def whole(stream) -> Batch:
    return Batch.join(list(stream))


def test_a_stream_is_the_same_for_the_same_seed_and_differs_for_another():
    first, again, other = (whole(abrupt_drift_stream(seed=seed)) for seed in (1, 1, 2))
    assert first.x.equals(again.x) and (first.y == again.y).all()
    assert not first.x.equals(other.x)


def test_all_streams_begin_alike_and_the_rule_turns_when_it_is_said_to():
    calm, turned = whole(stationary_stream()), whole(abrupt_drift_stream(at=4))
    assert calm.x.equals(turned.x)
    assert (calm.y[:2000] == turned.y[:2000]).all()
    changed = np.mean(calm.y[2000:] != turned.y[2000:])
    assert abs(changed - 0.9 * 0.5) < 0.03  # 90 of 180 degrees, among the rows whose class is not drawn at random


@pytest.mark.parametrize("classes", [2, 4])
def test_the_best_accuracy_is_what_the_stream_says(classes):
    rows = whole(stationary_stream(rows=4000, batches=2, classes=classes, noise=0.3, seed=5))
    clean = whole(stationary_stream(rows=4000, batches=2, classes=classes, noise=0.0, seed=5))
    assert abs(np.mean(rows.y == clean.y) - (1 - 0.3 * (classes - 1) / classes)) < 0.02
    assert np.allclose(np.bincount(clean.y) / len(clean), 1 / classes, atol=0.02)


def test_the_noise_of_a_regression_is_its_root_mean_squared_error():
    noisy, clean = (whole(stationary_stream(task="regression", noise=noise, seed=1)) for noise in (0.5, 0.0))
    assert abs(np.std(noisy.y - clean.y) - 0.5) < 0.02


def test_the_share_of_a_gradual_change_rises_linearly():
    kind = {"task": "regression", "noise": 0.0, "rows": 2000, "batches": 6}
    old, mixed = whole(stationary_stream(**kind)), whole(gradual_drift_stream(start=1, end=5, **kind))
    share = np.reshape(old.y != mixed.y, (6, 2000)).mean(axis=1)
    assert np.allclose(share, [0, 0.125, 0.375, 0.625, 0.875, 1], atol=0.04)


@pytest.mark.parametrize(
    "wrong", [{"features": 1}, {"rows": 0}, {"classes": 1}, {"noise": -1.0}], ids=lambda given: next(iter(given))
)
def test_a_stream_without_meaning_is_refused(wrong):
    with pytest.raises(UsageError, match="A stream takes"):
        next(stationary_stream(**wrong))


def test_a_gradual_change_needs_time():
    with pytest.raises(UsageError, match="start < end"):
        gradual_drift_stream(start=3, end=3)
