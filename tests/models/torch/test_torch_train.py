"""The training loop: where it stops, what it resumes, what it leaves alone, and what it costs."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from sklearn.datasets import load_digits  # noqa: E402
from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent.core import (  # noqa: E402
    OPTIMIZERS,
    Batch,
    Memory,
    Optimizer,
    Pull,
    Recipe,
    ReplayRows,
    StoredLogits,
    Subset,
    TaskObjective,
)
from incumbent.errors import BudgetSpent, ModelError  # noqa: E402
from incumbent.models import fit_challenger, wrap  # noqa: E402
from incumbent.models.nets import (  # noqa: E402
    Steps,
    batch_bounds,
    irreducible_losses,
    prepare_net,
    rate_factor,
    row_losses,
    training_task,
)
from incumbent.models.tables._optimisers import stepper  # noqa: E402
from incumbent.strategies import DERpp, Incremental, chain  # noqa: E402

ON = Recipe().replace(start="champion", lr=0.01, epochs=3, batch_size=32)
ROWS = nets.table()
HELD = nets.table(seed=1, rows=60)


@pytest.fixture(scope="module")
def digits():
    """Pictures of digits: 500 that a net knows, 700 that are new and brighter, and others of both kinds."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    parts = np.split(np.random.default_rng(0).permutation(len(x)), [500, 1200, 1500])
    old, new, first, second = (Batch(x[at], y[at]) for at in parts)
    new, second = (rows.replace(x=rows.x + 0.3) for rows in (new, second))
    return old, new, Batch.join([first, second])


def model(dropout: float = 0.1, **more):
    torch.manual_seed(0)
    return wrap(nets.MLP(dropout=dropout, **more)).infer_outputs(ROWS.y)


def same(one, two) -> bool:
    a, b = one.weights(), two.weights()
    return all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(optimizer):
    lr = 0.1 if optimizer in ("sgd", "momentum", "adagrad") else 0.01
    made = model().fit(ON.replace(optimizer=optimizer, lr=lr, epochs=30).bind(train=ROWS))
    assert np.mean(made.predict(ROWS.x).label == ROWS.y) > 0.85


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_a_step_is_that_of_the_published_rule(optimizer):
    rows = ROWS.take(np.arange(32))
    recipe = ON.replace(optimizer=optimizer, lr=0.02, epochs=3, schedule="constant")
    made = model(dropout=0.0).fit(recipe.bind(train=rows))
    net, step = model(dropout=0.0).native, {}
    for _ in range(3):
        loss = nn.functional.cross_entropy(net(torch.from_numpy(rows.x)), torch.from_numpy(rows.y))
        slopes = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for (name, p), slope in zip(net.named_parameters(), slopes, strict=True):
                p += torch.from_numpy(step.setdefault(name, stepper(optimizer))(slope.numpy(), 0.02)).float()
    for name, p in net.named_parameters():
        assert np.allclose(made.weights()[name], p.detach().numpy(), atol=2e-5), name


def test_the_same_seed_gives_the_same_net_and_another_seed_another():
    one, two = (model().fit(ON.bind(train=ROWS, seed=4)) for _ in range(2))
    assert same(one, two)
    assert not same(one, model().fit(ON.bind(train=ROWS, seed=5)))


def test_training_draws_nothing_from_the_caller_s_random_numbers():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model_ = wrap(nets.build())
    torch.manual_seed(7)
    model_.fit(ON.bind(train=ROWS))
    assert torch.equal(torch.rand(3), expected)


def test_learning_leaves_the_champion_alone():
    champion = model()
    before = champion.weights()
    champion.native.train()
    champion.fit(ON.bind(train=ROWS))
    assert all(np.array_equal(before[name], value) for name, value in champion.weights().items())
    assert champion.native.training and all(p.grad is None for p in champion.native.parameters())


# ------------------------------------------------------------------------------------------------ the end


