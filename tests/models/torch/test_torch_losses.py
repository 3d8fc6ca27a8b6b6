"""Losses and importances of nets, against what is computed by hand, by brute force and by autograd."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent.core import (  # noqa: E402
    Batch,
    Distill,
    FreshHead,
    Loss,
    Memory,
    Pull,
    Recipe,
    ReplayRows,
    StoredLogits,
    TaskObjective,
)
from incumbent.errors import UsageError  # noqa: E402
from incumbent.models import wrap  # noqa: E402
from incumbent.models.nets import (  # noqa: E402
    OutputSpec,
    Steps,
    TaskLoss,
    class_weights,
    known_outputs,
    prepare_net,
    soft_loss,
    soft_targets,
    stored_loss,
    stored_weight,
    training_task,
)
from incumbent.models.torch import TorchOps  # noqa: E402

SOFTMAX = OutputSpec("softmax", np.arange(3))
BINARY = OutputSpec("binary", np.arange(2))
VALUES = OutputSpec("values")
LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
OPS = TorchOps(torch.device("cpu"))


def soft(new, old, spec, temperature):
    target, entropy = map(torch.from_numpy, soft_targets(old.detach().numpy(), spec, temperature))
    return soft_loss(new, target, entropy, spec, OPS, temperature)


def stored(new, old):
    return stored_loss(new, *map(torch.from_numpy, known_outputs(old.numpy())), OPS)


# ------------------------------------------------------------------------------------------------- losses


def test_soft_loss_is_the_divergence_times_the_square_of_the_temperature():
    old = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 1.0]])
    t = 2.0

    def share(row):
        e = np.exp(np.asarray(row) / t)
        return e / e.sum()

    by_hand = 0.0
    for a, b in zip(old.numpy(), LOGITS.numpy(), strict=True):
        p, q = share(a), share(b)
        by_hand += t * t * (p * np.log(p / q)).sum() / 2
    assert soft(LOGITS, old, SOFTMAX, t).item() == pytest.approx(by_hand, rel=1e-5)
    assert soft(LOGITS, LOGITS, SOFTMAX, t).item() == pytest.approx(0, abs=1e-6)


def test_soft_loss_looks_at_the_outputs_that_the_older_model_had():
    old = LOGITS[:, :2]
    assert soft(LOGITS, old, SOFTMAX, 2.0).item() == pytest.approx(0, abs=1e-6)
    free = LOGITS.clone().requires_grad_()
    soft(free, old + 1.0 * torch.tensor([1.0, -1.0]), SOFTMAX, 2.0).backward()
    assert free.grad[:, 2].abs().max() == 0
    assert free.grad[:, :2].abs().min() > 0


def test_soft_loss_of_one_output_is_that_of_its_two_classes():
    new, old, t = torch.tensor([[0.3], [-2.0]]), torch.tensor([[1.0], [0.5]]), 3.0
    as_two = torch.cat([-new, new], 1) / 2, torch.cat([-old, old], 1) / 2
    expected = soft(*as_two, SOFTMAX, t).item()
    assert soft(new, old, BINARY, t).item() == pytest.approx(expected, rel=1e-5)


def test_distance_to_old_outputs_leaves_out_what_nobody_knows():
    old = torch.tensor([[1.0, 0.0, float("nan")], [0.0, float("nan"), float("nan")]])
    assert stored(LOGITS, old).item() == pytest.approx((0 + 4 + 0) / 3)
    free = LOGITS.clone().requires_grad_()
    stored(free, old).backward()
    assert torch.isfinite(free.grad).all()
    assert free.grad[:, 2].abs().max() == 0


def test_old_outputs_count_less_only_where_they_are_large_log_odds():
    old = np.array([[30.0, -40.0, np.nan], [np.nan, np.nan, 0.0]])
    by_hand = 10**2 / ((30**2 + 40**2 + 0) / 3)
    for spec in (SOFTMAX, BINARY, OutputSpec("multilabel", np.arange(3))):
        assert stored_weight(old, spec) == pytest.approx(by_hand)
        assert stored_weight(old / 4, spec) == 1.0  # 7.2 on average: as published
        assert stored_weight(np.zeros_like(old), spec) == 1.0
    assert stored_weight(old, VALUES) == 1.0
    assert stored_weight(np.full((2, 3), np.nan), SOFTMAX) == 1.0


@pytest.mark.parametrize(
    ("speech", "loss", "target"),
    [
        (SOFTMAX, Loss(), torch.tensor([0, 1])),
        (SOFTMAX, Loss(objective=TaskObjective(smoothing=0.2)), torch.tensor([0, 1])),
        (
            OutputSpec("multilabel", np.arange(3)),
            Loss(objective=TaskObjective(smoothing=0.1)),
            torch.tensor([[0.0, 1, 1], [1, 0, 0]]),
        ),
        (VALUES, Loss(objective=TaskObjective(loss="huber")), torch.tensor([[0.0, 1, 1], [5, 0, 0]])),
        (VALUES, Loss(), torch.tensor([[0.0, 1, 1], [5, 0, 0]])),
        (SOFTMAX, Loss(objective=TaskObjective(loss="nets:huber_by_hand")), torch.tensor([[0.0, 1, 1], [5, 0, 0]])),
    ],
)
def test_the_mean_loss_is_that_of_the_rows(speech, loss, target):
    objective = TaskLoss.from_recipe(loss, speech, OPS)
    mean = objective.mean(LOGITS, target)
    assert mean.item() == pytest.approx(objective.rows(LOGITS, target).mean().item(), rel=1e-6)
    assert mean.item() == pytest.approx(objective.mean(LOGITS, target, torch.ones(2)).item(), rel=1e-6)


def test_smoothing_spreads_a_share_of_each_label():
    target = torch.tensor([0, 1])
    soft = 0.7 * F.one_hot(target, 3) + 0.1
    by_hand = -(soft * LOGITS.log_softmax(1)).sum(1)
    assert torch.allclose(
        TaskLoss.from_recipe(Loss(objective=TaskObjective(smoothing=0.3)), SOFTMAX, OPS).rows(LOGITS, target), by_hand
    )
    one = torch.tensor([[1.0], [0.0]])
    by_hand = F.binary_cross_entropy_with_logits(LOGITS[:, :1], 0.7 * one + 0.15)
    assert torch.allclose(
        TaskLoss.from_recipe(Loss(objective=TaskObjective(smoothing=0.3)), BINARY, OPS).mean(LOGITS[:, :1], one),
        by_hand,
    )


def test_balanced_class_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_sample_weight

    y = np.array([0, 0, 0, 1, 2, 2])
    assert np.allclose(
        class_weights(Loss(objective=TaskObjective(class_weight="balanced")), SOFTMAX, y),
        compute_sample_weight("balanced", y),
    )
    assert class_weights(Loss(objective=TaskObjective(class_weight=((1, 5.0),))), SOFTMAX, y).tolist() == [
        1,
        1,
        1,
        5,
        1,
        1,
    ]
    with pytest.raises(UsageError, match="class_weight= names 7, which is no class"):
        class_weights(Loss(objective=TaskObjective(class_weight=((7, 5.0),))), SOFTMAX, y)


@pytest.mark.parametrize(
    ("speech", "name", "sentence"),
    [
        (VALUES, "cross_entropy", "does not fit a net that predicts values; 'mse', 'huber' or"),
        (SOFTMAX, "huber", "does not fit a net that predicts classes; 'cross_entropy' or"),
    ],
)
def test_a_loss_that_does_not_fit_is_named(speech, name, sentence):
    with pytest.raises(UsageError, match=sentence):
        TaskLoss.from_recipe(Loss(objective=TaskObjective(loss=name)), speech, OPS)


# ------------------------------------------------------------------------------------------------ importances


def one_by_one(net, rows, score):
    """Gradients of a score of each row, by name, and the row's outputs."""
    for i in range(len(rows)):
        part = rows.take([i])
        given = part.x if isinstance(part.x, dict) else {"": part.x}
        tensors = {k: torch.from_numpy(np.asarray(v)) for k, v in given.items()}
        out = (net(**tensors) if "" not in tensors else net(tensors[""])).reshape(1, -1)
        for weight, value in score(out[0], i):
            net.zero_grad()
            value.backward(retain_graph=True)
            yield (
                weight,
                {n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in net.named_parameters()},
            )


