"""A net that knows digits 0 to 7 meets 8 and 9: what forgets is refused, what keeps the old is promoted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from torch import nn  # noqa: E402

import incumbent  # noqa: E402
import nets  # noqa: E402  # needs torch
from incumbent import Gate, Registry  # noqa: E402
from incumbent.cli import run  # noqa: E402
from rows import inputs  # noqa: E402

LEARN = "Incremental(lr=0.01, epochs=20)"
TOLERANT = Gate(tolerance=0.03)  # two more classes to confuse the old ones with cost any net a little


@pytest.fixture(scope="module")
def digits():
    """Images in three parts: 0 to 7 to learn from, 0 to 7 held out, and all ten."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8), y[order]
    old = np.flatnonzero(y < 8)
    parts = old[:700], old[700:1100], np.sort(np.concatenate([old[1100:], np.flatnonzero(y >= 8)]))
    return [(x[part], y[part]) for part in parts]


@pytest.fixture(scope="module")
def live(digits):
    (x, y), *_ = digits
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 8))
    steps = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(100):
        steps.zero_grad()
        nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        steps.step()
    return net


def test_naive_fine_tuning_forgets_and_is_refused(digits, live):
    old, held, new = digits
    only = new[1] >= 8
    outcome = incumbent.update(
        live, (new[0][only], new[1][only]), data=old, anchor=held, strategies=LEARN, gate=TOLERANT
    )
    assert outcome.decision == "reject"
    assert outcome.model is live
    assert (
        outcome.comparisons["anchor"].challenger["accuracy"] < 0.5 < outcome.comparisons["anchor"].champion["accuracy"]
    )


@pytest.mark.slow
def test_a_net_that_keeps_the_old_is_promoted_and_is_a_net_of_the_same_kind(digits, live):
    old, held, new = digits
    outcome = incumbent.update(
        live, new, data=old, anchor=held, strategies=[LEARN, f"chain(Replay(2000), {LEARN})"], gate=TOLERANT
    )
    assert outcome.decision == "promote"
    assert outcome.chosen.strategy == f"chain(Replay(2000), {LEARN})"
    assert type(outcome.model) is nn.Sequential and outcome.model[-1].out_features == 10
    right = outcome.model(torch.from_numpy(new[0])).argmax(1).numpy() == new[1]
    assert right.mean() > 0.95
    again = incumbent.update(outcome.model, new, data=old, anchor=held, strategies="Incremental(lr=1e-5, epochs=1)")
    assert again.decision != "promote"  # nothing new to learn


def test_gradient_steps_are_not_tried_where_an_exact_head_learned_all_and_lost_nothing(digits, live, tmp_path):
    old, held, new = digits
    known = new[1] < 8
    inverted = 1 - new[0][known], new[1][known]
    gate = Gate(tolerance=0.02)
    outcome = incumbent.update(live, inverted, data=old, anchor=held, gate=gate)
    solved, spared = outcome.challengers
    assert outcome.decision == "promote" and outcome.chosen.strategy == "Analytic(1000)"
    assert spared.strategy == "chain(DERpp(1000), Incremental())" and spared.model is None
    why = "Analytic(1000) is better on new rows, no worse on old, and costs less"
    assert spared.skip_reason == why and not spared.error
    assert f"not tried: {why}" in " ".join(outcome.text(verbose=True).split())
    assert outcome.to_dict()["challengers"][1]["spared"] == why
    page = outcome.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<span class="tag">not tried</span>' in page
    strategies = [solved.strategy, spared.strategy]
    named = incumbent.update(live, inverted, data=old, anchor=held, gate=gate, strategies=strategies)
    assert not any(each.error for each in named.challengers)  # what was asked for is tried


@pytest.mark.parametrize(
    ("gate", "live_by", "spares"),
    [
        (Gate(), "", True),
        (Gate.prove(source="prequential"), "", False),  # each line learns every batch
        (Gate.refresh(), "chain(DERpp(500), Incremental())", False),  # the routine of a refresh
        (Gate.refresh(), "Analytic(1000)", True),
    ],
)
def test_lines_and_the_live_strategy_of_a_refresh_are_never_spared(gate, live_by, spares):
    table = pd.DataFrame({"a": np.arange(60.0), "label": np.arange(60) % 2})
    live = LogisticRegression().fit(table[["a"]], table["label"])
    ready = inputs(live, table, gate=gate, strategy=live_by)
    assert ready.can_skip("chain(DERpp(1000), Incremental())") == spares
    assert not replace(ready, strategies=["auto"]).can_skip("Retrain()")


