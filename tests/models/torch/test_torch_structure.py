"""What may change in a net: growth, frozen parts, heads, low-rank updates, another architecture."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent.core import Batch, Memory, NewClasses, Pull, Recipe  # noqa: E402
from incumbent.errors import ModelError, UsageError  # noqa: E402
from incumbent.models import fit_challenger, load, save, wrap  # noqa: E402
from incumbent.models.nets import prepare_net  # noqa: E402
from incumbent.policy import recipe_for  # noqa: E402
from incumbent.strategies import L2SP, AddClasses, Freeze, LoRA, NewHead, ReplaceArchitecture, ShrinkPerturb  # noqa: E402

ON = Recipe().replace(start="champion", lr=0.01, epochs=2, batch_size=32)
ROWS = nets.table()
MORE = ROWS.replace(y=np.where(np.arange(len(ROWS)) % 4 == 0, ROWS.y + 3, ROWS.y))  # classes 3, 4 and 5 join


def net_of(kind: str = "MLP"):
    net, rows = nets.made(kind)
    return wrap(net).infer_outputs(rows.y), rows


def prepared(champion, recipe):
    return prepare_net(champion.net, champion.spec, recipe)


def joined(rows: Batch) -> Batch:
    return rows.replace(y=np.where(np.arange(len(rows)) % 4 == 0, 7, rows.y))


# ------------------------------------------------------------------------------------------------- growing


@pytest.mark.parametrize("kind", ["MLP", "CNN", "transformer", "image and table"])
@pytest.mark.parametrize("start", [None, "imprint"])
def test_growing_leaves_the_old_outputs_as_they_were_bit_for_bit(kind, start):
    champion, rows = net_of(kind)
    draft = prepared(champion, ON.replace(classes=NewClasses(start)).bind(train=joined(rows)))
    assert draft.spec.outputs.tolist() == [0, 1, 2, 7]
    old, new = champion.weights(), {name: p.detach().numpy() for name, p in draft.net.native.named_parameters()}
    for name, value in new.items():
        assert np.array_equal(value[: len(old[name])], old[name])
    grown = wrap(draft.net.native, classes=[0, 1, 2, 7])
    assert np.allclose(grown.logits(rows.x)[:, :3], champion.logits(rows.x), atol=1e-6)


def test_a_net_that_grew_is_interpolated_with_the_one_it_grew_from():
    champion, rows = net_of()
    recipe = ON.bind(train=joined(rows), select=joined(rows), seed=0)
    challenger, made = champion.fit(recipe), fit_challenger(champion, recipe.replace(alpha=0.5))
    assert made.classes.tolist() == [0, 1, 2, 7]
    for name, value in made.weights().items():
        old, new = champion.weights()[name], challenger.weights()[name]
        np.testing.assert_allclose(value[: len(old)], (old + new[: len(old)]) / 2, rtol=1e-5, atol=1e-6)
        assert np.array_equal(value[len(old) :], new[len(old) :])  # the row of the class that joined
    assert fit_challenger(champion, recipe.replace(alpha=0)).native is champion.native


def test_a_new_class_starts_at_its_share_of_the_rows():
    champion, rows = net_of()
    grown = wrap(prepared(champion, ON.bind(train=joined(rows))).net.native, classes=[0, 1, 2, 7])
    assert grown.predict(rows.x).proba[:, 3].mean() == pytest.approx(np.mean(joined(rows).y == 7), rel=0.3)


def test_imprinted_rows_point_to_the_mean_of_what_their_class_reads():
    champion, rows = net_of()
    draft = prepared(champion, ON.replace(classes=NewClasses("imprint")).bind(train=joined(rows)))
    mean = champion.features(rows.x[joined(rows).y == 7]).mean(0)
    row = draft.net.native.head.weight[3].detach().numpy()
    assert row @ mean / np.linalg.norm(row) / np.linalg.norm(mean) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(row) == pytest.approx(
        np.linalg.norm(champion.weights()["head.weight"], axis=1).mean(), rel=1e-5
    )


def test_one_output_for_two_classes_becomes_three_with_the_same_probabilities():
    torch.manual_seed(0)
    rows = nets.table(2)
    champion = wrap(nets.MLP(outputs=1)).infer_outputs(rows.y)
    draft = prepared(champion, ON.bind(train=joined(rows)))
    three = wrap(draft.net.native, classes=[0, 1, 7])
    said, now = champion.predict(rows.x).proba, three.predict(rows.x).proba[:, :2]
    assert np.allclose(now / now.sum(1, keepdims=True), said, atol=1e-5)


def test_a_net_that_grew_is_stored_loaded_and_grows_again(tmp_path):
    champion, rows = net_of()
    made = champion.fit(ON.bind(train=joined(rows)))
    assert made.notes[0] == "grew by 1 new class: 7"
    save(made, tmp_path)
    again = load(tmp_path)
    assert again.classes.tolist() == [0, 1, 2, 7]
    assert np.array_equal(again.logits(rows.x), made.logits(rows.x))
    five = again.fit(ON.bind(train=rows.replace(y=np.where(np.arange(len(rows)) % 5 == 0, 5, rows.y))))
    assert five.spec.outputs.tolist() == [0, 1, 2, 7, 5] and five.classes.tolist() == [0, 1, 2, 5, 7]
    assert wrap(five.native).classes.tolist() == [0, 1, 2, 5, 7]  # also for whoever holds the net alone


def test_tables_grow_for_new_ids_at_the_mean_of_their_rows():
    champion, rows = net_of("recommender")
    wider = {"user": rows.x["user"].copy(), "item": rows.x["item"]}
    wider["user"][:30] = 25
    draft = prepared(champion, ON.bind(train=rows.replace(x=wider)))
    table, old = draft.net.native.user.weight.detach().numpy(), champion.weights()["user.weight"]
    assert table.shape == (26, 4)
    assert np.array_equal(table[:20], old)
    assert np.allclose(table[20:], old.mean(0), atol=1e-6)
    made = champion.fit(ON.bind(train=rows.replace(x=wider)))
    assert "grew rows for new ids in user.weight" in made.notes
    assert made.predict(wider).label.shape == (len(rows),)


def test_tied_weights_do_not_grow():
    champion = wrap(nets.Tied())
    rows = Batch(np.arange(40).reshape(10, 4) % 7, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    with pytest.raises(ModelError, match="The weights of out are those of table too"):
        champion.fit(ON.bind(train=rows))


def test_a_net_without_a_last_layer_says_that_it_cannot_grow():
    class Folded(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(4, 6)

        def forward(self, x):
            return self.one(x).reshape(-1, 3, 2).sum(2)

    rows = joined(ROWS)
    with pytest.raises(ModelError, match="None of the layers of Folded makes its 3 outputs directly"):
        wrap(Folded(), classes=None).infer_outputs(np.arange(6)).fit(ON.bind(train=rows.replace(y=rows.y + 6)))


# --------------------------------------------------------------------------------------------- freezing


@pytest.mark.parametrize(
    ("strategy", "moves"),
    [
        (Freeze("backbone"), {"head"}),
        (Freeze("head"), {"first", "second"}),
        (Freeze(first=1), {"first", "second", "head"}),
        (Freeze(first=4), {"head"}),
        (Freeze(("first*", "second.1")), {"second", "head"}),
        (Freeze("*.bias"), {"first", "second", "head"}),
    ],
)
def test_what_is_frozen_stays_and_the_rest_learns(strategy, moves):
    champion, rows = net_of("CNN")
    recipe = strategy.prepare(ON, Memory())
    before, after = champion.weights(), champion.fit(recipe.bind(train=rows)).weights()
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert {name.split(".")[0] for name in moved} == moves
    if strategy == Freeze("*.bias"):
        assert not any(name.endswith("bias") for name in moved)


def test_what_one_update_froze_the_next_one_can_learn():
    champion, rows = net_of("CNN")
    made = champion.fit(ON.replace(freeze=("backbone",)).bind(train=rows))
    assert all(p.requires_grad for p in made.native.parameters())
    champion.native.first.requires_grad_(False)
    kept = champion.fit(ON.bind(train=rows)).native
    assert not any(p.requires_grad for p in kept.first.parameters()) and kept.head.weight.requires_grad


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (Freeze("encoder.*"), "matches no part of CNN; it has first, first.0, first.1, second"),
        (Freeze(("first", "second", "head")), "leaves nothing to learn"),
        (Freeze(first=5), r"would freeze all 5 blocks: first.0, first.1, second.0, second.1, head"),
    ],
)
def test_a_pattern_that_means_nothing_is_named_with_the_names_there_are(strategy, sentence):
    champion, rows = net_of("CNN")
    with pytest.raises(UsageError, match=sentence):
        champion.fit(strategy.prepare(ON, Memory()).bind(train=rows))


# ------------------------------------------------------------------------------------------------- heads


def test_a_new_head_is_drawn_anew_and_the_rest_kept():
    champion, rows = net_of()
    draft = prepared(champion, NewHead().prepare(ON, Memory()).bind(train=MORE, seed=3))
    old, new = champion.weights(), {name: p.detach().numpy() for name, p in draft.net.native.named_parameters()}
    assert new["head.weight"].shape == (6, 16)
    assert not np.allclose(new["head.weight"][:3], old["head.weight"])
    assert np.array_equal(new["body.0.weight"], old["body.0.weight"])
    assert draft.new == {"head.weight", "head.bias"}


def test_a_fresh_head_is_pulled_to_zero_and_the_rest_to_the_champion():
    champion, _ = net_of()
    recipe = L2SP(1e-9, l2_new_weights=50.0).prepare(NewHead().prepare(ON, Memory()), Memory())
    made = champion.fit(recipe.replace(epochs=30, optimizer="sgd").bind(train=ROWS)).weights()
    assert np.abs(made["head.weight"]).max() < 0.05
    held = champion.fit(
        recipe.replace(pull=Pull(90.0), l2_new_weights=0.0, epochs=30, optimizer="sgd").bind(train=ROWS)
    ).weights()
    free = champion.fit(recipe.replace(l2_new_weights=0.0, epochs=30, optimizer="sgd").bind(train=ROWS)).weights()
    gap = [np.abs(w["body.0.weight"] - champion.weights()["body.0.weight"]).max() for w in (held, free)]
    assert gap[0] < 0.2 * gap[1]


# -------------------------------------------------------------------------------------------- low-rank updates


def merged(apart):
    """The same model with its updates added into the weights."""
    net = apart.net.copy()
    net.merge_lora()
    return wrap(net.native, classes=apart.spec.outputs)


@pytest.mark.parametrize("kind", ["MLP", "CNN", "transformer", "image and table"])
def test_merged_updates_say_what_they_said_apart(kind):
    pytest.importorskip("peft", reason="the extra 'torch' is not installed")
    champion, rows = net_of(kind)
    recipe = LoRA(2, merge=False).prepare(ON, Memory()).replace(epochs=4, lr=0.05)
    apart = champion.fit(recipe.bind(train=rows))
    assert "low-rank updates in" in apart.notes[0]
    whole = merged(apart)
    assert np.allclose(whole.logits(rows.x), apart.logits(rows.x), atol=1e-4)
    assert not np.allclose(whole.logits(rows.x), champion.logits(rows.x), atol=1e-2)
    assert {name for name, _ in whole.native.named_modules()} == {name for name, _ in champion.native.named_modules()}


def test_updates_leave_the_weights_beside_them_alone_and_are_stored_small(tmp_path):
    pytest.importorskip("peft", reason="the extra 'torch' is not installed")
    torch.manual_seed(0)
    champion = wrap(nets.MLP(hidden=200)).infer_outputs(ROWS.y)
    apart = champion.fit(LoRA(2, merge=False).prepare(ON, Memory()).bind(train=ROWS))
    assert np.array_equal(apart.weights()["body.0.base_layer.weight"], champion.weights()["body.0.weight"])
    save(apart, tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.logits(ROWS.x), apart.logits(ROWS.x))
    assert sum(p.numel() for n, p in apart.native.named_parameters() if "lora_" in n) == 2 * (4 + 200)
    assert (tmp_path / "updates.safetensors").stat().st_size < (tmp_path / "model.safetensors").stat().st_size


def test_updates_in_layers_that_are_not_there_are_named():
    pytest.importorskip("peft", reason="the extra 'torch' is not installed")
    champion, rows = net_of()
    with pytest.raises(UsageError, match="LoRA.layers='attention.*'. matches no linear .* it has body.0, head"):
        champion.fit(LoRA(2, layers=("attention*",)).prepare(ON, Memory()).bind(train=rows))
    with pytest.raises(UsageError, match="a pull to them does nothing"):
        champion.fit(LoRA(2).prepare(ON, Memory()).replace(pull=Pull(1.0)).bind(train=rows))


# ---------------------------------------------------------------------------------------- another architecture


def test_another_architecture_takes_over_what_agrees():
    champion, rows = net_of()
    recipe = ReplaceArchitecture("nets:build", (("hidden", 16),)).prepare(ON, Memory())
    draft = prepared(champion, recipe.bind(train=rows))
    assert draft.notes == ["4 of 4 tensors taken over from the champion"]
    wider = champion.fit(ReplaceArchitecture(arguments=(("hidden", 32),)).prepare(ON, Memory()).bind(train=MORE))
    assert wider.notes[0] == "1 of 4 tensors taken over from the champion"
    assert wider.native.hidden == 32 and wider.classes.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_champion_is_shrunk_and_perturbed_as_published():
    champion, rows = net_of()
    draft = prepared(champion, ShrinkPerturb(0.4, noise=0.0).prepare(ON, Memory()).bind(train=rows))
    old = champion.weights()
    for name, p in draft.net.native.named_parameters():
        assert np.allclose(p.detach().numpy(), 0.4 * old[name])
    noisy = prepared(champion, ShrinkPerturb(1.0, noise=0.5).prepare(ON, Memory()).bind(train=rows))
    moved = noisy.net.native.body[0].weight.detach().numpy() - old["body.0.weight"]
    assert moved.std() == pytest.approx(0.5, rel=0.25)


def test_learning_anew_uses_the_factory_or_draws_every_layer_again():
    champion, rows = net_of()
    scratch = Recipe().replace(start="scratch", lr=0.01, epochs=1)
    drawn = prepared(champion, scratch.bind(train=rows, seed=1)).net.native
    again = prepared(champion, scratch.bind(train=rows, seed=1)).net.native
    assert all(torch.equal(a, b) for a, b in zip(drawn.parameters(), again.parameters(), strict=True))
    assert not np.allclose(drawn.head.weight.detach().numpy(), champion.weights()["head.weight"])
    named = wrap(champion.native, factory=nets.build).infer_outputs(rows.y)
    assert prepared(named, scratch.bind(train=MORE)).net.native.head.weight.shape == (6, 16)


def test_a_net_with_weights_that_nobody_can_draw_asks_for_a_factory():
    class Scaled(nets.MLP):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

    champion = wrap(Scaled()).infer_outputs(ROWS.y)
    assert "retrain" not in champion.abilities
    with pytest.raises(ModelError, match="lacks .'retrain'."):
        from incumbent.strategies import Retrain

        recipe_for(Retrain(), champion, Memory())


@pytest.mark.parametrize(
    "strategy", [AddClasses("imprint"), NewHead(), Freeze("head"), ReplaceArchitecture(), ShrinkPerturb()]
)
def test_no_way_to_change_a_net_changes_the_champion(strategy):
    champion, rows = net_of()
    before = champion.weights()
    champion.fit(strategy.prepare(ON, Memory()).bind(train=MORE))
    after = champion.weights()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert champion.classes.tolist() == [0, 1, 2]
