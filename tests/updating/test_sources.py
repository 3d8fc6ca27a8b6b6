"""Where evidence about the new rows comes from: rows held out, cross-fitting, and lines that keep learning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry, Slice, update
from incumbent.errors import UsageError
from incumbent.updating import PrequentialModels, kind_of


def rows(n, seed, turn=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return x, (x[:, 0] + turn * x[:, 1] + rng.normal(size=n) > 0).astype(int)


OLD = rows(400, 1)
LIVE = LogisticRegression().fit(*OLD)


def outcome(new, gate, **more):
    return update(LIVE, new, **{"data": OLD, "gate": gate, "strategies": "retrain", "seed": 0, **more})


def test_cross_fitting_judges_the_rows_that_were_learned_from_too():
    held = outcome(rows(800, 2), Gate(tolerance=None))
    crossed = outcome(rows(800, 2), Gate(tolerance=None, source="crossfit"))
    assert held.verdict.reasons[0].interval.rows == held.rows["gate"] == 200
    assert crossed.verdict.reasons[0].interval.rows == crossed.rows["gate"] + crossed.rows["train"]
    assert crossed.verdict.new_source == "holdout+crossfit" and "fitted without" in crossed.verdict.guarantee


def test_cross_fitting_never_judges_a_row_by_what_learned_from_it():
    """A challenger that knows its training rows by heart would look perfect on them."""
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(800, 3)), rng.integers(0, 2, 800)  # nothing to learn
    live = KNeighborsClassifier(1).fit(x[:200], y[:200])
    found = update(live, (x[200:], y[200:]), gate=Gate(tolerance=None, source="crossfit"), strategies="retrain", seed=0)
    paired = found.comparisons["new"].paired
    assert len(paired) == found.rows["gate"] + found.rows["train"]
    assert np.mean(paired.challenger.label == paired.y) == pytest.approx(0.5, abs=0.1)


def test_rows_in_order_of_time_are_not_cross_fitted():
    import pandas as pd

    x, y = rows(600, 3)
    frame = pd.DataFrame(x, columns=list("abc")).assign(target=y, when=pd.date_range("2026", periods=600, freq="h"))
    live = LogisticRegression().fit(frame[list("abc")], y)
    found = update(
        live,
        frame,
        target="target",
        time="when",
        gate=Gate(tolerance=None, source="crossfit"),
        strategies="retrain",
    )
    assert found.verdict.new_source == "holdout" and found.verdict.reasons[0].interval.rows == found.rows["gate"]


@pytest.mark.slow
def test_cross_fitting_keeps_its_level_where_nothing_has_changed():
    """The champion has learned from so many rows that a batch adds nothing but noise."""
    past = rows(4000, 5)
    live = LogisticRegression().fit(*past)
    gate, false = Gate(tolerance=None, source="crossfit"), 0
    for seed in range(300):
        found = update(live, rows(240, 1000 + seed), gate=gate, strategies="retrain", seed=seed)
        false += found.decision == "promote"
    assert binomtest(false, 300, gate.alpha, alternative="greater").pvalue > 0.01, false


def test_under_a_refresh_the_live_strategy_is_promoted_where_another_is_not_proven():
    found = outcome(rows(300, 4), Gate.refresh(), strategies=["incremental", "retrain"])
    assert found.decision == "promote" and found.chosen.strategy == "Retrain()" and found.verdict.rule == "refresh"


def test_under_a_refresh_a_poisoned_batch_is_refused():
    x, y = rows(2000, 4)
    found = outcome((x, 1 - y), Gate.refresh(tolerance=0.02), anchor=rows(2000, 9))
    assert found.decision == "reject" and found.verdict.reasons[1].violated


def test_a_refresh_spends_nothing_of_what_is_rationed():
    gate = Gate.refresh(error_control="fwer")
    found = outcome(rows(300, 4), gate, anchor=rows(300, 9))
    assert found.decision == "promote" and found.anchor.next_use == 1
    proven = outcome(rows(300, 4), gate.replace(rule="prove"), anchor=rows(300, 9))
    assert proven.anchor.next_use == 2 and proven.control != found.control


# ----------------------------------------------------------------------------------------- prequential models


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path)
    registry.init("a", LIVE, OLD, gate=Gate(source="prequential", tolerance=None))
    return registry


def test_prequential_models_predict_each_batch_before_they_learn_it_and_their_evidence_adds_up(registry):
    seen = []
    for seed in range(4):
        found = registry.update("a", rows(600, 20 + seed, turn=0.8), strategies=["incremental", "retrain"])
        seen.append(found.verdict.new_source)
        if found.decision == "promote":
            break
        assert set(registry.state("a").prequential.models) == {"Incremental", "Retrain"}
    assert seen[0] == "holdout" and set(seen[1:]) == {"prequential"}
    assert found.decision == "promote"
    state = registry.state("a")
    assert state.prequential.monitor is None  # another champion: the evidence begins anew
    assert set(state.prequential.models) == {"Incremental", "Retrain"}


def test_a_prequential_model_is_trained_from_itself_and_not_from_the_champion(registry):
    registry.update("a", rows(300, 30), strategies="incremental")
    first = registry.state("a").prequential.models["Incremental"].native
    registry.update("a", rows(300, 31), strategies="incremental")
    second = registry.state("a").prequential.models["Incremental"].native
    from_live = registry.load("a")
    distance = np.abs(second.coef_ - first.coef_).sum()
    assert 0 < distance and not np.array_equal(first.coef_, from_live.coef_)


def test_prequential_evidence_in_memory_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match=r"Registry\.update"):
        outcome(rows(300, 4), Gate(source="prequential"))


def test_prequential_evidence_by_a_score_of_rows_as_a_whole_is_refused_before_anything_is_written(registry):
    before = len(registry.history("a"))
    with pytest.raises(UsageError, match="loss for each row"):
        registry.update("a", rows(300, 4), metric="f1")
    assert len(registry.history("a")) == before


def test_another_set_of_prequential_models_restarts_the_evidence():
    lines = PrequentialModels({"a": LIVE}).add_batch(
        np.ones(9), {"a": np.zeros(9)}, alpha=0.05, min_gain=0.0, bound=1.0
    )
    assert lines.monitor.evidence[0].batches == 1
    other = PrequentialModels({"a": LIVE, "b": LIVE}, lines.monitor)
    zeros = np.zeros(9)
    again = other.add_batch(zeros, {"a": zeros, "b": zeros}, alpha=0.05, min_gain=0.0, bound=1.0)
    assert set(again.monitor.names) == {"a", "b"} and again.monitor.evidence[0].batches == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Window(1488)", "Window"),
        ("Retrain()", "Retrain"),
        ("chain(Replay(10), Incremental('adam'), Interpolate('auto'))", "chain(Replay, Incremental, Interpolate)"),
    ],
)
def test_the_kind_of_a_strategy_leaves_its_settings_out(text, told):
    assert kind_of(text) == told


@pytest.mark.parametrize("asked", [{"search": True}, {"slices": (Slice("a > 1"),)}], ids=["search", "slices"])
def test_conditions_on_columns_are_refused_for_rows_without_any(asked):
    torch = pytest.importorskip("torch")
    x, y = rows(300, 4)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with pytest.raises(UsageError, match="arrays without columns"):
        update(net, (x.astype(np.float32), y), gate=Gate(tolerance=None, **asked), strategies="incremental")
