"""Several processes at once on one store: one waits for the other, and nothing is lost or mixed."""

from __future__ import annotations

import os

import pytest
from forks import ended_well, warm
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Limit, Registry
from incumbent.data import row_keys
from incumbent.errors import RegistryError
from kills import forked
from rows import fitted, points

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]

ALWAYS = Gate(tolerance=None, min_gain=-1.0)
NEVER = Gate(tolerance=None, limits=(Limit("accuracy", min=2.0),))


@pytest.fixture(autouse=True, scope="module")
def warmed(tmp_path_factory):
    warm(tmp_path_factory.mktemp("warm") / "store")


def bring_in(store, name="fraud"):
    past = points(200, seed=3)
    Registry(store).init(name, fitted(LogisticRegression(), past), past, target="label")


@pytest.mark.parametrize("gate", [ALWAYS, NEVER], ids=["promoting", "refusing"])
def test_two_processes_that_update_one_name_take_turns_and_lose_nothing(tmp_path, gate):
    store = tmp_path / "store"
    assert ended_well(forked(lambda: bring_in(store)))

    def updates(which):
        for turn in range(3):
            Registry(store).update("fraud", points(120, seed=100 * which + turn), strategies="retrain", gate=gate)

    assert ended_well(*(forked(lambda which=which: updates(which)) for which in (1, 2)))

    def check():
        registry = Registry(store)
        history = list(reversed(registry.history("fraud")))
        assert [event["number"] for event in history] == list(range(1, 8))
        assert {event["status"] for event in history} == {"done"}
        for before, after in zip(history, history[1:], strict=False):
            assert after["version_before"] == before["version_after"]
        assert registry.champion("fraud") == history[-1]["version_after"] == (7 if gate is ALWAYS else 1)
        state = registry.state("fraud")
        # what each learned is remembered, whoever came first
        assert state.memory.seen + len(state.anchor) == 200 + 6 * 120
        kept = set(row_keys(state.memory.rows)) | set(row_keys(state.anchor.rows))
        assert len(kept) == 200 + 6 * 120
        assert len(registry.predict("fraud", points(10).drop(columns="label"))) == 10

    assert ended_well(forked(check))


def test_two_processes_on_a_fresh_store_both_work(tmp_path):
    store = tmp_path / "store"
    assert ended_well(*(forked(lambda name=name: bring_in(store, name)) for name in ("left", "right")))

    def check():
        registry = Registry(store)
        assert [model["name"] for model in registry.models()] == ["left", "right"]
        for name in ("left", "right"):
            assert registry.update(name, points(120, seed=5), strategies="retrain", gate=ALWAYS).decision == "promote"

    assert ended_well(forked(check))


def test_of_two_processes_that_take_one_name_one_gets_it_and_the_other_is_told(tmp_path):
    store = tmp_path / "store"

    def take(which):
        try:
            bring_in(store)
        except RegistryError as error:
            assert "There is a model 'fraud'" in str(error)
            (tmp_path / f"refused-{which}").touch()

    assert ended_well(*(forked(lambda which=which: take(which)) for which in (1, 2)))
    assert len(list(tmp_path.glob("refused-*"))) == 1

    def check():
        registry = Registry(store)
        assert registry.champion("fraud") == 1
        assert [event["kind"] for event in registry.history("fraud")] == ["init"]

    assert ended_well(forked(check))
