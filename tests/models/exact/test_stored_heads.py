"""Versions that 0.1 stored with kept rows or quadratic features: they open, predict, forget and update.

`stored/` was written by version 0.1: in each folder a model, its memory of 300 rows (x, y), and what the model
predicted for some rows x. For a head with kept rows these are the predictions of its linear layer alone.
"""

import warnings
from pathlib import Path

import numpy as np
import pytest
from inputs import groups

from incumbent.core import Batch, Recipe
from incumbent.memory import load_memory
from incumbent.models import fit_challenger, forget, load, save, update_statistics, wrap
from incumbent.strategies import Analytic, Incremental, Retrain

STORED = Path(__file__).parent / "stored"
KINDS = ["pipeline_votes", "pipeline_quadratic", "net_votes", "net_quadratic"]
NOTE = "opened without the kept rows that version 0.1 mixed in"
ALL = pytest.mark.parametrize("kind", KINDS)


def rows(n, seed):
    x, of = groups(n, seed)
    return Batch(x.astype(np.float32), of % 2)


def opened(kind):
    if kind.startswith("net"):
        pytest.importorskip("torch")
    with np.load(STORED / kind / "expected.npz") as file:
        expected = dict(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other versions of scikit-learn may read this
        return load(STORED / kind / "model"), load_memory(STORED / kind / "memory"), expected


def learn(model, memory, new, strategy):
    recipe = strategy.prepare(Recipe(), memory).resolve_start(model.abilities)
    made = fit_challenger(model, recipe.bind(train=new, select=rows(100, 3), memory=memory))
    return made, strategy.remember(memory, made, new)


@ALL
def test_it_predicts_what_its_head_predicted(kind):
    model, _, expected = opened(kind)
    np.testing.assert_allclose(model.predict(expected["x"]).proba, expected["proba"], atol=1e-5)
    assert model.notes == ((NOTE,) if "votes" in kind else ())
    assert np.array_equal(model.head_input(expected["x"]), expected["read"])  # features are the same to the last bit


@ALL
def test_it_is_stored_again_without_a_trace_of_the_kept_rows(kind, tmp_path):
    model, _, expected = opened(kind)
    save(model, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(expected["x"]).proba, model.predict(expected["x"]).proba)
    assert again.notes == () and again.head.token == model.head.token
    assert b"votes" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@ALL
def test_its_rows_are_still_forgotten_exactly(kind):
    model, memory, _ = opened(kind)
    gone, kept = memory.rows.take(np.arange(40)), memory.rows.take(np.arange(40, 300))
    left, after = forget(model, memory, gone)
    again, _ = forget(left, after, kept.take(np.arange(100)))
    from sklearn.linear_model import Ridge

    for made, rest in ((left, kept), (again, kept.take(np.arange(100, 260)))):
        joint = Ridge(alpha=1.0).fit(model.head_input(rest.x).astype(float), np.eye(2)[rest.y])
        np.testing.assert_allclose(made.head.coef, joint.coef_, rtol=1e-6, atol=1e-8)
    assert not any(name.startswith("neighbours") for name in after.statistics)


@ALL
def test_the_next_exact_head_has_learned_every_row_under_random_features(kind):
    model, memory, _ = opened(kind)
    made, carried = learn(model, memory, rows(80, 1), Analytic(16, ridge=1.0))
    assert type(made.head.lift).__name__ == "RandomReLU" and made.head.coef.shape == (2, 16)
    assert float(carried.statistics["rows"]) == 380
    assert (made.head.token == model.head.token) == ("votes" in kind)  # sums of the same features go on
    assert not any(name.startswith("neighbours") for name in carried.statistics)
    assert made.notes[0].startswith("solved from 380 rows on 16 random features")


@ALL
def test_without_remembered_rows_an_exact_head_goes_on_from_its_sums(kind):
    model, memory, _ = opened(kind)
    made, carried = learn(model, memory.replace(rows=None, key=None), rows(80, 1), Analytic(ridge=1.0))
    assert float(carried.statistics["rows"]) == 380 and made.head.token == model.head.token


@ALL
@pytest.mark.parametrize("strategy", [Incremental("adam", epochs=1), Retrain()], ids=["incremental", "retrain"])
def test_other_strategies_update_it_too(kind, strategy):
    model, memory, expected = opened(kind)
    made, _ = learn(model, memory, rows(80, 1), strategy)
    assert np.isfinite(made.predict(expected["x"]).proba).all()


@ALL
def test_rows_that_a_refused_update_learned_join_its_sums(kind):
    model, memory, _ = opened(kind)
    assert float(update_statistics(memory, model, rows(80, 1)).statistics["rows"]) == 380


def test_gradients_pass_through_stored_quadratic_features():
    torch = pytest.importorskip("torch")
    model, _, expected = opened("net_quadratic")
    x = torch.from_numpy(expected["x"]).requires_grad_()
    model.native(x)[:, 0].sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(np.isfinite(value).all() for value in model.weight_importance(rows(20, 4)).values())


def test_a_pipeline_of_quadratic_features_can_be_fitted_again_and_has_random_ones_then():
    from sklearn.base import clone

    model, memory, expected = opened("pipeline_quadratic")
    native = clone(model.native).fit(memory.rows.x, memory.rows.y)
    assert type(native.steps[1][1]).__name__ == "RandomReLU"
    assert wrap(native).predict(expected["x"]).proba.shape == (20, 2)
