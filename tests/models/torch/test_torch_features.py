"""Nets are asked in two steps where nothing follows their last layer, and pass each new row once in an update."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from incumbent.core import Batch, Memory, Recipe
from incumbent.data import Schema, read
from incumbent.gate import Gate
from incumbent.memory import update_memory
from incumbent.models import add_rows, fit_challenger, predict, predict_and_cache, wrap
from incumbent.strategies import Analytic, Freeze, Incremental, chain
from incumbent.updating import LiveModel, prepare_update, run

RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 6)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)


class Net(nn.Module):
    """Layers that count the rows that pass them, and a last one."""

    def __init__(self, tail: str = "") -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2))
        self.last = nn.Linear(32, 2)
        self.tail = tail

    def forward(self, x):
        out = self.last(self.body(x))
        return out.log_softmax(dim=1) / 2 if self.tail else out


def net(tail: str = "", seed: int = 0) -> Net:
    torch.manual_seed(seed)
    made = Net(tail)
    made(torch.from_numpy(X))  # so that the statistics of the BatchNorm are of these rows
    return made.eval()


def batch(at) -> Batch:
    return Batch(X[at], Y[at])


def solved(model, width=64):
    recipe = Analytic(width).prepare(Recipe(), Memory())
    return fit_challenger(model, recipe.bind(train=batch(slice(0, 300)), select=batch(slice(800, 900))))


@pytest.mark.parametrize("width", [0, 64])
def test_kept_features_say_what_the_rows_say(width):
    model = wrap(net(), classes=[0, 1])
    rows, said = predict_and_cache(model, batch(slice(0, 500)))
    assert rows.features is not None
    np.testing.assert_allclose(said.proba, model.predict(rows.x).proba, rtol=1e-6)
    made, some = solved(model, width), rows.take(np.arange(0, 500, 7))
    np.testing.assert_allclose(predict(made, some).proba, made.predict(some.x).proba, rtol=1e-5)
    again, said = predict_and_cache(made, batch(slice(0, 500)))
    assert again.features.made.dtype == (np.uint8 if width else np.float32)
    np.testing.assert_allclose(said.proba, made.predict(again.x).proba, rtol=1e-5)
    more = add_rows(made, again.take(np.arange(300, 400)))
    np.testing.assert_allclose(predict(more, again).proba, more.predict(again.x).proba, rtol=1e-5)


def test_a_net_that_goes_on_after_its_last_layer_is_asked_as_a_whole():
    model = wrap(net("softmax"), classes=[0, 1])
    assert not model.can_split(X[:2])
    rows, said = predict_and_cache(model, batch(slice(0, 100)))
    assert rows.features is None
    np.testing.assert_array_equal(said.proba, model.predict(rows.x).proba)


def test_a_net_whose_layers_were_trained_does_not_take_the_features_of_the_others():
    model = wrap(net(), classes=[0, 1])
    rows, _ = predict_and_cache(model, batch(slice(0, 300)))
    recipe = chain(Freeze("body"), Incremental(epochs=1)).prepare(Recipe(), Memory()).resolve_start(model.abilities)
    made = fit_challenger(model, recipe.bind(train=rows, select=batch(slice(800, 900)), seed=0))
    np.testing.assert_array_equal(predict(made, rows).proba, made.predict(rows.x).proba)


@pytest.mark.parametrize("first", [False, True])
def test_a_new_row_passes_the_frozen_layers_once_in_an_update(first):
    native = net()
    model = wrap(native, classes=[0, 1])
    memory = update_memory(Memory(), batch(slice(0, 300)), seed=0)
    if not first:
        model = solved(model)
        memory = Analytic(64).remember(memory, model, batch(slice(0, 300)))
    seen: list[int] = []
    for name, part in model.native.named_modules():
        if name == "body":
            part.register_forward_hook(lambda _, given, out: seen.append(len(out)))
    told = Schema.of(read((X, Y), tensors=True), target="target", task="classification")
    checked, check = told.check(read((X[300:800], Y[300:800]), tensors=True))
    gate = Gate(tolerance=None)
    live = LiveModel(model, told, memory, gate=gate)
    outcome = run(prepare_update(live, checked, check, strategies="Analytic(64)", budget=60.0))
    assert sum(seen) <= 500 + 300 * first + 16  # what is remembered, once; a few rows are tried to see how the net ends
    assert outcome.chosen is not None and not outcome.chosen.error
