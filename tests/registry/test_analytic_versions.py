"""Versions with an analytic head: their statistics lie with their memory, follow every row, and come back with it."""

from __future__ import annotations

from incumbent.gate import Gate
from incumbent.strategies import Analytic
from rows import points

EASY = Gate(min_gain=-1.0, tolerance=None)


def test_a_registered_model_is_updated_from_its_statistics_and_goes_back_with_them(registry, brought_in):
    name, frame = brought_in(gate=EASY), points(1200)
    outcomes = [registry.update(name, frame[at : at + 600], strategies=[Analytic(64)]) for at in (0, 600)]
    assert [outcome.decision for outcome in outcomes] == ["promote", "promote"]
    state = registry.state(name)
    assert float(state.memory.statistics["rows"]) == state.memory.seen > 1000
    assert [type(step).__name__ for _, step in registry.load(name).steps] == ["RandomReLU", "LogisticRegression"]
    registry.rollback(name, why="to see the statistics come back")
    back = registry.state(name).memory
    assert float(back.statistics["rows"]) == back.seen < state.memory.seen
