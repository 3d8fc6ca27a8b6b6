"""Random features: made from a seed, the same for a row whatever is beside it, and plain scikit-learn otherwise."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from inputs import UNLIKE as X
from sklearn.base import clone

from incumbent.errors import ModelError
from incumbent.models.exact import RandomReLU

GRID = RandomReLU.grid.step


def test_a_row_has_the_same_features_whatever_rows_are_beside_it():
    layer = RandomReLU(333).fit(X)
    whole = layer.transform(X)
    for at in (slice(0, 1), slice(5, 8), slice(100, 613)):
        assert np.array_equal(layer.transform(X[at]), whole[at])
    assert np.array_equal(layer.transform(X[::-1]), whole[::-1])


def test_features_are_whole_steps_of_the_grid_in_eight_bits():
    made = RandomReLU(200).fit(X).transform(X)
    steps = made / GRID
    assert made.dtype == np.float32 and np.array_equal(steps, np.rint(steps))
    assert steps.min() == 0 and 60 < steps.max() <= 255


def test_single_and_double_precision_give_the_same_features(monkeypatch):
    layer = RandomReLU(333).fit(X)
    single = layer.transform(X)
    monkeypatch.setattr("incumbent.models.exact._projection.EXACT", 0.0)
    assert np.array_equal(layer.transform(X), single)


def test_features_are_those_of_the_formula_but_for_rounding():
    layer = RandomReLU(150, each=True).fit(X)
    inputs = np.hstack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones((len(X), 1))])
    wanted = np.maximum(0, inputs @ (layer.directions() / 4.0) / np.sqrt(10.0))
    assert np.abs(layer.transform(X) - np.minimum(wanted, 255 * GRID)).max() < 1.5 * GRID


def test_the_directions_are_near_to_normal():
    layer = RandomReLU(2000).fit(X)
    entries = layer.directions() / 4.0
    assert abs(entries.mean()) < 0.02 and abs(entries.std() - 1) < 0.02
    assert abs(np.mean(entries**4) - 3) < 0.2


def test_each_column_has_a_say_where_each_is_scaled():
    together, each = (RandomReLU(500, each=flag).fit(X).transform(X) for flag in (False, True))
    moved = X.copy()
    moved[:, 4] += 2  # two standard deviations of a column beside which another is a hundred times as wide
    change = [
        np.abs(RandomReLU(500, each=flag).fit(X).transform(moved) - made).mean()
        for flag, made in ((False, together), (True, each))
    ]
    assert change[1] > 10 * change[0]


def test_the_seed_alone_makes_the_directions_and_they_are_not_stored():
    layer, other = RandomReLU(400).fit(X), RandomReLU(400, seed=1).fit(X)
    made = layer.transform(X)
    assert len(pickle.dumps(layer)) < 5_000
    assert np.array_equal(pickle.loads(pickle.dumps(layer)).transform(X), made)
    assert np.array_equal(clone(layer).fit(X).transform(X), made)
    assert not np.array_equal(other.transform(X), made)


def test_other_directions_than_those_that_were_learned_with_are_refused():
    layer = pickle.loads(pickle.dumps(RandomReLU(50).fit(X)))
    layer.check_ += 1
    with pytest.raises(ModelError, match="other numbers from the same seed"):
        layer.transform(X)


def test_sparse_inputs_give_what_dense_ones_do_without_centring():
    counts = sp.random(200, 400, density=0.05, format="csr", random_state=0)
    layer = RandomReLU(100).fit(counts)
    assert np.array_equal(layer.transform(counts), layer.transform(counts.toarray()))
    assert not layer.mean_.any()


def test_a_frame_gives_its_names_and_the_same_features():
    frame = pd.DataFrame(X, columns=list("abcdefghi"))
    layer = RandomReLU(60).fit(frame)
    assert list(layer.feature_names_in_) == list("abcdefghi")
    assert np.array_equal(layer.transform(frame), RandomReLU(60).fit(X).transform(X))
    assert list(layer.get_feature_names_out()[:2]) == ["relu0", "relu1"]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, bool])
def test_numbers_of_any_kind_are_taken(kind):
    x = (np.abs(X) % 2).astype(kind)
    made = RandomReLU(30).fit(x).transform(x)
    assert np.isfinite(made).all() and made.any()


def test_a_column_that_never_varies_does_no_harm():
    x = np.hstack([X, np.full((len(X), 1), 7.0)])
    assert np.isfinite(RandomReLU(30, each=True).fit(x).transform(x)).all()