def test_it_stops_early_and_keeps_the_best():
    noise = HELD.replace(y=np.random.default_rng(0).integers(3, size=len(HELD)))  # nothing can be learned for these
    made = model().fit(ON.replace(epochs=50, patience=2).bind(train=ROWS, select=noise))
    assert any("stopped after" in note and "no smaller loss" in note for note in made.notes)
    one = model().fit(ON.replace(epochs=50).bind(train=ROWS, select=noise))

    def loss(m):
        p = m.predict(noise.x).proba
        return -np.log(p[np.arange(len(noise)), noise.y]).mean()

    assert loss(made) < loss(one)


def test_without_a_number_of_epochs_it_learns_as_long_as_that_helps():
    made = model().fit(ON.replace(epochs=None).bind(train=ROWS, select=HELD))
    assert np.mean(made.predict(HELD.x).label == HELD.y) > 0.85


def test_a_loss_that_is_no_number_ends_the_training_and_names_the_rate():
    with pytest.raises(ModelError, match=r"infinite or no number at step \d+ with lr=1e\+20.*such as lr=1e\+19"):
        model().fit(ON.replace(optimizer="sgd", lr=1e20, epochs=20).bind(train=ROWS))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("more", [{"importance": "fisher"}, {"importance": "output"}, {"normalise": True}, {}])
def test_a_pull_that_is_far_too_strong_holds_the_weights_where_they_are(optimizer, more):
    lr = 0.01 if optimizer == "adam" else 0.5
    recipe = ON.replace(optimizer=optimizer, lr=lr, epochs=30, pull=Pull(1e5, **more)).bind(memory=Memory(ROWS))
    champion = model()
    made, kind = champion.fit(recipe.bind(train=nets.table(seed=2))), more.get("importance", "uniform")
    force, before = champion.weight_importance(ROWS, kind), champion.weights()
    assert made.notes == ()
    for name, value in made.weights().items():
        gap = np.sqrt(np.average((value - before[name]) ** 2, weights=force[name] + 1e-12))
        assert gap < (0.02 if optimizer == "adam" else 1e-3), name


def test_old_outputs_that_count_too_much_are_named_too():
    recipe = ON.replace(
        optimizer="sgd", lr=50.0, epochs=60, replay=ReplayRows(100, per_batch=True), stored_logits=StoredLogits(0.5)
    )
    with pytest.raises(ModelError, match="or a smaller weight of stored logits than 0.5"):
        model().fit(recipe.bind(train=nets.table(seed=2), memory=Memory(ROWS, key=np.linspace(0, 1, len(ROWS)))))


@pytest.mark.parametrize(
    ("optimizer", "lr"), [("sgd", 0.05), ("momentum", 0.05), ("adam", 0.003), ("momentum", None), (None, None)]
)
def test_der_learns_beside_a_net_of_huge_outputs(digits, optimizer, lr):
    old, new, held = digits
    torch.manual_seed(0)
    made = wrap(nets.flat(outputs=10)).infer_outputs(old.y).fit(ON.replace(epochs=30).bind(train=old))
    with torch.no_grad():
        for p in made.native[-1].parameters():
            p.mul_(10)
    champion = wrap(made.native).infer_outputs(old.y)
    assert np.abs(champion.logits(old.x)).max() > 100
    steps = Incremental(optimizer, lr=lr, epochs=5, batch_size=64)
    memory = Memory(old, key=np.linspace(0, 1, len(old)))
    recipe = chain(DERpp(1000), steps).prepare(Recipe(), memory).bind(train=new, memory=memory)
    before, after = (np.mean(m.predict(held.x).label == held.y) for m in (champion, champion.fit(recipe)))
    assert after > before + 0.02


def test_a_budget_that_ends_gives_what_was_learned_so_far():
    class Slow(nets.MLP):
        def forward(self, x):
            time.sleep(0.02)
            return super().forward(x)

    torch.manual_seed(0)
    slow = wrap(Slow())
    rows = ROWS.take(np.arange(64))
    made = slow.fit(ON.replace(epochs=1000).bind(train=rows, deadline=time.monotonic() + 0.6))
    assert any("the budget ended" in note for note in made.notes)
    with pytest.raises(BudgetSpent, match="in the first epoch"):
        slow.fit(ON.replace(batch_size=4).bind(train=ROWS, deadline=time.monotonic() + 0.3))


# ----------------------------------------------------------------------------------------------- resuming


