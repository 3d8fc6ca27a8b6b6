"""A framework of the tests gets every strategy for nets through the engine, and keeps every promise of a model."""

import numpy as np
import pytest
from numpy_net import MLP, NumpyModel, NumpyNet

from incumbent.core import Batch, Memory, Recipe
from incumbent.engine import TrainingRows
from incumbent.memory import update_memory
from incumbent.models import fit_challenger
from incumbent.strategies import DER, Incremental, Vote, catalogue, chain
from incumbent.testing import check_model

SHORT = Incremental(lr=0.01, epochs=2)
NOT_THERE = ("Tune", "Continue", "AddTrees", "LoRA", "ReplaceArchitecture")  # trees, low-rank updates and factories


def table(rows=240, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    score = x[:, 0] + 0.5 * x[:, 1]
    return Batch(x, np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])))


def model(rows, outputs=3, **more):
    return NumpyModel.from_net(NumpyNet(MLP(4, 16, outputs, **more))).infer_outputs(rows.y)


def short(strategy):
    made = strategy.prepare(Recipe(), Memory())
    if made.structure.start == "scratch" or made.optimizer != Recipe().optimizer:
        return strategy
    return chain(strategy, SHORT)


@pytest.mark.parametrize("name", [name for name in catalogue() if name not in NOT_THERE])
def test_it_follows_every_strategy_and_keeps_every_promise(name):
    rows, strategy = table(), catalogue()[name]()
    check_model(model(rows, dropout=0.1), rows, strategies=[strategy if name == "Analytic" else short(strategy)])


def test_an_ensemble_stores_the_logits_of_its_newest_member():
    rows, strategy = table(), chain(DER(50), SHORT, Vote())
    memory = update_memory(Memory(), rows, seed=0)
    recipe = TrainingRows(rows, rows, memory).bind(strategy.prepare(Recipe(), memory))
    made = fit_challenger(model(rows), recipe)
    kept = strategy.remember(memory, made, rows)
    assert np.array_equal(kept.rows.soft, made.native.members[-1].logits(memory.rows.x))