def brute_force(net, rows, kind, speech):
    net.eval()
    total = {name: torch.zeros_like(p) for name, p in net.named_parameters()}

    def score(out, i):
        if kind == "output":
            yield 1.0, out.square().sum()
        elif kind == "empirical" and speech == "softmax":
            yield 1.0, out.log_softmax(0)[int(rows.y[i])]
        elif kind == "empirical":
            yield 1.0, -((out - float(rows.y[i])) ** 2).sum() / 2
        elif speech == "softmax":
            for j, p in enumerate(out.softmax(0).tolist()):
                yield p, out.log_softmax(0)[j]
        elif speech == "binary":
            p = out.sigmoid().item()
            yield p, F.logsigmoid(out[0])
            yield 1 - p, F.logsigmoid(-out[0])
        else:
            for j in range(len(out)):
                yield 1.0, out[j]

    for weight, slopes in one_by_one(net, rows, score):
        for name, slope in slopes.items():
            total[name] += weight * (slope.abs() if kind == "output" else slope.square()) / len(rows)
    return {name: value.numpy() for name, value in total.items()}


@pytest.mark.parametrize("kind", ["fisher", "empirical", "output"])
@pytest.mark.parametrize("case", nets.CASES)
def test_importances_equal_those_of_one_row_after_the_other(case, kind):
    net, rows = nets.made(case)
    rows = rows.take(np.arange(12))
    model = wrap(net).infer_outputs(rows.y)
    expected = brute_force(copy.deepcopy(net), rows, kind, "softmax" if case != "recommender" else "values")
    found = model.weight_importance(rows, kind)
    for name, value in expected.items():
        assert np.allclose(found[name], value, rtol=1e-3, atol=1e-6), name
    statistics = set(found) - set(expected)
    assert all((found[name] == 0).all() for name in statistics)


