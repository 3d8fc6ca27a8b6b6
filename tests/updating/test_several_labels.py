"""Nets with several labels, or several values, at once: the whole loop, in memory, in a registry and typed."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from torch import nn  # noqa: E402

import incumbent  # noqa: E402
from incumbent import Gate, Registry, wrap  # noqa: E402
from incumbent.cli import run  # noqa: E402
from incumbent.core import Batch, Memory  # noqa: E402
from incumbent.errors import DataError, ModelError, UsageError  # noqa: E402
from incumbent.memory import update_memory  # noqa: E402
from incumbent.metrics import standard  # noqa: E402
from incumbent.strategies import Incremental, Vote  # noqa: E402
from incumbent.testing import check_model  # noqa: E402

LEARN = "chain(Replay(1000), Incremental(lr=0.01, epochs=25))"
NAMES = ["rain", "fog", "snow"]
KINDS = ["labels", "values"]
LOOSE = Gate(tolerance=100.0)  # what was learned of the old rule may be lost


def _rows(kind, rows, *, turn=0.0, seed=0):
    """Return rows whose labels, or values, follow from eight numbers; `turn` is how far the rule has moved on."""
    rng = np.random.default_rng([seed, rows])
    x = rng.normal(size=(rows, 8)).astype(np.float32)
    rule, later = np.random.default_rng(9).normal(size=(2, 8, 3))
    z = x @ ((1 - turn) * rule + turn * later) + 0.3 * rng.normal(size=(rows, 3))
    return x, ((z > 0.5).astype(np.int64) if kind == "labels" else z)


def build():
    """What is named as the factory of the net."""
    return nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 3))


def _net(kind, rows):
    torch.manual_seed(0)
    net = build()
    x, y = torch.from_numpy(rows[0]), torch.from_numpy(rows[1]).float()
    loss = nn.functional.binary_cross_entropy_with_logits if kind == "labels" else nn.functional.mse_loss
    steps = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(100):
        steps.zero_grad()
        loss(net(x), y).backward()
        steps.step()
    return net


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def case(kind):
    """A net, the rows that it learned, rows held out, and new rows under another rule."""
    old, held = _rows(kind, 600), _rows(kind, 400)
    return _net(kind, old), old, held, _rows(kind, 900, turn=0.5)


@pytest.fixture(scope="module")
def outcome(case):
    net, old, held, new = case
    return incumbent.update(net, new, data=old, anchor=held, strategies=LEARN, gate=LOOSE)


def test_a_net_learns_on_and_takes_over(kind, case, outcome):
    assert outcome.decision == "promote"
    assert outcome.metric == ("accuracy" if kind == "labels" else "rmse")
    assert set(outcome.comparisons["new"].champion) == set(
        standard("classification" if kind == "labels" else "regression", 3)
    )
    out = outcome.model(torch.from_numpy(case[3][0][:5]))
    assert out.shape == (5, 3)


def test_what_was_forgotten_is_told_by_label(kind, outcome):
    told = outcome.comparisons["anchor"].per_class
    assert list(told) == (["0", "1", "2"] if kind == "labels" else [])
    for before, _, rows in told.values():
        assert 0 < rows < 400
        assert 0.5 < before < 1
    if kind == "labels":  # the rule has moved on, and the old rows are of the old one
        assert sum(after - before for before, after, _ in told.values()) < 0


def test_text_and_json_tell_of_it(kind, outcome):
    text = str(outcome)
    assert text.startswith("Promoted: ") and f"\n{outcome.metric} " in text
    if kind == "labels":
        long = outcome.text(verbose=True)
        assert "hamming loss" in long and "f1 micro" in long
    told = json.loads(json.dumps(outcome.to_dict()))
    assert set(told["metrics"]["new"]["challenger"]) == set(outcome.comparisons["new"].challenger)


def test_the_page_shows_each_label(kind, outcome, tmp_path):
    page = outcome.report(tmp_path / "page.html").read_text()
    if kind == "labels":
        assert "By label: learned and forgotten" in page and "Label by label" in page
        assert "which model has every label right" in page and "only one of the two has every label right" in page
        assert "confusion" not in page.split("</style>")[1]
    else:
        assert "every value of every row is one point" in page
        assert "the mean absolute error over its values" in page


@pytest.mark.parametrize("name", ["hamming_loss", "f1_micro", "auc"])
def test_every_kind_of_metric_can_decide(name):
    old, new = _rows("labels", 600), _rows("labels", 900, turn=0.5)
    found = incumbent.update(
        _net("labels", old), new, data=old, strategies=LEARN, metric=name, gate=Gate(tolerance=None)
    )
    assert (found.decision, found.metric) == ("promote", name)


def test_negative_flips_and_limits_are_judged():
    old, new = _rows("labels", 600), _rows("labels", 900, turn=0.5)
    gate = Gate(tolerance=None, max_flips=0.9, limits=(incumbent.Limit("hamming_loss", max_ratio=1.0),))
    found = incumbent.update(_net("labels", old), new, data=old, strategies=LEARN, gate=gate)
    names = [reason.name for reason in found.verdict.reasons if reason.holds]
    assert names == ["better on the new rows", "few negative flips", "hamming_loss"]


def test_a_challenger_that_loses_a_label_is_refused():
    old, held = _rows("labels", 600), _rows("labels", 1500)
    x, y = _rows("labels", 900, seed=1)
    y[:, 1] = 0  # nobody says fog any more
    found = incumbent.update(_net("labels", old), (x, y), data=old, anchor=held, strategies="Incremental(lr=0.01)")
    assert found.decision == "reject"
    before, after, _ = found.comparisons["anchor"].per_class["1"]
    assert after < before - 0.3


@pytest.mark.parametrize(
    "strategy", ["Vote()", "Weighted()", "Interpolate('auto')", "chain(DERpp(500), EWC(1.0), Incremental(epochs=5))"]
)
def test_ensembles_and_averages_work(case, kind, strategy):
    net, old, _, new = case
    found = incumbent.update(net, new, data=old, strategies=strategy, gate=Gate(tolerance=None))
    assert found.chosen is not None, found.challengers[0].error
    said = found.chosen.model.predict(new[0][:4])
    assert said.label.shape == (4, 3)
    assert (said.proba is not None) == (kind == "labels")


def test_a_vote_says_of_each_label_what_most_say(tmp_path):
    old, new = _rows("labels", 600), _rows("labels", 900, turn=0.5)
    found = incumbent.update(_net("labels", old), new, data=old, strategies="Vote()", gate=Gate(tolerance=None))
    members = [member.predict(new[0]) for member in found.winner.native.members]
    mean = np.mean([said.proba for said in members], axis=0)
    said = found.winner.predict(new[0])
    assert np.allclose(said.proba, mean)
    assert np.array_equal(said.label, (mean > 0.5).astype(int))


@pytest.mark.parametrize(
    ("strategy", "why"),
    [("Stack()", "Use Weighted() or Vote()."), ("GDumb(200)", "these rows have several labels each")],
)
def test_what_needs_one_class_a_row_says_so(strategy, why):
    old, new = _rows("labels", 600), _rows("labels", 300, turn=0.5)
    found = incumbent.update(_net("labels", old), new, data=old, strategies=strategy)
    assert why in found.challengers[0].error


def test_a_metric_of_one_class_a_row_is_refused_before_anything_is_trained():
    old, new = _rows("labels", 600), _rows("labels", 300)
    with pytest.raises(UsageError, match="balanced_accuracy needs rows of one class each, and these have 3 labels"):
        incumbent.update(_net("labels", old), new, data=old, metric="balanced_accuracy")


def test_names_given_to_the_outputs_name_the_labels():
    old, new = _rows("labels", 600), _rows("labels", 900, turn=0.5)
    named = wrap(_net("labels", old), classes=NAMES)
    found = incumbent.update(named, new, data=old, strategies=LEARN, gate=Gate(tolerance=None))
    assert list(found.comparisons["new"].per_class) == NAMES
    with pytest.raises(ModelError, match="names 3 labels, and the rows have 2 columns"):
        incumbent.update(named, (new[0], new[1][:, :2]))


def test_a_rare_label_stays_in_memory():
    rng = np.random.default_rng(0)
    y = (rng.random((4000, 2)) < [0.5, 0.005]).astype(np.int64)
    on = int(y[:, 1].sum())
    memory = Memory()
    for part in np.split(np.arange(4000), 4):
        memory = update_memory(memory, Batch(rng.normal(size=(1000, 2)), y[part]), seed=0, low=100, high=100)
    assert int(memory.rows.y[:, 1].sum()) == min(on, 25)  # half of `low`, shared by two labels
    assert len(memory) < 200
    values = update_memory(Memory(), Batch(rng.normal(size=(4000, 2)), y.astype(float)), seed=0, low=100, high=100)
    assert len(values) < 140


# --------------------------------------------------------------------------------- with a registry, and typed


@pytest.mark.slow
def test_a_registry_updates_predicts_and_rolls_back(kind, case, tmp_path):
    net, old, held, new = case
    registry = Registry(tmp_path)
    registry.init("sky", wrap(net, classes=NAMES) if kind == "labels" else net, old, anchor=held, gate=LOOSE)
    assert registry.version("sky").schema.labels == 3
    before = registry.evaluate("sky", held)
    assert registry.update("sky", new, strategies=LEARN).decision == "promote"
    told = registry.predict("sky", new[0][:4])
    names = NAMES if kind == "labels" else range(3)
    said = [f"prediction_{name}" for name in names]
    assert list(told) == said + ([f"proba_{name}" for name in NAMES] if kind == "labels" else [])
    assert "next update of sky needs" in str(registry.plan("sky", gain=0.02))
    registry.rollback("sky", why="a test")
    assert registry.evaluate("sky", held) == before
    again = registry.update("sky", _rows(kind, 500, turn=0.6, seed=2), strategies=LEARN)
    assert again.version_before == 1


@pytest.mark.slow
def test_what_knows_one_label_a_row_only_says_so(tmp_path):
    old, new = _rows("labels", 600), _rows("labels", 900, turn=0.5)
    net = _net("labels", old)
    registry = Registry(tmp_path)
    registry.init("sky", net, old, gate=Gate(tolerance=None))
    registry.update("sky", new, strategies=LEARN)
    with pytest.raises(UsageError, match="one label for each row, and 'sky' has 3 at once"):
        registry.shadow_start("sky", 1, goal="rollback", why="a test")
    with pytest.raises(DataError, match="shape"):
        registry.update("sky", (new[0], new[1][:, 0]))


@pytest.mark.slow
def test_npz_files_do_on_the_command_line(kind, case, tmp_path, monkeypatch, capsys):
    import pandas as pd

    net, old, held, new = case
    monkeypatch.chdir(tmp_path)
    torch.save(net.state_dict(), "net.pt")
    for name, (x, y) in zip(("old", "held", "new"), (old, held, new), strict=True):
        np.savez(f"{name}.npz", x=x, sky=y)
    came = ["init", "net.pt", "--factory", f"{__name__}:build", "--name", "sky", "--target", "sky"]
    assert run([*came, "--data", "old.npz", "--anchor", "held.npz"]) == 0, capsys.readouterr().err
    assert run(["update", "new.npz", "--name", "sky", "--strategy", LEARN, "--verbose"]) == 0
    assert ("hamming loss" if kind == "labels" else "rmse") in capsys.readouterr().out
    assert run(["predict", "new.npz", "--name", "sky", "-o", "said.csv"]) == 0
    assert list(pd.read_csv("said.csv"))[:3] == ["prediction_0", "prediction_1", "prediction_2"]


@pytest.mark.slow
def test_the_adapter_keeps_its_promises(kind, case):
    x, y = _rows(kind, 150)
    check_model(case[0], Batch(x, y), strategies=[Incremental(lr=0.01, epochs=1), Vote()])
