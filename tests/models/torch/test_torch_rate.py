"""The rate that is chosen where none was given, against the best of a grid of rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from sklearn.datasets import load_digits  # noqa: E402
from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent.core import Batch, Memory, Recipe, ReplayRows, StoredLogits  # noqa: E402
from incumbent.errors import ModelError  # noqa: E402
from incumbent.models import wrap  # noqa: E402
from incumbent.models.nets import last_harmless, loss_changes, prepare_net, range_test, training_task  # noqa: E402
from incumbent.strategies import DERpp, Incremental, chain  # noqa: E402

GRIDS = {"adam": (1e-4, 1e-3, 1e-2, 1e-1), "momentum": (1e-4, 1e-3, 1e-2, 1e-1), "sgd": (1e-3, 1e-2, 1e-1, 1.0)}
ON = Recipe().replace(start="champion", batch_size=64)


def digits(size: float = 1.0, rows: slice = slice(None)) -> Batch:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[rows]
    return Batch((size * x[order] / 16).astype(np.float32), y[order])


def values(rows: int, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 20)).astype(np.float32)
    return Batch(x, x @ np.linspace(-1, 1, 20) + 2 * np.sin(2 * x[:, 0]) + 0.3 * rng.normal(size=rows))


OLD, NEW, HELD = digits(rows=slice(550)), digits(rows=slice(550, 1100)), digits(rows=slice(1100, 1500))


def linear():
    torch.manual_seed(0)
    return wrap(nn.Sequential(nn.Linear(64, 10))).infer_outputs(OLD.y)


def layers():
    torch.manual_seed(0)
    return wrap(nets.flat(outputs=10)).infer_outputs(OLD.y)


def curve():
    torch.manual_seed(0)
    return wrap(nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))).infer_outputs(values(9, 0).y)


@pytest.fixture(scope="module")
def converged():
    """A linear classifier that has learned its rows for good."""
    return linear().fit(ON.replace(lr=0.01, epochs=200).bind(train=OLD))


def chosen(model, recipe, seed=0) -> float:
    recipe = recipe.bind(seed=seed)
    task = training_task(model, prepare_net(model.net, model.spec, recipe), recipe)
    with task.net.seeded(seed):
        return range_test(task, 64)


def loss(model, rows) -> float:
    if rows.y.dtype.kind == "f":
        return float(np.mean((np.ravel(model.predict(rows.x).label) - rows.y) ** 2))
    proba = model.predict(rows.x).proba
    return float(-np.log(np.maximum(proba[np.arange(len(rows)), rows.y], 1e-12)).mean())


def grid(model, recipe, rows) -> dict[float, float]:
    """The loss on the select rows at each rate; infinite where training diverged."""
    found = {}
    for lr in GRIDS[recipe.optimizer.name]:
        try:
            found[lr] = loss(model.fit(recipe.replace(lr=lr)), rows)
        except ModelError:
            found[lr] = math.inf
    return found


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ([], 0),
        ([0.3], 0),
        ([0.0, -0.001, 0.04, 0.04, 0.06, 0.0], 3),  # flat, then worse: what comes later is another matter
        ([0.0, -0.2, -0.6, -0.5, -0.7, -0.68, -0.3], 5),  # what is worse before the least does not matter
        ([0.0, -0.1, -0.2], 2),  # it only ever got better
        ([0.0, 1.0], 0),
    ],
)
def test_the_last_harmless_rate_is_the_one_before_the_loss_rises_again(changes, last):
    assert last_harmless(changes) == last


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", GRIDS)
@pytest.mark.parametrize("rows", [OLD, NEW], ids=["the rows it knows", "new rows"])
def test_a_net_with_little_left_to_learn_is_given_a_rate_that_learns(converged, rows, optimizer):
    recipe = ON.replace(optimizer=optimizer).bind(train=rows, select=HELD)
    found = grid(converged, recipe, HELD)
    for seed in range(4):
        assert chosen(converged, recipe, seed) >= min(found, key=found.get) / 100  # at a thousandth nothing is learned
    made = converged.fit(recipe)
    assert "by a range test" in made.notes[0]
    assert loss(made, HELD) < min(loss(converged, HELD), found[min(found)])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_so_is_one_that_keeps_its_old_outputs(converged, optimizer):
    memory = Memory(OLD, key=np.linspace(0, 1, len(OLD)))
    recipe = chain(DERpp(1000), Incremental(optimizer, batch_size=64)).prepare(Recipe(), memory)
    recipe = recipe.bind(train=NEW, select=HELD, memory=memory)
    found = grid(converged, recipe, HELD)
    assert min(chosen(converged, recipe, seed) for seed in range(4)) > min(found, key=found.get) / 30
    assert loss(converged.fit(recipe), HELD) < np.median(list(found.values()))


@pytest.mark.parametrize("optimizer", GRIDS)
def test_a_net_from_scratch_learns_about_as_well_as_at_the_best_rate(optimizer):
    recipe = (
        Recipe().replace(start="scratch", batch_size=64, optimizer=optimizer, epochs=40).bind(train=OLD, select=HELD)
    )
    found = grid(layers(), recipe, HELD)
    assert min(found.values()) < 0.2
    assert loss(layers().fit(recipe), HELD) < min(found.values()) + 0.08


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_values_of_a_large_unit_are_learned(optimizer):
    train, held = (rows.replace(y=100.0 * rows.y) for rows in (values(800, 1), values(400, 2)))
    recipe = (
        Recipe().replace(start="scratch", batch_size=64, optimizer=optimizer, epochs=40).bind(train=train, select=held)
    )
    found = grid(curve(), recipe, held)
    assert chosen(curve(), recipe) > min(found, key=found.get) / 30
    assert loss(curve().fit(recipe), held) < 0.4 * np.var(held.y)


@pytest.mark.parametrize("optimizer", GRIDS)
def test_a_net_that_knows_every_row_is_not_slowed_to_nothing(optimizer):
    sure = layers().fit(ON.replace(lr=0.01, epochs=200).bind(train=OLD))
    assert loss(sure, OLD) < 1e-3
    assert chosen(sure, ON.replace(optimizer=optimizer).bind(train=OLD)) > 1e-4


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_inputs_in_the_ten_thousands_take_a_rate_below_the_usual_ones(optimizer):
    train, held = digits(6e4, slice(1100)), digits(6e4, slice(1100, 1500))
    recipe = Recipe().replace(start="scratch", batch_size=64, optimizer=optimizer, epochs=20).bind(train=train)
    assert chosen(linear(), recipe) < 1e-5
    assert np.mean(linear().fit(recipe).predict(held.x).label == held.y) > 0.7


def test_the_run_ends_where_a_step_breaks_the_net(converged):
    recipe = ON.replace(optimizer="sgd").bind(train=NEW)
    task = training_task(converged, prepare_net(converged.net, converged.spec, recipe), recipe)
    assert len(list(loss_changes(task, 64, [1e-3] * 30))) == 30
    assert (
        len(list(loss_changes(task, 64, [1e-3] * 10 + [1e3] + [1e-3] * 19))) == 11
    )  # the step after it is the first to show


@pytest.mark.parametrize("beside", [False, True])
def test_what_chance_does_to_a_loss_is_no_change(beside):
    torch.manual_seed(0)
    champion, rows = wrap(nets.MLP(dropout=0.5)), nets.table()
    recipe = ON.replace(
        optimizer="sgd", replay=ReplayRows(50, per_batch=beside), stored_logits=StoredLogits(0.5 * beside)
    )
    recipe = recipe.bind(train=rows, memory=Memory(nets.table(seed=1), key=np.linspace(0, 1, nets.ROWS)))
    task = training_task(champion, prepare_net(champion.net, champion.spec, recipe), recipe)
    before = {name: value.clone() for name, value in task.net.native.state_dict().items()}
    assert np.abs(list(loss_changes(task, 32, [1e-9] * 20))).max() < 1e-5
    assert np.abs(list(loss_changes(task, 32, [1e-1] * 20))).max() > 1e-2
    assert all(torch.equal(before[name], value) for name, value in task.net.native.state_dict().items())


def test_batch_statistics_stay_as_they_are():
    champion, rows = wrap(nets.CNN()), nets.images()
    recipe = ON.replace(optimizer="adam").bind(train=rows)
    task = training_task(champion, prepare_net(champion.net, champion.spec, recipe), recipe)
    before = {name: value.clone() for name, value in task.net.native.state_dict().items()}
    range_test(task, 32)
    assert all(torch.equal(before[name], value) for name, value in task.net.native.state_dict().items())