def test_nothing_that_is_no_number_is_ever_promoted(digits, live):
    old, held, new = digits
    huge = "Incremental('sgd', lr=500.0, epochs=40)"
    broken = ["Incremental('sgd', lr=1e20, epochs=5)", f"chain(DERpp(500, alpha=0.5), {huge})"]
    outcome = incumbent.update(live, new, data=old, anchor=held, strategies=broken, gate=TOLERANT)
    assert outcome.decision != "promote" and outcome.model is live
    assert all("infinite or no number" in c.error for c in outcome.challengers)


def test_what_der_remembers_is_what_the_net_said_when_it_learned(digits, live):
    old, held, new = digits
    gate = Gate(tolerance=None)
    outcome = incumbent.update(live, new, data=old, strategies=f"chain(DERpp(1000), {LEARN})", gate=gate)
    assert outcome.decision == "promote"
    soft = outcome.memory.rows.soft
    assert soft.shape == (len(outcome.memory), 10) and not np.isnan(soft).any()
    said = incumbent.wrap(outcome.model).logits(outcome.memory.rows.x)
    assert np.allclose(soft, said, atol=1e-4)


@pytest.mark.slow
def test_a_registry_keeps_nets_with_their_factory_and_rolls_back(digits, live, tmp_path):
    old, held, new = digits
    torch.manual_seed(0)
    net = nets.Digits()
    net.body.load_state_dict(live.state_dict())
    registry = Registry(tmp_path)
    registry.init("digits", net, old, anchor=held, factory="nets:Digits", gate=TOLERANT)
    outcome = registry.update("digits", new, strategies=f"chain(Replay(2000), {LEARN})")
    assert outcome.decision == "promote" and registry.champion("digits") == 2
    stored = registry.load("digits")
    assert type(stored) is nets.Digits
    said = registry.predict("digits", new[0])
    assert np.mean(said["prediction"] == new[1]) > 0.95
    assert registry.rollback("digits", why="for the test") == 1
    before = registry.load("digits")
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), net.parameters(), strict=True))


def test_the_command_line_builds_a_net_from_a_file_of_weights(digits, live, tmp_path, monkeypatch, capsys):
    pd = pytest.importorskip("pandas")
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    save_file(live.state_dict(), "net.safetensors")
    for name, (x, y) in zip(("old", "held", "new"), digits, strict=True):
        table = pd.DataFrame(x.reshape(len(x), -1), columns=[f"p{i}" for i in range(64)])
        table.assign(digit=y).to_csv(f"{name}.csv", index=False)
    came = ["init", "net.safetensors", "--factory", "nets:flat", "--arg", "hidden=96", "--arg", "outputs=8"]
    assert run([*came, "--data", "old.csv", "--target", "digit", "--anchor", "held.csv", "--name", "digits"]) == 0
    assert "Model:    Sequential, classification" in capsys.readouterr().out
    assert run(["predict", "new.csv", "--name", "digits", "-o", "said.csv"]) == 0
    assert len(pd.read_csv("said.csv")) == len(digits[2][0])
    assert run(["init", "net.safetensors", "--data", "old.csv", "--target", "digit", "--name", "other"]) != 0
    assert "say what builds it: --factory package.module:build" in capsys.readouterr().err
    assert (
        run(
            [
                *came[:2],
                "--factory",
                "nets:flat",
                "--arg",
                "hidden",
                "--data",
                "old.csv",
                "--target",
                "digit",
                "--name",
                "x",
            ]
        )
        != 0
    )
    assert "--arg takes NAME=VALUE" in capsys.readouterr().err


class Fragile(nets.Digits):
    """It is interrupted at one of the mini-batches that it learns, as by Ctrl-C."""

    learned = 0
    breaks = -1

    def forward(self, x):
        if self.training:
            Fragile.learned += 1
            if Fragile.learned == Fragile.breaks:
                raise KeyboardInterrupt
        return super().forward(x)


def test_an_update_that_was_interrupted_goes_on_where_it_was(digits, live, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("incumbent.models.nets._trainer.CHECKPOINT_EVERY", 0.0)
    old, held, new = digits
    net = Fragile()
    net.body.load_state_dict(live.state_dict())
    registry = Registry(tmp_path / "store")
    registry.init("digits", net, old, gate=Gate(tolerance=None))

    def run_to(breaks):
        Fragile.learned, Fragile.breaks = 0, breaks
        return registry.update("digits", new, strategies=LEARN)

    with pytest.raises(KeyboardInterrupt):
        run_to(100)
    kept = list((tmp_path / "cache").rglob("*.pt"))
    assert len(kept) == 1
    outcome = run_to(-1)
    assert outcome.decision == "promote"
    assert Fragile.learned < 60  # of 140: the epochs before the interruption are not learned again
    assert not kept[0].exists()
