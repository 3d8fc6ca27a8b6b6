"""Analytic heads on nets: the features stay, the last layer is solved, and nothing learned before is lost."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inputs import groups  # noqa: E402

from incumbent import chain  # noqa: E402  (torch first: without it there is nothing to test)
from incumbent.core import Batch, Memory, Recipe  # noqa: E402
from incumbent.data import remember  # noqa: E402
from incumbent.errors import UsageError  # noqa: E402
from incumbent.models import absorb, follow, forget, load, save, wrap  # noqa: E402
from incumbent.models._neighbours import mixed  # noqa: E402
from incumbent.strategies import Analytic, Incremental, Replay  # noqa: E402
from incumbent.testing import check_model  # noqa: E402


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
    recipe = (strategy or Analytic(40, ridge=1.0)).prepare(Recipe(), memory).settle(model.abilities)
    return follow(model, recipe.bind(train=batch, select=rows(60, 9), memory=memory, seed=0, **more))


def test_the_body_stays_and_the_head_is_ridge_on_its_features():
    from sklearn.linear_model import Ridge

    model, batch = wrap(net(), classes=[0, 1, 2]), rows(300)
    made = learned(model, batch, strategy=Analytic(0, ridge=1.0))
    features = model.features(batch.x)
    assert np.array_equal(made.features(batch.x), features)
    joint = Ridge(alpha=1.0).fit(features.astype(float), np.eye(3)[batch.y])
    scores = made.logits(batch.x) / made.head.temperature
    np.testing.assert_allclose(scores, joint.predict(features.astype(float)), atol=1e-4)


QUADRATIC = Analytic(40, ridge=1.0, projection="quadratic")


@pytest.mark.parametrize("strategy", [Analytic(40, ridge=1.0), QUADRATIC], ids=["random", "quadratic"])
def test_the_net_lifts_its_features_to_the_last_bit_as_the_statistics_do(strategy):
    from incumbent.models._torch_analytic import analytic_layer

    made, batch = learned(wrap(net(), classes=[0, 1, 2]), rows(300), strategy=strategy), rows(50, 3)
    features, layer = made.features(batch.x), analytic_layer(made.native)[1].lift
    expected = made.head.lift.transform(features)
    assert np.array_equal(layer(torch.from_numpy(features)).numpy(), expected)
    asked = torch.from_numpy(features).requires_grad_()
    assert np.array_equal(layer(asked).detach().numpy(), expected)
    layer(asked).sum().backward()
    assert asked.grad.abs().sum() > 0  # the layers before can still be trained


@pytest.mark.parametrize("strategy", [Analytic(40, ridge=1.0), QUADRATIC], ids=["random", "quadratic"])
def test_a_net_with_its_projection_comes_back_from_its_files(strategy, tmp_path):
    made, batch = learned(wrap(net(), classes=[0, 1, 2]), rows(300), strategy=strategy), rows(50, 3)
    save(made, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(batch.x).proba, made.predict(batch.x).proba)
    assert again.head.token == made.head.token and again.head.lift.kind == made.head.lift.kind
    memory = absorb(remember(Memory(), rows(300), seed=0), made, rows(300))
    assert learned(again, batch, memory).head.solution is not None
    left, _ = forget(again, memory, rows(300).take(np.arange(40)))
    never = learned(again, rows(300).take(np.arange(40, 300)), Memory(), strategy)
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
    memory = absorb(remember(Memory(), first, seed=0), once, first)
    other = Batch(rows(200, 4).x + 5, np.full(200, 7))
    twice = learned(once, other, memory.but(rows=None, key=None))
    assert twice.classes.tolist() == [0, 1, 2, 7]
    assert np.mean(twice.predict(first.x).label == first.y) > 0.9
    assert np.mean(twice.predict(other.x).label == 7) > 0.9


def test_two_updates_equal_one_on_all_rows():
    model, first, second = wrap(net(), classes=[0, 1, 2]), rows(300), rows(200, 5)
    once = learned(model, first)
    twice = learned(once, second, absorb(remember(Memory(), first, seed=0), once, first))
    lift = once.head.lift
    x = np.vstack([lift.transform(model.features(b.x)) for b in (first, second)]).astype(float)
    from sklearn.linear_model import Ridge

    joint = Ridge(alpha=1.0).fit(x, np.eye(3)[np.concatenate([first.y, second.y])])
    np.testing.assert_allclose(twice.head.coef, joint.coef_, rtol=1e-8, atol=1e-10)


def test_rows_are_forgotten_as_if_never_learned():
    model, batch = wrap(net(), classes=[0, 1, 2]), rows(300)
    made = learned(model, batch)
    memory = absorb(remember(Memory(), batch, seed=0), made, batch)
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
    memory = absorb(remember(Memory(), batch, seed=0), made, batch)
    before, after = (learned(each, rows(100, 6), memory) for each in (made, again))
    np.testing.assert_allclose(after.head.coef, before.head.coef, rtol=1e-9, atol=1e-12)


def test_gradient_steps_after_it_end_what_its_statistics_are_good_for():
    made = learned(wrap(net(), classes=[0, 1, 2]), rows(300))
    moved = learned(made, rows(100, 6), strategy=Incremental("adam", epochs=2))
    assert made.head is not None and moved.head is None
    assert not np.array_equal(moved.features(rows(9).x), made.features(rows(9).x))  # gradients reach the body
    assert absorb(remember(Memory(), rows(300), seed=0), moved, rows(100, 6)).statistics == {}


# ---------------------------------------------------------------------------------------------------- neighbours


def near(n, seed=0):
    """Rows of three classes that lie in small groups amid each other."""
    x, of = groups(n, seed)
    return Batch(x.astype(np.float32), of % 3)


def voting(model=None, batch=None, memory=None, **asked):
    memory = Memory() if memory is None else memory
    strategy = Analytic(**asked) if asked else Analytic(40, ridge=1.0, neighbours=2000, reads="input")
    model = wrap(net(), classes=[0, 1, 2]) if model is None else model
    train = near(1500) if batch is None else batch
    return follow(model, strategy.prepare(Recipe(), memory).bind(train=train, select=near(300, 9), memory=memory))


def test_the_net_mixes_the_votes_in_as_the_equation_says_and_stays_differentiable():
    made, x = voting(), near(600, 3).x
    head = made.head
    assert len(head.votes.of) == 1500
    read = head.lift.transform(x)
    scores = head.temperature * (read @ head.coef.T + head.intercept)
    alone = np.exp(scores - scores.max(axis=1, keepdims=True))
    alone /= alone.sum(axis=1, keepdims=True)
    said = made.predict(x)
    np.testing.assert_allclose(said.proba, mixed(alone, head.votes.shares(read, 3)), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(made.answer(made.read(x)).proba, said.proba, rtol=1e-5)
    assert made.in_two_steps(x[:2])
    asked = torch.from_numpy(x).requires_grad_()
    made.native(asked).sum().backward()
    assert torch.isfinite(asked.grad).all()


def test_a_net_with_votes_comes_back_from_its_files_and_learns_and_forgets_on(tmp_path):
    made, batch = voting(), near(1500)
    save(made, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.predict(near(50, 3).x).proba, made.predict(near(50, 3).x).proba)
    assert np.array_equal(again.head.votes.codes, made.head.votes.codes)
    memory = absorb(remember(Memory(), batch, seed=0), made, batch)
    left, after = forget(again, memory, batch.take(np.arange(100)))
    assert len(left.head.votes.of) == 1400 and len(after.statistics["neighbours_codes"]) == 1400
    more = voting(left, near(100, 4), after, width=40, ridge=1.0)
    assert len(more.head.votes.of) == 1500


def test_votes_follow_the_net_to_other_numbers_and_to_other_rows():
    made, x = voting(), torch.from_numpy(near(50, 3).x)
    before = made.native(x)
    np.testing.assert_allclose(copy.deepcopy(made.native).double()(x.double()).detach(), before.detach(), atol=1e-3)
    other = voting(batch=near(1500, 5))
    changed = copy.deepcopy(made.native)
    changed.load_state_dict(other.native.state_dict())
    assert torch.equal(changed(x), other.native(x)) and not torch.equal(changed(x), before)


def test_gradient_steps_take_the_votes_away_and_mixing_weights_of_the_head_does_not():
    made = voting()
    moved = learned(made, near(100, 6), strategy=Incremental("adam", epochs=1))
    assert not any(name.startswith("votes") for name, _ in moved.native.named_buffers())
    same, x = made.with_weights(made.weights()), near(50, 3).x
    assert not any("votes" in name for name in made.weights())
    assert np.array_equal(same.predict(x).proba, made.predict(x).proba)
    lift = {name: value + 0.1 for name, value in made.weights().items() if name.endswith("mean")}
    assert not any(name.startswith("votes") for name, _ in made.with_weights(lift).native.named_buffers())


def test_a_net_with_votes_keeps_every_promise_of_models():
    check_model(voting(), near(300, 5), strategies=[Analytic(), Incremental("adam", epochs=1)])


def test_replay_beside_it_is_refused_since_its_rows_would_count_twice():
    with pytest.raises(UsageError, match="count twice"):
        learned(wrap(net(), classes=[0, 1, 2]), rows(50), strategy=chain(Replay(10), Analytic(20)))