def test_the_fisher_of_one_output_is_that_of_its_two_labels():
    torch.manual_seed(0)
    net, rows = nets.MLP(outputs=1), nets.table(2).take(np.arange(12))
    found = wrap(net).infer_outputs(rows.y).weight_importance(rows)
    expected = brute_force(copy.deepcopy(net), rows, "fisher", "binary")
    assert all(np.allclose(found[name], value, rtol=1e-3, atol=1e-7) for name, value in expected.items())


def test_a_layer_that_cannot_be_done_for_many_rows_at_once_is_done_row_by_row():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.LSTM(2, 3, batch_first=True), nn.Linear(3, 3)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    torch.manual_seed(0)
    net = Recurrent()
    rows = Batch(np.random.default_rng(0).normal(size=(9, 4, 2)).astype(np.float32), np.arange(9) % 3)
    found = wrap(net).weight_importance(rows)
    expected = brute_force(copy.deepcopy(net), rows, "fisher", "softmax")
    assert all(np.allclose(found[name], value, rtol=1e-3, atol=1e-7) for name, value in expected.items())


def test_importances_leave_the_net_as_it_was():
    net, rows = nets.made("CNN")
    net.train()
    before = copy.deepcopy(net.state_dict())
    wrap(net).weight_importance(rows)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training and all(p.grad is None for p in net.parameters())


# -------------------------------------------------------------------------------------------------- a step


def task(recipe, rows, net=None):
    champion = wrap(net or nets.made("MLP")[0]).infer_outputs(rows.y)
    recipe = recipe.bind(train=rows)
    return training_task(champion, prepare_net(champion.net, champion.spec, recipe), recipe), champion