class Interrupted(Exception):
    """What a test raises in the middle of a training."""


class Fragile(nets.MLP):
    """It breaks at one of its calls, once."""

    calls = 0
    breaks = math.inf

    def forward(self, x):
        Fragile.calls += 1
        if Fragile.calls == Fragile.breaks:
            raise Interrupted
        return super().forward(x)


@pytest.mark.parametrize("more", [{}, {"ema": 0.9}, {"pull": Pull(0.1, "path")}, {"optimizer": "momentum"}])
@pytest.mark.parametrize("at", [20, 27])
def test_a_resumed_training_equals_one_without_interruption(at, more, tmp_path, monkeypatch):
    monkeypatch.setattr("incumbent.models.nets._trainer.CHECKPOINT_EVERY", 0.0)
    recipe = ON.replace(epochs=5, patience=4, **more).bind(train=ROWS, select=HELD, memory=Memory(ROWS))
    torch.manual_seed(0)
    fragile = wrap(Fragile(dropout=0.3)).infer_outputs(ROWS.y)
    Fragile.calls, Fragile.breaks = 0, math.inf
    whole = fragile.fit(recipe)
    saved = recipe.bind(checkpoint=tmp_path / "run.pt")
    per_fit = Fragile.calls
    Fragile.calls, Fragile.breaks = 0, at
    with pytest.raises(Interrupted):
        fragile.fit(saved)
    assert (tmp_path / "run.pt").exists()
    Fragile.breaks = math.inf
    Fragile.calls = 0
    resumed = fragile.fit(saved)
    assert Fragile.calls < per_fit
    assert same(resumed, whole)
    assert not (tmp_path / "run.pt").exists()


def test_batch_statistics_are_resumed_too(tmp_path, monkeypatch):
    monkeypatch.setattr("incumbent.models.nets._trainer.CHECKPOINT_EVERY", 0.0)
    rows = nets.images()
    torch.manual_seed(0)
    champion = wrap(nets.CNN()).infer_outputs(rows.y)
    recipe = ON.replace(epochs=4).bind(train=rows)
    whole = champion.fit(recipe)
    calls = []

    def breaks(*_):
        calls.append(1)
        if len(calls) == 24:
            raise Interrupted

    hook = champion.native.register_forward_hook(breaks)
    with pytest.raises(Interrupted):
        champion.fit(recipe.bind(checkpoint=tmp_path / "run.pt"))
    assert (tmp_path / "run.pt").exists()
    hook.remove()
    assert same(champion.fit(recipe.bind(checkpoint=tmp_path / "run.pt")), whole)


def test_a_short_training_writes_nothing(tmp_path):
    model().fit(ON.bind(train=ROWS, checkpoint=tmp_path / "deep" / "run.pt"))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_training_is_left_unread(tmp_path):
    recipe = ON.replace(epochs=4).bind(train=ROWS)
    path = tmp_path / "run.pt"
    torch.save({"format": 1, "key": "of another one"}, path)
    assert same(model().fit(recipe.bind(checkpoint=path)), model().fit(recipe))
    path.write_bytes(b"damaged")
    assert same(model().fit(recipe.bind(checkpoint=path)), model().fit(recipe))


# ------------------------------------------------------------------------------------------- what is learned


def test_batch_statistics_and_dropout_are_at_rest_where_parts_are_frozen():
    torch.manual_seed(0)
    net = nets.CNN()
    rows = nets.images()
    wrap(net).infer_outputs(rows.y)
    seen = []
    net.first.register_forward_hook(lambda part, _, __: seen.append(part.training))
    champion = wrap(net).infer_outputs(rows.y)
    before = champion.weights()
    made = champion.fit(ON.replace(freeze=("first",)).bind(train=rows)).weights()
    frozen = [name for name in before if name.startswith("first")]
    assert all(np.array_equal(before[name], made[name]) for name in frozen)
    assert any(not np.array_equal(before[name], made[name]) for name in before if name.startswith("second.1.running"))


