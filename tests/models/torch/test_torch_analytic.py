"""Analytic heads on nets: the features stay, the last layer is solved, and nothing learned before is lost."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from incumbent import chain  # noqa: E402  (torch first: without it there is nothing to test)
from incumbent.core import Batch, Memory, Recipe  # noqa: E402
from incumbent.errors import UsageError  # noqa: E402
from incumbent.memory import update_memory  # noqa: E402
from incumbent.models import fit_challenger, forget, load, save, update_statistics, wrap  # noqa: E402
from incumbent.strategies import Analytic, Incremental, Replay  # noqa: E402


def net(outputs=3):
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU())
    return torch.nn.Sequential(body, torch.nn.Linear(16, outputs)).eval()


def rows(n, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    x = rng.normal(size=(n, 6)).astype(np.float32) + np.eye(6, dtype=np.float32)[y] * 3
    return Batch(x, y)


def learned(model, batch, memory=None, strategy=None, **more):
    memory = Memory() if memory is None else memory
    recipe = (strategy or Analytic(40, ridge=1.0)).prepare(Recipe(), memory).resolve_start(model.abilities)
    return fit_challenger(model, recipe.bind(train=batch, select=rows(60, 9), memory=memory, seed=0, **more))


def test_the_body_stays_and_the_head_is_ridge_on_its_features():
    from sklearn.linear_model import Ridge

    model, batch = wrap(net(), classes=[0, 1, 2]), rows(300)
    made = learned(model, batch, strategy=Analytic(0, ridge=1.0))
    features = model.features(batch.x)
    assert np.array_equal(made.features(batch.x), features)
    joint = Ridge(alpha=1.0).fit(features.astype(float), np.eye(3)[batch.y])
    scores = made.logits(batch.x) / made.head.temperature
    np.testing.assert_allclose(scores, joint.predict(features.astype(float)), atol=1e-4)


def test_the_net_lifts_its_features_to_the_last_bit_as_the_statistics_do():
    from incumbent.models.torch import exact_layer

    made, batch = learned(wrap(net(), classes=[0, 1, 2]), rows(300)), rows(50, 3)
    features, layer = made.features(batch.x), exact_layer(made.native)[1].lift
    expected = made.head.lift.transform(features)
    assert np.array_equal(layer(torch.from_numpy(features)).numpy(), expected)
    asked = torch.from_numpy(features).requires_grad_()
    assert np.array_equal(layer(asked).detach().numpy(), expected)
    layer(asked).sum().backward()
    assert asked.grad.abs().sum() > 0  # the layers before can still be trained


def test_a_net_with_its_projection_comes_back_from_its_files(tmp_path):
    made, batch = learned(wrap(net(), classes=[0, 1, 2]), rows(300)), rows(50, 3)
    save(made, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(batch.x).proba, made.predict(batch.x).proba)
    assert again.head.token == made.head.token
    memory = update_statistics(update_memory(Memory(), rows(300), seed=0), made, rows(300))
    assert learned(again, batch, memory).head.solution is not None
    left, _ = forget(again, memory, rows(300).take(np.arange(40)))
    never = learned(again, rows(300).take(np.arange(40, 300)), Memory())
    assert left.head.coef.shape == never.head.coef.shape


def test_the_net_lifts_its_features_as_the_statistics_do():
    made, batch = learned(wrap(net(), classes=[0, 1, 2]), rows(300)), rows(50, 3)
    lift = made.head.lift
    expected = lift.transform(made.features(batch.x)) @ made.head.coef.T + made.head.intercept
    np.testing.assert_allclose(made.logits(batch.x) / made.head.temperature, expected, atol=1e-3)
    assert made.predict(batch.x).proba.sum(axis=1) == pytest.approx(1.0)


def test_new_classes_become_outputs_and_old_rows_are_not_needed():
    model, first = wrap(net(), classes=[0, 1, 2]), rows(300)
    once = learned(model, first)
    memory = update_statistics(update_memory(Memory(), first, seed=0), once, first)
    other = Batch(rows(200, 4).x + 5, np.full(200, 7))
    twice = learned(once, other, memory.replace(rows=None, key=None))
    assert twice.classes.tolist() == [0, 1, 2, 7]
    assert np.mean(twice.predict(first.x).label == first.y) > 0.9
    assert np.mean(twice.predict(other.x).label == 7) > 0.9


def test_two_updates_equal_one_on_all_rows():
    model, first, second = wrap(net(), classes=[0, 1, 2]), rows(300), rows(200, 5)
    once = learned(model, first)
    twice = learned(once, second, update_statistics(update_memory(Memory(), first, seed=0), once, first))
    lift = once.head.lift
    x = np.vstack([lift.transform(model.features(b.x)) for b in (first, second)]).astype(float)
    from sklearn.linear_model import Ridge

    joint = Ridge(alpha=1.0).fit(x, np.eye(3)[np.concatenate([first.y, second.y])])
    np.testing.assert_allclose(twice.head.coef, joint.coef_, rtol=1e-8, atol=1e-10)


def test_rows_are_forgotten_as_if_never_learned():
    model, batch = wrap(net(), classes=[0, 1, 2]), rows(300)
    made = learned(model, batch)
    memory = update_statistics(update_memory(Memory(), batch, seed=0), made, batch)
    gone, kept = batch.take(np.arange(40)), batch.take(np.arange(40, 300))
    left, after = forget(made, memory, gone)
    lift = made.head.lift
    from sklearn.linear_model import Ridge

    never = Ridge(alpha=1.0).fit(lift.transform(model.features(kept.x)).astype(float), np.eye(3)[kept.y])
    np.testing.assert_allclose(left.head.coef, never.coef_, rtol=1e-8, atol=1e-10)
    assert len(after) == 260


def test_a_solved_head_is_stored_and_learned_on(tmp_path):
    model, batch = wrap(net(), classes=[0, 1, 2]), rows(300)
    made = learned(model, batch)
    save(made, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(batch.x).proba, made.predict(batch.x).proba)
    assert again.head.token == made.head.token
    memory = update_statistics(update_memory(Memory(), batch, seed=0), made, batch)
    before, after = (learned(each, rows(100, 6), memory) for each in (made, again))
    np.testing.assert_allclose(after.head.coef, before.head.coef, rtol=1e-9, atol=1e-12)


def test_gradient_steps_after_it_end_what_its_statistics_are_good_for():
    made = learned(wrap(net(), classes=[0, 1, 2]), rows(300))
    moved = learned(made, rows(100, 6), strategy=Incremental("adam", epochs=2))
    assert made.head is not None and moved.head is None
    assert not np.array_equal(moved.features(rows(9).x), made.features(rows(9).x))  # gradients reach the body
    assert update_statistics(update_memory(Memory(), rows(300), seed=0), moved, rows(100, 6)).statistics == {}


def test_replay_beside_it_is_refused_since_its_rows_would_count_twice():
    with pytest.raises(UsageError, match="count twice"):
        learned(wrap(net(), classes=[0, 1, 2]), rows(50), strategy=chain(Replay(10), Analytic(20)))
