"""What is tried on a net by itself, and what that spares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

torch = pytest.importorskip("torch")

from incumbent.core import Batch, Challenger, Memory, Recipe  # noqa: E402  (torch first: without it there is nothing to test)
from incumbent.errors import AbilityError, ModelError, UsageError  # noqa: E402
from incumbent.memory import scale_weights, update_memory  # noqa: E402
from incumbent.models import fit_challenger, load, save, wrap  # noqa: E402
from incumbent.policy import default_strategies, made_redundant_by, recipe_for  # noqa: E402
from incumbent.strategies import Analytic, DERpp, Incremental, Interpolate, LwF, chain  # noqa: E402


def net():
    torch.manual_seed(0)
    return wrap(torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)), classes=[0, 1, 2])


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return Batch(rng.normal(size=(n, 6)).astype(np.float32) + np.eye(6, dtype=np.float32)[y] * 3, y)


def learned(model, batch, strategy, memory=None):
    memory = Memory() if memory is None else memory
    recipe = recipe_for(strategy, model, memory)
    train = scale_weights(batch, recipe.data.new_row_weight)
    return fit_challenger(model, recipe.bind(train=train, select=rows(60, 9), memory=memory))


DARK = chain(DERpp(1000), Incremental())


@pytest.mark.parametrize(
    ("new", "unseen", "expected"),
    [
        (400, 0, [Analytic(1000), DARK]),
        (20, 0, [Analytic(1000, weight=8.0), DARK]),
        (1, 0, [Analytic(1000, weight=64.0), DARK]),
        (400, 1, [Analytic(1000), Analytic(reads="input"), DARK]),
        (20, 1, [Analytic(1000), Analytic(reads="input"), DARK]),
    ],
)
def test_auto_solves_the_head_of_a_net_before_it_takes_gradient_steps(new, unseen, expected):
    assert default_strategies(net(), update_memory(Memory(), rows(320), seed=0), rows=new, unseen=unseen) == expected


@pytest.mark.parametrize(("reads", "width"), [(16, 1000), (1000, 1500), (3000, 2000)])
def test_what_a_wide_layer_reads_has_more_features(reads, width):
    wide = torch.nn.Sequential(torch.nn.Linear(6, reads), torch.nn.ReLU(), torch.nn.Linear(reads, 3))
    tried = default_strategies(wrap(wide, classes=[0, 1, 2]), update_memory(Memory(), rows(320), seed=0), rows=400)
    assert tried == [Analytic(width), DARK]


@pytest.mark.parametrize(
    ("gains", "spares"),
    [
        ({"new": 0.1, "old": 0.0}, True),
        ({"new": 0.1, "old": -0.001}, False),
        ({"new": 0.0, "old": 0.1}, False),
        ({"new": 0.1}, False),  # nobody knows what it does to the old rows
    ],
)
def test_gradient_steps_are_made_redundant_by_an_exact_head_that_loses_nothing(gains, spares):
    model, memory = net(), update_memory(Memory(), rows(320), seed=0)
    steps, head = recipe_for(DARK, model, memory), recipe_for(Analytic(1000), model, memory)
    tried = [Challenger("Analytic(1000)", head, model, gains=gains)]
    assert (made_redundant_by(steps, tried) is tried[0]) == spares
    assert made_redundant_by(head, tried) is None  # another head costs next to nothing
    assert made_redundant_by(steps, [replace(tried[0], recipe=steps)]) is None
    assert made_redundant_by(steps, [replace(tried[0], model=None)]) is None
    pipeline = wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    assert made_redundant_by(steps, [replace(tried[0], model=pipeline)]) is None  # the others are cheap there, too


def test_without_old_rows_auto_lets_the_champion_teach():
    assert default_strategies(net(), Memory(), rows=100) == [
        chain(LwF(1.0), Incremental()),
        chain(Incremental(), Interpolate("auto")),
    ]


def test_a_head_that_was_solved_is_only_solved_on():
    model, first = net(), rows(320)
    made = learned(model, first, Analytic(50))
    memory = Analytic(50).remember(update_memory(Memory(), first, seed=0), made, first)
    assert default_strategies(made, memory, rows=320) == [Analytic()]
    assert default_strategies(made, memory, rows=20) == [Analytic(weight=8.0), Analytic()]


def test_new_rows_that_weigh_four_times_are_as_if_learned_four_times():
    model, first, new = net(), rows(300), rows(40, 5)
    once = learned(model, first, Analytic(50, ridge=1.0))
    memory = Analytic(50).remember(Memory(), once, first)
    heavy = learned(once, new, Analytic(ridge=1.0, weight=4.0), memory)
    many = learned(once, Batch.join([new] * 4), Analytic(ridge=1.0), memory)
    np.testing.assert_allclose(heavy.head.coef, many.head.coef, rtol=1e-9, atol=1e-12)
    carried = Analytic(weight=4.0).remember(memory, heavy, new)
    assert float(carried.statistics["rows"]) == 300 + 4 * 40


def test_a_head_on_the_rows_themselves_takes_the_place_of_the_whole_net(tmp_path):
    from sklearn.linear_model import Ridge

    batch = rows(300)
    made = learned(net(), batch, Analytic(0, ridge=1.0, reads="input"))
    joint = Ridge(alpha=1.0).fit(batch.x.astype(float), np.eye(3)[batch.y])
    np.testing.assert_allclose(made.head.coef, joint.coef_, rtol=1e-5, atol=1e-7)
    assert np.array_equal(made.features(batch.x), batch.x)
    save(made, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(batch.x).proba, made.predict(batch.x).proba)
    assert learned(again, batch, Analytic(reads="input")).features(batch.x).shape == batch.x.shape


def test_the_layer_behind_the_features_is_not_run_for_them():
    model, ran = net(), []
    hook = model.native[2].register_forward_hook(lambda *_: ran.append(1))
    model.features(rows(10).x)  # the first call looks for the layer by running a few rows
    ran.clear()
    learned_rows = model.net.rows(rows(10).x)
    from incumbent.models.torch import features_of

    read = features_of(model.native, model.native[2], learned_rows.at(torch.arange(10)), learned_rows.call).numpy()
    hook.remove()
    assert read.shape == (10, 16) and not ran


def test_what_a_head_cannot_read_is_said():
    from sklearn.linear_model import LogisticRegression

    batch = rows(60)
    with pytest.raises(AbilityError, match="layers"):
        recipe_for(Analytic(reads="input"), wrap(LogisticRegression().fit(batch.x, batch.y)), Memory())
    with pytest.raises(UsageError, match="reads"):
        Analytic(reads="middle")
    with pytest.raises(UsageError, match="weight"):
        Analytic(weight=0.0)

    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(6, 3)

        def forward(self, a, b):
            return self.head(a + b)

    pair = Batch({"a": batch.x, "b": batch.x}, batch.y)
    recipe = Analytic(0, reads="input").prepare(Recipe(), Memory())
    with pytest.raises(ModelError, match="several inputs"):
        fit_challenger(wrap(Two(), classes=[0, 1, 2]), recipe.bind(train=pair))