def test_learning_row_by_row_leaves_batch_statistics_alone():
    torch.manual_seed(0)
    rows = nets.images().take(np.arange(20))
    champion = wrap(nets.CNN()).infer_outputs(rows.y)
    before = champion.weights()
    made = champion.fit(
        Recipe().replace(start="champion", lr=0.01, epochs=1, batch_size=1, ordered=True).bind(train=rows)
    )
    after = made.weights()
    assert np.array_equal(before["first.1.running_mean"], after["first.1.running_mean"])
    assert not np.array_equal(before["head.weight"], after["head.weight"])


def test_rows_in_their_own_order_are_learned_in_it():
    one = model(dropout=0.0).fit(ON.replace(ordered=True, epochs=1, batch_size=1).bind(train=ROWS, seed=1))
    two = model(dropout=0.0).fit(ON.replace(ordered=True, epochs=1, batch_size=1).bind(train=ROWS, seed=2))
    assert same(one, two)


def test_a_last_row_is_not_left_alone():
    assert batch_bounds(129, 64) == [(0, 64), (64, 129)]
    assert batch_bounds(3, 1) == [(0, 1), (1, 2), (2, 3)]
    torch.manual_seed(0)
    rows = nets.images().take(np.arange(33))
    wrap(nets.CNN()).infer_outputs(nets.images().y).fit(ON.bind(train=rows))  # batch statistics of one row would fail


@pytest.mark.parametrize("by", ["random", "loss", "rho"])
def test_a_share_of_the_rows_is_learned(by):
    champion = model(dropout=0.0).fit(ON.replace(epochs=60).bind(train=ROWS))
    wrong = np.zeros(len(ROWS), dtype=bool)
    wrong[::7] = True
    rows = ROWS.replace(y=np.where(wrong, (ROWS.y + 1) % 3, ROWS.y))
    recipe = ON.replace(subset=Subset(by, fraction=0.1), epochs=1).bind(train=rows, select=HELD)
    made = training_task(champion, prepare_net(champion.net, champion.spec, recipe), recipe)
    each = row_losses(made, made.learn, Steps(made, 0.01, 32).objective)
    beyond = each - irreducible_losses(made, 0.01, 32)
    seen = []
    champion.native.register_forward_hook(lambda net, given, _: seen.append(given[0]) if net.training else None)
    champion.fit(recipe)
    taken = {int(np.flatnonzero((ROWS.x == row).all(1))[0]) for row in torch.cat(seen).numpy()[-21:]}
    assert len(taken) == 21
    if by == "random":
        assert np.mean(wrong[list(taken)]) < 0.5
    else:
        assert taken == set(np.argsort(-(each if by == "loss" else beyond))[:21].tolist())


def test_balanced_drawing_lets_a_rare_class_be_learned():
    rare = ROWS.take(np.concatenate([np.flatnonzero(ROWS.y != 2), np.flatnonzero(ROWS.y == 2)[:3]]))
    test = HELD.take(HELD.y == 2)
    plain = model().fit(ON.replace(epochs=10).bind(train=rare))
    drawn = model().fit(ON.replace(epochs=10, balanced=True).bind(train=rare))
    weighed = model().fit(ON.replace(epochs=10, objective=TaskObjective(class_weight="balanced")).bind(train=rare))
    hit = [np.mean(m.predict(test.x).label == 2) for m in (plain, drawn, weighed)]
    assert hit[1] > hit[0] + 0.2 and hit[2] > hit[0] + 0.2


def test_the_moving_average_is_that_of_the_steps():
    rows = ROWS.take(np.arange(32))
    recipe = ON.replace(optimizer="sgd", lr=0.1, epochs=6, schedule="constant", ema=0.5)
    made = model(dropout=0.0).fit(recipe.bind(train=rows)).weights()
    ends = [model(dropout=0.0).fit(recipe.replace(ema=None, epochs=i + 1).bind(train=rows)).weights() for i in range(6)]
    average = model().weights()["head.weight"]
    for i, end in enumerate(ends, start=1):
        share = min(0.5, i / (i + 10))
        average = share * average + (1 - share) * end["head.weight"]
    assert np.allclose(made["head.weight"], average, atol=1e-5)


