"""Deletion requests as they are typed."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry
from rows import fitted, points


@pytest.fixture
def live(shop, name):
    """A model under a name of this test, updated once by a head that forgets exactly."""
    past = points(200, seed=3)
    native = fitted(LogisticRegression(), past[:12])
    registry = Registry(shop.store)
    registry.init(name, native, past, target="label", gate=Gate(tolerance=None, min_gain=-1.0))
    registry.update(name, points(600, seed=4), strategies="Analytic(64)")
    return name


@pytest.fixture
def gone(tmp_path):
    points(200, seed=3)[:12].to_csv(tmp_path / "gone.csv", index=False)
    return tmp_path / "gone.csv"


def test_forget_says_what_it_did_what_stays_and_what_still_holds_the_rows(incumbent, live, gone):
    said = incumbent("forget", gone, "--name", live, "--why", "request 17")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == f"{live} version 3 is live without 12 rows; version 2 was."
    assert lines[1].startswith("Removed from memory: 12 rows; ") and lines[1].endswith(" are left.")
    assert "it equals a head that never learned them" in said.out and "--retrain removes them there" in said.out
    assert "anchor rows: accuracy" in said.out and "No gate has judged it." in said.out
    assert "Versions 1 and 2, and pages of earlier updates, may still contain them." in said.out
    assert lines[-1] == f"incumbent purge --name {live} --why TEXT"
    history = incumbent("history", "--name", live, "--verbose").out
    assert "12 rows: head solved without" in history and "forgot" in history and "2 → 3" in history


def test_purge_takes_the_rest_and_going_back_says_so(incumbent, live, gone):
    incumbent("forget", gone, "--name", live, "--why", "request 17")
    back = incumbent("rollback", "--name", live, "--why", "oops")
    assert back.code == 1 and "--bring-back; then delete the rows again with incumbent forget" in back.err
    said = incumbent("purge", "--name", live, "--why", "request 17")
    assert said.code == 0
    assert said.out.startswith(f"Deleted for good: versions 1, 2 of {live}, and the memories, pages and outcomes of")
    back = incumbent("rollback", "--name", live, "--why", "oops", "--bring-back")
    assert back.code == 1 and "Version 2 of" in back.err and "is gone for good" in back.err
    assert incumbent("purge", "--name", live, "--why", "again").out == (
        f"Nothing of {live} was left to delete; version 3 stays live.\n"
    )


def test_both_at_once_as_json(incumbent, live, gone):
    said = incumbent("forget", gone, "--name", live, "--why", "request 17", "--purge", "--json")
    found = json.loads(said.out)
    assert (found["how"], found["learned"], found["version"], found["still_held"]) == ("exact", 12, 3, [1, 2])
    assert (found["purged"]["versions"], found["purged"]["live"]) == ([1, 2], 3)


def test_both_at_once_does_not_tell_of_what_is_gone_a_moment_later(incumbent, live, gone):
    said = incumbent("forget", gone, "--name", live, "--why", "request 17", "--purge")
    assert "may still hold them" not in said.out and "Deleted for good: versions 1, 2" in said.out


def test_rows_are_brought_back_only_in_so_many_words(incumbent, live, gone):
    incumbent("forget", gone, "--name", live, "--why", "request 17")
    said = incumbent("rollback", "--name", live, "--why", "oops", "--bring-back")
    assert said.out.splitlines()[0] == f"{live} version 2 is live again; version 3 was."
    assert f"To delete them again: incumbent forget FILE --name {live} --why TEXT" in said.out
    assert "brings back the rows of event 3" in " ".join(incumbent("history", "--name", live, "--verbose").out.split())


def test_a_row_that_was_never_learned_is_shown_and_nothing_changes(incumbent, live, gone):
    rows = pd.concat([pd.read_csv(gone), points(1, seed=99)])
    rows.to_csv(gone, index=False)
    said = incumbent("forget", gone, "--name", live, "--why", "request 17")
    assert said.code == 1 and said.out == ""
    assert "Of the 13 rows, 1 was not learned by version 2" in said.err and "The first is row 13: a=" in said.err
    assert "version 2 of 2 is live" in incumbent("models").out.split(live)[1]


def test_a_model_that_cannot_forget_says_what_to_type(incumbent, shop, name, gone):
    past = points(200, seed=3)
    Registry(shop.store).init(name, fitted(LogisticRegression(), past), past, target="label")
    said = incumbent("forget", gone, "--name", name, "--why", "request 17")
    assert said.code == 1 and "--retrain trains it again from scratch" in said.err and "--keep-model" in said.err
    kept = incumbent("forget", gone, "--name", name, "--why", "request 17", "--keep-model")
    assert kept.code == 0 and "The model stays as it is: it may have learned them." in kept.out
    again = incumbent("forget", gone, "--name", name, "--why", "request 17", "--retrain")
    assert again.code == 1 and "None of the 12 rows was learned" in again.err
    assert incumbent("forget", gone, "--name", name).code == 2
