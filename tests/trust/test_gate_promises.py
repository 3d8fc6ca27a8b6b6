"""The gate's promises, measured as in benchmarks/gate.py with fewer updates, and what planted faults come to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


one_worker = pytest.mark.xdist_group("the benchmark of the gate")  # runs it once, however many workers there are


@pytest.fixture(scope="module")
def lines():
    """Run the quick benchmark once, in a process of its own, as one does."""
    command = [sys.executable, str(ROOT / "benchmarks" / "gate.py"), "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.stdout, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


def of(lines, group):
    found = [each for each in lines if each["group"] == group]
    assert found, group
    return found


GROUPS = {
    "equal models": 30,
    "worse by exactly the tolerance": 6,
    "routine re-learning, promoted unless worse": 3,
    "a look after every row": 3,
    "a life of updates": 9,
    "power beside the best there is": 10,
    "the same test by others": 4,
}


@one_worker
@pytest.mark.parametrize("group", GROUPS)
def test_every_promise_of_the_gate_is_compatible_with_what_is_seen(lines, group):
    found = of(lines, group)
    assert len(found) >= GROUPS[group]
    for each in found:
        assert each["holds"] is not False, each


@one_worker
def test_what_is_measured_could_have_broken_a_promise(lines):
    """A wrong way of doing the same is beyond alpha, so a gate that did it would have been seen."""
    wrong = [each for each in of(lines, "equal models") if each["kind"] == "beside"]
    assert {each["method"] for each in wrong} >= {"a wrong way", "new >= old", "order not told", "groups not told"}
    for each in wrong:
        assert each["low"] > 0.05, each
    peeked = [each for each in of(lines, "a look after every row") if each["method"] == "exact McNemar"]
    assert peeked and all(each["low"] > 0.05 for each in peeked)


@one_worker
def test_every_line_says_what_it_went_through_and_how_sure_it_is(lines):
    for each in lines:
        assert each["low"] <= each["value"] <= each["high"] and each["runs"] >= 1 and each["method"]
        assert (each["kind"] == "beside") == (each["holds"] is None) == (each["share"] is None)


@one_worker
def test_the_gate_itself_is_what_most_of_the_lines_went_through(lines):
    through = [each["method"] for each in lines if each["kind"] != "beside" and each["runs"] > 1]
    assert sum("Gate" in each or "update" in each for each in through) > len(through) / 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_every_planted_fault_is_found_by_a_test():
    command = [sys.executable, str(ROOT / "tests" / "trust" / "plant_faults.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nfound  ") + done.stdout.startswith("found  ") >= 25
    assert "SURVIVED" not in done.stdout