def test_the_rate_rises_and_falls_as_it_was_told():
    linear, cosine = Optimizer(warmup=0.2), Optimizer(schedule="cosine")
    assert [round(rate_factor(linear, i, 10, 8), 2) for i in range(10)] == [
        0.33,
        0.67,
        1,
        0.88,
        0.75,
        0.62,
        0.5,
        0.38,
        0.25,
        0.13,
    ]
    assert [round(rate_factor(cosine, i, 4, 8), 2) for i in range(4)] == [1, 0.85, 0.5, 0.15]
    assert {rate_factor(Optimizer(schedule="constant"), i, 4, 8) for i in range(4)} == {1.0}


def test_early_layers_move_less_with_rates_by_layer():
    def move(share):
        champion = model(dropout=0.0)
        made = champion.fit(ON.replace(optimizer="sgd", layer_decay=share).bind(train=ROWS)).weights()
        return np.abs(made["body.0.weight"] - champion.weights()["body.0.weight"]).sum()

    assert move(0.1) < 0.3 * move(1.0)


def test_clipping_bounds_what_a_step_can_do():
    champion = model(dropout=0.0)
    recipe = ON.replace(optimizer="sgd", lr=1.0, epochs=1, batch_size=300, clip=0.01)
    made, before = champion.fit(recipe.bind(train=ROWS)).weights(), champion.weights()
    assert math.sqrt(sum(((made[n] - before[n]) ** 2).sum() for n in before)) == pytest.approx(0.01, rel=1e-3)


def test_out_of_memory_halves_the_batch_and_says_so():
    class Large(nets.MLP):
        def forward(self, x):
            if len(x) > 20 and self.training:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    torch.manual_seed(0)
    champion = wrap(Large()).infer_outputs(ROWS.y)
    made = champion.fit(ON.replace(batch_size=64).bind(train=ROWS))
    assert made.notes[0] == "out of memory with batches of 32: trained in batches of 16"


def test_one_row_that_does_not_fit_is_the_end():
    class Huge(nets.MLP):
        def forward(self, x):
            if self.training:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    with pytest.raises(ModelError, match="One row at a time does not fit"):
        wrap(Huge()).infer_outputs(ROWS.y).fit(ON.bind(train=ROWS))


def test_a_range_test_finds_a_rate_that_learns():
    for optimizer in ("sgd", "adam", "rmsprop"):
        made = model().fit(ON.replace(optimizer=optimizer, lr=None, epochs=30).bind(train=ROWS))
        assert "by a range test" in made.notes[0]
        assert np.mean(made.predict(ROWS.x).label == ROWS.y) > 0.8


def test_interpolation_meets_both_ends_bit_for_bit():
    champion, recipe = model(), ON.bind(train=ROWS, select=HELD)
    other = champion.fit(recipe)
    assert same(fit_challenger(champion, recipe.replace(alpha=0.0)), champion)
    assert same(fit_challenger(champion, recipe.replace(alpha=1.0)), other)
    half = fit_challenger(champion, recipe.replace(alpha=0.5)).weights()
    name = "body.0.weight"
    assert np.allclose(half[name], (champion.weights()[name] + other.weights()[name]) / 2)


def test_statistics_of_normalisation_are_interpolated_like_weights():
    torch.manual_seed(0)
    rows = nets.images()
    champion = wrap(nets.CNN()).infer_outputs(rows.y)
    recipe = ON.bind(train=rows, select=rows)
    other, half = champion.fit(recipe), fit_challenger(champion, recipe.replace(alpha=0.5))
    name = "first.1.running_var"
    assert np.allclose(half.weights()[name], (champion.weights()[name] + other.weights()[name]) / 2)


def test_a_soup_is_no_worse_on_the_select_rows_than_its_best_member():
    champion = model()
    recipe = ON.bind(train=ROWS, select=HELD)
    soup = fit_challenger(champion, recipe.replace(soup=3))
    assert any(note.startswith("average of") for note in soup.notes)

    def loss(m):
        p = m.predict(HELD.x).proba
        return -np.log(p[np.arange(len(HELD)), HELD.y]).mean()

    members = [champion.fit(recipe.replace(lr=0.01 * f).bind(seed=i)) for i, f in enumerate((1.0, 0.3, 3.0))]
    assert loss(soup) <= min(map(loss, members)) + 1e-6
