"""The gate from a file and the last word of a person, as they are typed."""

from __future__ import annotations

import json
import shutil

import pytest
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry
from rows import fitted, points

INIT = ("--data", "past.csv", "--target", "label", "--trust-pickle")


@pytest.fixture
def live(shop, name):
    """A model under a name of this test; its gate asks nothing of old rows."""
    past = points(200, seed=3)
    native = fitted(LogisticRegression(), past[:12])
    Registry(shop.store).init(name, native, past, target="label", gate=Gate(tolerance=None))
    return name


@pytest.fixture
def waiting(incumbent, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--approve")
    assert said.code == 0, said.err
    return live


# ------------------------------------------------------------------------------------------- approval


def test_an_update_that_waits_says_what_to_type_and_has_an_exit_code_of_its_own(incumbent, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--approve", "--exit-code")
    assert said.code == 12
    assert said.out.startswith("Waiting: ")
    assert f"incumbent approve --name {live} --why TEXT" in " ".join(said.out.split())
    assert f"{live}  version 1 of 2 is live; version 2 waits for approval; last: update" in incumbent("models").out
    assert "version 2 waits" in incumbent("history", "--name", live).out


def test_json_tells_the_candidate_and_that_the_champion_stays(incumbent, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--approve", "--json")
    found = json.loads(said.out)
    assert (found["decision"], found["candidate"], found["version_after"]) == ("promote", 2, 1)


def test_approve_makes_it_live(incumbent, shop, waiting):
    said = incumbent("approve", "--name", waiting, "--why", "seen and good")
    assert (said.code, said.out) == (0, f"{waiting} version 2 is live, approved; version 1 was.\n")
    assert Registry(shop.store).champion(waiting) == 2
    shown = incumbent("show", "--name", waiting).out
    assert "how approved" in shown and "why seen and good" in shown
    history = incumbent("history", "--name", waiting, "--verbose").out
    assert "approved" in history and "in event 2" in history and "seen and good" in history


def test_refuse_keeps_the_champion(incumbent, shop, waiting):
    said = incumbent("refuse", "--name", waiting, "--why", "not now")
    assert (said.code, said.out) == (0, f"{waiting} version 2 is refused; version 1 stays live.\n")
    assert Registry(shop.store).champion(waiting) == 1
    again = incumbent("refuse", "--name", waiting, "--why", "not now")
    assert again.code == 1 and "was refused in event 3" in again.err


@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_a_reason_is_asked_for(incumbent, waiting, command):
    assert incumbent(command, "--name", waiting).code == 2
    said = incumbent(command, "--name", waiting, "--why", " ")
    assert said.code == 2 and "recorded with its reason" in said.err


def test_an_override_is_shown_as_such_with_who_and_why(incumbent, waiting):
    assert incumbent("promote", "--name", waiting, "--version", "2", "--why", "I know better").code == 0
    shown = json.loads(incumbent("show", "--name", waiting, "--json").out)
    assert shown["candidate"] is None
    assert (shown["came_live"]["how"], shown["came_live"]["why"]) == ("override", "I know better")
    assert "override" in incumbent("history", "--name", waiting).out


# ------------------------------------------------------------------------------------------- the gate


def test_init_takes_a_gate_from_a_file(incumbent, shop, name):
    (shop.folder / "strict.toml").write_text('min_gain = 0.02\ntolerance = "none"\n')
    said = incumbent("init", "model.joblib", "--name", name, *INIT, "--gate", "strict.toml")
    assert said.code == 0 and "Gate:     strict.toml\n" in said.out
    assert Registry(shop.store).version(name).gate == Gate(min_gain=0.02, tolerance=None)


def test_init_takes_the_gate_that_lies_beside_the_model_and_says_so(incumbent, shop, name):
    folder = shop.folder / "packed"
    folder.mkdir(exist_ok=True)
    shutil.copy(shop.folder / "model.joblib", folder)
    (folder / "gate.toml").write_text("[[slices]]\nwhere = 'a > 0'\ntolerance = 0.05\n")
    said = incumbent("init", "packed/model.joblib", "--name", name, *INIT)
    assert said.code == 0 and "Gate:     packed/gate.toml\n" in said.out
    assert [part.where for part in Registry(shop.store).version(name).gate.slices] == ["a > 0"]


def test_a_mistake_in_the_gate_is_wrong_usage_and_leaves_no_trace(incumbent, shop, name):
    (shop.folder / "wrong.toml").write_text("max_flip = 0.1\n")
    said = incumbent("init", "model.joblib", "--name", name, *INIT, "--gate", "wrong.toml")
    assert said.code == 2 and "unknown key 'max_flip'. Did you mean 'max_flips'?" in said.err
    assert name not in [model["name"] for model in Registry(shop.store).models()]


def test_an_update_takes_another_gate_for_this_time_only(incumbent, shop, live):
    (shop.folder / "never.toml").write_text('tolerance = "none"\n[[limits]]\nname = "accuracy"\nleast = 2.0\n')
    said = incumbent(
        "update", "new.csv", "--name", live, "--strategy", "retrain", "--gate", "never.toml", "--exit-code"
    )
    assert said.code == 10
    assert Registry(shop.store).version(live).gate == Gate(tolerance=None)
    assert "Gate:     Gate(tolerance=None, limits=" in incumbent("history", "--name", live, "--verbose").out


def test_the_gate_is_shown_as_a_file_that_can_be_read_again(incumbent, shop, live):
    said = incumbent("gate", "--name", live)
    (shop.folder / "again.toml").write_text(said.out)
    assert said.code == 0 and Gate.from_toml(shop.folder / "again.toml") == Gate(tolerance=None)
    assert json.loads(incumbent("gate", "--name", live, "--json").out)["tolerance"] is None


def test_another_gate_is_set_with_its_reason(incumbent, shop, live):
    (shop.folder / "lax.toml").write_text('alpha = 0.2\ntolerance = "none"\n')
    assert incumbent("gate", "--name", live, "--set", "lax.toml").code == 2
    assert incumbent("gate", "--name", live, "--why", "x").code == 2
    said = incumbent("gate", "--name", live, "--set", "lax.toml", "--why", "a pilot")
    assert (said.code, said.out) == (0, f"{live} has this gate from now on: Gate(tolerance=None, alpha=0.2)\n")
    assert "alpha = 0.2" in incumbent("gate", "--name", live).out
    assert "a pilot" in incumbent("history", "--name", live).out