def moved(net, by=0.1):
    """Every weight moved a little, so that a pull has something to do."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(by * torch.randn(p.shape, generator=generator))


# ---------------------------------------------------------------------------------------------- the pulls


def pulled(optimizer, kind="fisher", strength=3.0):
    """Steps on a net that was moved away from its start, and its penalty as a function of it."""
    rows = nets.table()
    recipe = Recipe().replace(
        start="champion", pull=Pull(strength, importance=kind), optimizer=optimizer, schedule="constant"
    )
    made, champion = task(recipe.bind(memory=Memory(rows)), rows, nets.MLP(dropout=0.0))
    moved(made.net.native)
    force = champion.weight_importance(rows, kind)

    def penalty():
        held = zip(made.net.native.named_parameters(), champion.native.named_parameters(), strict=True)
        return sum(
            strength / 2 * (torch.from_numpy(force[name]).float() * (p - q.detach()) ** 2).sum()
            for (name, p), (_, q) in held
        )

    return Steps(made, 0.1, 64), penalty


def slopes(value, steps):
    return torch.autograd.grad(value, steps.optimizer.params)


def only_the_pull(steps):
    """Take a step on the penalty alone; return by how much the weights moved for each unit of the rate."""
    before = [p.detach().clone() for p in steps.optimizer.params]
    for slope in steps.optimizer.gradients():
        slope.zero_()
    for hook in steps.hooks:
        hook.before(steps.optimizer)
    steps.optimizer.update(steps.lr)
    for hook in steps.hooks:
        hook.after(steps.optimizer, steps.lr, 1)
    return [(old - p.detach()) / steps.lr for old, p in zip(before, steps.optimizer.params, strict=True)]


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("kind", ["uniform", "fisher", "output"])
def test_the_gradient_of_a_pull_is_that_of_its_penalty_by_autograd(kind, optimizer):
    steps, penalty = pulled(optimizer, kind)
    for hook in steps.hooks:
        hook.before(steps.optimizer)
    for p, slope in zip(steps.optimizer.params, slopes(penalty(), steps), strict=True):
        assert torch.allclose(p.grad, slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("strength", [3.0, 1e4])
@pytest.mark.parametrize("kind", ["uniform", "fisher", "output"])
def test_a_step_of_sgd_follows_the_gradient_of_the_penalty_where_it_leads_to(kind, strength):
    steps, penalty = pulled("sgd", kind, strength)
    for move, slope in zip(only_the_pull(steps), slopes(penalty(), steps), strict=True):
        rounding = 6e-8 * strength  # of a weight near 1 in float32, times the stiffness
        assert torch.allclose(move, slope, rtol=1e-2, atol=max(1e-5, rounding))


def test_momentum_carries_the_pull_along():
    steps, penalty = pulled("momentum")
    velocity = [torch.zeros_like(p) for p in steps.optimizer.params]
    for _ in range(5):
        moves = only_the_pull(steps)
        velocity = [0.9 * v + slope for v, slope in zip(velocity, slopes(penalty(), steps), strict=True)]
        for move, v in zip(moves, velocity, strict=True):
            assert torch.allclose(move, v, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_a_soft_pull_is_the_plain_gradient_step(optimizer):
    steps, penalty = pulled(optimizer, strength=1e-3)
    expected = slopes(penalty(), steps)
    for move, slope in zip(only_the_pull(steps), expected, strict=True):
        assert torch.allclose(move, slope, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("lr", [0.2, 1.0])
def test_what_comes_to_rest_minimises_the_penalised_loss(optimizer, lr):
    rows = nets.table()
    recipe = Recipe().replace(
        start="champion", pull=Pull(40.0, importance="fisher"), optimizer=optimizer, schedule="constant"
    )
    made, champion = task(recipe.bind(memory=Memory(nets.table(seed=3))), rows, nn.Sequential(nn.Linear(4, 3)))
    force = {
        name: torch.from_numpy(value).float() for name, value in champion.weight_importance(nets.table(seed=3)).items()
    }
    stiffest = 40 * max(value.max().item() for value in force.values())
    assert lr == 0.2 or lr * stiffest > 2 * (1 + 0.9)  # a gradient step on the penalty would not be stable
    steps, whole = Steps(made, lr, 210), torch.arange(len(rows))
    for _ in range(600):
        steps.take(whole, [], 1.0)
    loss = F.cross_entropy(made.net.native(torch.from_numpy(rows.x)), torch.from_numpy(rows.y))
    start = dict(champion.native.named_parameters())
    for (name, p), slope in zip(made.net.native.named_parameters(), slopes(loss, steps), strict=True):
        pull = 40.0 * force[name] * (p.detach() - start[name].detach())
        assert torch.allclose(slope, -pull, atol=1e-5)
        assert slope.abs().max() > 1e-3  # the two hold each other; neither is nothing


@pytest.mark.parametrize("strength", [1.0, 1e5, 1e30])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_no_pull_is_so_strong_that_it_throws_the_weights_away(optimizer, strength):
    steps, penalty = pulled(optimizer, strength=strength)
    first = penalty().item() / strength
    at = torch.arange(210)
    for _ in range(60):
        steps.take(at, [], 1.0)
    assert all(torch.isfinite(p).all() for p in steps.optimizer.params)
    if optimizer != "adam" and strength > 1:  # Adam steps by a rate in any direction, so that it stays near only
        assert penalty().item() / strength < 1e-4 * first


def test_each_block_is_pulled_at_its_own_rate():
    rows = nets.table()
    recipe = Recipe().replace(
        start="champion", pull=Pull(1e6), layer_decay=0.1, optimizer="momentum", schedule="constant"
    )
    made, champion = task(recipe.bind(memory=Memory(rows)), rows, nets.MLP(dropout=0.0))
    moved(made.net.native)
    steps = Steps(made, 0.1, 64)
    only_the_pull(steps)
    for p, q in zip(made.net.native.parameters(), champion.native.parameters(), strict=True):
        assert torch.allclose(p, q, atol=1e-4)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_new_head_is_pulled_to_zero(optimizer):
    recipe = Recipe().replace(
        start="champion", head=FreshHead(), l2_new_weights=1e5, optimizer=optimizer, schedule="constant"
    )
    rows = nets.table()
    champion, recipe = wrap(nets.made("MLP")[0]).infer_outputs(rows.y), recipe.bind(train=rows)
    prepared = prepare_net(champion.net, champion.spec, recipe)
    made = training_task(champion, prepared, recipe)
    steps = Steps(made, 0.01, 64)
    for _ in range(200):
        steps.take(torch.arange(210), [], 1.0)
    size = {name: float(p.detach().abs().max()) for name, p in made.net.native.named_parameters()}
    assert prepared.new == {"head.weight", "head.bias"}
    assert max(size[name] for name in prepared.new) < 0.03 and size["body.0.weight"] > 0.3


# ------------------------------------------------------------------------------------------ what a step does


def test_what_each_weight_did_along_the_path_adds_up_to_the_fall_of_the_loss():
    rows = nets.table()
    net = nets.MLP(dropout=0.0)
    recipe = Recipe().replace(
        start="champion", pull=Pull(1e-9, importance="path"), optimizer="sgd", schedule="constant"
    )
    made, _ = task(recipe.bind(memory=Memory(rows)), rows, net)
    steps = Steps(made, 0.01, 64)
    whole = torch.arange(len(rows))

    def loss():
        return steps.objective.mean(made.net.native(torch.from_numpy(rows.x)), made.learn.target).item()

    before = loss()
    for _ in range(50):
        steps.take(whole, [], 1.0)
    fall = before - loss()
    assert sum(float(path.sum()) for path in steps.path.path) == pytest.approx(fall, rel=0.02)


def test_path_importance_is_the_contribution_over_the_squared_change():
    rows = nets.table()
    recipe = Recipe().replace(
        start="champion", pull=Pull(1e-9, importance="path"), optimizer="sgd", schedule="constant"
    )
    made, _ = task(recipe.bind(memory=Memory(rows)), rows, nets.MLP(dropout=0.0))
    twin = copy.deepcopy(made.net.native)
    steps = Steps(made, 0.1, 64)
    start = [p.detach().clone() for p in steps.optimizer.params]
    omega = [torch.zeros_like(p) for p in steps.optimizer.params]
    for at in torch.split(torch.arange(len(rows)), 64):
        twin.load_state_dict(made.net.native.state_dict())
        loss = F.cross_entropy(twin(torch.from_numpy(rows.x)[at]), made.learn.target[at])
        slopes = torch.autograd.grad(loss, list(twin.parameters()))
        before = [p.detach().clone() for p in steps.optimizer.params]
        steps.take(at, [], 1.0)
        for o, g, p, q in zip(omega, slopes, steps.optimizer.params, before, strict=True):
            o -= g * (p.detach() - q)
    moves = [p.detach() - q for p, q in zip(steps.optimizer.params, start, strict=True)]
    expected = [(o / (move**2 + 0.1)).clamp_min(0) for o, move in zip(omega, moves, strict=True)]
    for found, value in zip(steps.path.importance(steps.optimizer).values(), expected, strict=True):
        assert np.allclose(found, value.numpy(), rtol=1e-3, atol=1e-7)


def test_der_draws_twice_and_independently():
    rows = nets.table()
    recipe = Recipe().replace(
        start="champion",
        replay=ReplayRows(100, per_batch=True),
        stored_logits=StoredLogits(0.5),
        replay_weight=1.0,
        lr=0.01,
    )
    made, _ = task(recipe.bind(memory=Memory(rows, key=np.linspace(0, 1, len(rows)))), rows)
    steps = Steps(made, 0.01, 32)
    first, second = steps.draw(200, seed=0, epoch=0)
    draws = [*first, *second]
    assert all(len(torch.unique(draw)) == 32 for draw in draws)
    shared = np.mean([len(set(a.tolist()) & set(b.tolist())) for a, b in zip(first, second, strict=True)])
    assert shared == pytest.approx(32 * 32 / 100, rel=0.05)  # what chance gives; the same draw twice would share 32
    counts = torch.bincount(torch.cat(draws), minlength=100)
    assert counts.min() > 0.7 * counts.float().mean() and counts.max() < 1.3 * counts.float().mean()


@pytest.mark.parametrize("size", [1.0, 300.0])
def test_the_loss_of_a_step_is_the_sum_of_its_parts(size):
    rows = nets.table()
    old = nets.table(seed=1)
    recipe = Recipe().replace(
        start="champion",
        replay=ReplayRows(50, per_batch=True),
        stored_logits=StoredLogits(0.5),
        replay_weight=2.0,
        distill=Distill(0.7, temperature=3.0),
        lr=0.01,
    )
    net = nets.MLP(dropout=0.0)
    with torch.no_grad():
        net.head.weight.mul_(size)
    made, champion = task(recipe.bind(memory=Memory(old)), rows, net)
    moved(made.net.native)
    steps, at = Steps(made, 0.01, 16), torch.arange(16)
    one, two = (part[0] for part in steps.draw(1, seed=0, epoch=0))
    found = steps.loss_at(at, one, two).item()
    x, target = torch.from_numpy(rows.x), made.learn.target
    kept = made.replay.rows.parts[""]
    with torch.no_grad():
        before = champion.native.eval()
        kept_logits = before(kept[torch.arange(50)])
        share = min(1.0, 100 / kept_logits.square().mean().item())
        assert (share == 1) == (size == 1)
        by_hand = (
            F.cross_entropy(made.net.native(x[at]), target[at])
            + 0.7 * soft(made.net.native(x[at]), before(x[at]), SOFTMAX, 3.0)
            + 0.5 * share * F.mse_loss(made.net.native(kept[one]), before(kept[one]))
            + 2.0 * F.cross_entropy(made.net.native(kept[two]), made.replay.target[two])
        )
    assert found == pytest.approx(by_hand.item(), rel=1e-5)


def test_remembered_outputs_are_those_of_the_time_when_they_were_learned():
    old = nets.table(seed=1)
    said = np.tile([5.0, 1.0, -1.0], (len(old), 1))
    said[:40] = np.nan
    recipe = Recipe().replace(
        start="champion", replay=ReplayRows(per_batch=True), stored_logits=StoredLogits(0.5), replay_weight=0.0, lr=0.01
    )
    made, champion = task(recipe.bind(memory=Memory(old.replace(soft=said))), nets.table())
    teacher = made.replay.stored[0].numpy()
    assert np.allclose(teacher[40:], said[40:])
    assert np.allclose(teacher[:40], champion.logits(old.x[:40]), atol=1e-6)
