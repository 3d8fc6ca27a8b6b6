"""Quadratic features: those of largest variance, the same for a row whatever is beside it, and plain scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from inputs import ALIKE as X
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from incumbent.errors import ModelError
from incumbent.models import _quadratic
from incumbent.models._projection import RandomReLU
from incumbent.models._quadratic import TURN, QuadraticFeatures


def inputs(layer, x=X):
    """Return the centred and scaled inputs."""
    return (x - layer.mean_) / layer.scale_


def products(components):
    """Return every quadratic feature of these components (n, k) by its pair, as the formula says."""
    length = np.linalg.norm(components, axis=1)
    pairs = {}
    for i in range(components.shape[1]):
        for j in range(i, components.shape[1]):
            pairs[i, j] = components[:, i] * components[:, j] / length / (np.sqrt(2) if i == j else 1)
    return pairs


def test_features_are_whole_steps_in_eight_bits_a_power_of_two_for_each():
    layer = QuadraticFeatures(200).fit(X)
    steps = layer.transform(X) / layer.steps_
    assert np.array_equal(steps, np.rint(steps)) and np.abs(steps).max() <= 127
    assert np.array_equal(np.log2(layer.steps_), np.rint(np.log2(layer.steps_)))
    spread = np.sqrt((steps**2).mean(axis=0))
    assert spread.min() > 10 and spread.max() < 25


def test_features_are_those_of_the_formula_but_for_rounding():
    layer = QuadraticFeatures(250).fit(X)
    components = inputs(layer) @ (layer.components_.T * TURN)
    length = np.linalg.norm(inputs(layer), axis=1)
    wanted = [components[:, : layer.linear_]]
    for i, many in enumerate(layer.reach_):
        run = components[:, i : i + 1] * components[:, i : i + many] / length[:, None]
        run[:, 0] /= np.sqrt(2)
        wanted.append(run)
    steps = np.clip(np.hstack(wanted) / layer.steps_, -127, 127)
    assert np.abs(layer.transform(X) / layer.steps_ - steps).max() < 2.5
    assert np.abs(layer.transform(X) / layer.steps_ - steps).mean() < 0.3  # a quarter is what rounding alone makes


def test_the_components_are_the_principal_ones():
    layer = QuadraticFeatures(250).fit(X)
    variance = np.sort(np.linalg.eigvalsh(np.cov(inputs(layer).T)))[::-1]
    along = (inputs(layer) @ (layer.components_.T * TURN)).var(axis=0)
    np.testing.assert_allclose(along, variance[: len(along)], rtol=0.02, atol=0.02)


def test_all_of_them_together_have_the_inner_products_of_the_kernel():
    layer = QuadraticFeatures(40 * 43 // 2).fit(X)
    made, z = layer.transform(X[:60]).astype(float), inputs(layer)[:60]
    lengths = np.outer(*[np.linalg.norm(z, axis=1)] * 2)
    cosine = z @ z.T / lengths
    np.testing.assert_allclose(made @ made.T, lengths * (cosine + cosine**2 / 2), rtol=0.02, atol=0.02 * lengths.max())


def test_those_that_vary_most_are_kept():
    variance, whole = np.array([5.0, 3.0, 1.0, 0.5]), 9.5
    linear, reach = _quadratic._largest(variance, whole, 7)
    each = {(i,): variance[i] for i in range(4)}
    each |= {(i, j): variance[i] * variance[j] / whole for i in range(4) for j in range(i, 4)}
    kept = {(i,) for i in range(linear)} | {(i, i + k) for i, many in enumerate(reach) for k in range(many)}
    assert kept == set(sorted(each, key=each.get, reverse=True)[:7])


@pytest.mark.parametrize("width", range(1, 60))
def test_as_many_features_are_kept_as_were_asked_for_ties_or_not(width):
    linear, reach = _quadratic._largest(np.array([1.0] * 5 + [0.5] * 5), 7.5, width)
    assert linear + reach.sum() == width
    assert all(first + many <= 10 for first, many in enumerate(reach))


def test_far_rows_count_in_proportion_and_not_squared():
    layer = QuadraticFeatures(200).fit(X)
    near = layer.mean_ + 0.05 * (X[:50] - layer.mean_)
    far = layer.mean_ + 0.1 * (X[:50] - layer.mean_)
    steps = layer.transform(far)[:, layer.linear_ :] - 2 * layer.transform(near)[:, layer.linear_ :]
    assert np.abs(steps / layer.steps_[layer.linear_ :]).max() <= 6  # the inputs' rounding, twice, and its own


def test_each_column_has_a_say_where_each_is_scaled():
    wide = X * np.r_[np.full(39, 1.0), 1000.0]
    together, each = (QuadraticFeatures(100, each=flag).fit(wide) for flag in (False, True))
    assert np.abs(together.components_[0]).max() * TURN > 0.99  # nothing but that column
    assert np.abs(each.components_[0]).max() * TURN < 0.9


def test_more_inputs_than_are_solved_at_once_have_components_too(monkeypatch):
    whole = QuadraticFeatures(100).fit(X).transform(X)
    monkeypatch.setattr(_quadratic, "_SQUARE", 10)
    made = QuadraticFeatures(100).fit(X)
    assert np.array_equal(made.transform(X), QuadraticFeatures(100).fit(X).transform(X))
    alike = [
        abs(np.corrcoef(one, two)[0, 1]) for one, two in zip(whole[:, :10].T, made.transform(X)[:, :10].T, strict=True)
    ]
    assert min(alike) > 0.98


def test_it_is_a_transformer_as_scikit_learn_has_them():
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(40)])
    layer = QuadraticFeatures(60).fit(frame)
    made = layer.transform(frame)
    assert list(layer.feature_names_in_) == list(frame.columns)
    assert list(layer.get_feature_names_out()[[0, 1, -1]]) == [
        "pc0",
        "pc1",
        f"pc{len(layer.reach_) - 1}*pc{_last(layer)}",
    ]
    assert len(layer.get_feature_names_out()) == 60
    assert np.array_equal(clone(layer).fit(frame).transform(frame), made)
    assert np.array_equal(pickle.loads(pickle.dumps(layer)).transform(X), made)


def _last(layer):
    return len(layer.reach_) - 1 + layer.reach_[-1] - 1


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_numbers_of_any_kind_are_taken(kind):
    made = QuadraticFeatures(30).fit((np.abs(X) * 20).astype(kind)).transform((np.abs(X) * 20).astype(kind))
    assert np.isfinite(made).all() and made.any()


@pytest.mark.parametrize("x", [np.full((30, 20), 7.0), np.vstack([np.eye(20), np.zeros((10, 20))])])
def test_inputs_that_hardly_vary_do_no_harm(x):
    assert np.isfinite(QuadraticFeatures(40).fit(x).transform(np.vstack([x, x + 1]))).all()


def test_fewer_than_were_asked_for_are_refused_with_what_to_do():
    with pytest.raises(ModelError, match=r'10 rows of 40 inputs have fewer than 200 .* Analytic\(projection="relu"\)'):
        QuadraticFeatures(200).fit(X[:10])
    with pytest.raises(ModelError, match="sparse"):
        QuadraticFeatures(20).fit(sp.csr_matrix(X))


def test_images_are_told_apart_as_well_as_by_twice_as_many_random_features():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    learn, test = order[:1000], order[1000:]

    def right(layer):
        made = layer.fit(x[learn]).transform
        return RidgeClassifier(alpha=1.0).fit(made(x[learn]), y[learn]).score(made(x[test]), y[test])

    random = np.mean([right(RandomReLU(300, seed=seed)) for seed in range(5)])
    assert right(QuadraticFeatures(150)) >= random
