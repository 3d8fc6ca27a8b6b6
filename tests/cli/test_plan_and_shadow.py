"""`incumbent plan` and `incumbent shadow`, as they are typed, piped and read by programs."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry
from rows import NAMES, NEW, fitted, points


@pytest.fixture(scope="module")
def two(module_folder):
    """The store of a model with a second version that stands and is better on rows of the new rule."""
    store, past = module_folder / ".incumbent", points(200, seed=3)
    registry = Registry(store)
    gate = Gate(tolerance=None, min_gain=0.005)
    registry.init("demo", fitted(LogisticRegression(), past[:12]), past, target="label", gate=gate)
    strict = gate.replace(min_gain=0.9)
    registry.update("demo", points(600, NEW, seed=4), strategies="retrain", gate=strict)
    rows = points(600, NEW, seed=7)
    rows[NAMES].to_csv(module_folder / "pool.csv", index=False)
    said = {who: registry.predict("demo", rows[NAMES], version=v)["prediction"] for who, v in SAID.items()}
    pd.DataFrame({"id": np.arange(600), **said}).to_csv(module_folder / "log.csv", index=False)
    rows[["label"]].assign(id=np.arange(600)).to_csv(module_folder / "labels.csv", index=False)
    return "demo"


SAID = {"champion": 1, "challenger": 2}


# -------------------------------------------------------------------------------------------- plan


def test_plan_says_how_many_rows_and_what_that_rests_on(incumbent, shop, two):
    said = incumbent("plan", "--name", two, "--gain", "0.02", "--power", "0.9")
    assert said.code == 0 and said.err == ""
    assert "a gain of 2 points in accuracy with power 90 %" in said.out
    assert re.search(r"better on the new rows +[\d,]+ test rows: [\d,]+ labelled rows", said.out)
    assert "seen in 1 update" in said.out and "The last batch had 600 rows" in said.out
    assert max(map(len, said.out.splitlines())) <= 120


def test_plan_is_the_same_in_python_and_as_json(incumbent, shop, two):
    told = json.loads(incumbent("plan", "--name", two, "--gain", "0.02", "--json").out)
    plan = Registry(shop.store).plan(two, gain=0.02)
    assert told["gate_rows"] == plan.gate_rows and told["batch_rows"] == plan.batch_rows
    assert told == json.loads(json.dumps(plan.to_dict()))


def test_rows_to_label_are_written_with_their_weights_and_what_is_saved_is_told(incumbent, shop, two):
    said = incumbent("plan", "--name", two, "--label", "pool.csv", "--rows", 100, "-o", "label.csv")
    assert said.code == 0 and "random ones" in said.out
    assert "incumbent update label.csv --name demo --weight weight" in said.out
    chosen = pd.read_csv("label.csv")
    assert list(chosen.columns) == [*NAMES, "weight"] and chosen["weight"].sum() == pytest.approx(600)


def test_all_labels_for_two_models_come_with_the_warning_that_they_serve_no_other(incumbent, shop, two):
    said = incumbent("plan", "--name", two, "--label", "pool.csv", "--rows", 20, "-o", "few.csv", "--uniform", 0)
    assert "serve\nnothing else" in said.out and "incumbent update" not in said.out


def test_rows_to_label_go_through_a_pipe_and_json_tells_of_them(incumbent, shop, two):
    said = incumbent("plan", "--name", two, "--label", "pool.csv", "--rows", 50, "-o", "-")
    assert said.out.splitlines()[0] == "a,b,c,weight" and len(said.out.splitlines()) == 51
    assert "50 of 600 rows" in said.err
    words = ("plan", "--name", two, "--label", "pool.csv", "--rows", 50, "--json", "-o")
    told = json.loads(incumbent(*words, "json.csv").out)
    assert told["labels"] == 50 and told["weight_column"] == "weight" and told["challenger"] == 2
    assert incumbent(*words, "-").code == 2


def test_labelled_rows_are_read_by_an_update_with_their_weights(incumbent, shop, two):
    incumbent("plan", "--name", two, "--label", "pool.csv", "--rows", 300, "-o", "labels300.csv", "--weight", "counts")
    rows = pd.read_csv("labels300.csv")
    truth = points(600, NEW, seed=7).round(9).merge(rows.round(9), on=NAMES)
    truth.to_csv("labelled.csv", index=False)
    words = ("update", "labelled.csv", "--name", two, "--strategy", "retrain", "--dry-run", "--json", "--weight")
    told = json.loads(incumbent(*words, "counts").out)
    assert any("weights the rows" in finding["text"] for finding in told["findings"])
    assert incumbent(*words, "nothing").code == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--rows", 5), 2, "--label FILE goes with --rows N and -o OUT"),
        (("--label", "pool.csv", "--rows", 5), 2, "--label FILE goes with --rows N and -o OUT"),
        (("--gain", "0.001"), 2, "above its min_gain of 0.005"),
        (("--power", "2"), 2, "probability of showing the gain"),
        (("--metric", "acuracy"), 2, "Did you mean accuracy"),
        (("--metric", "f1"), 2, "No update of this model recorded"),
        (("--label", "none.csv", "--rows", 5, "-o", "x.csv"), 1, "There is no file none.csv"),
        (("--label", "pool.csv", "--rows", 5, "-o", "x.txt"), 2, "not as 'x.txt'"),
        (("--label", "pool.csv", "--rows", 9999, "-o", "x.csv"), 2, "there are 600 rows"),
        (("--label", "pool.csv", "--rows", 50, "-o", "x.csv", "--version", 1), 1, "is the champion"),
    ],
)
def test_a_plan_that_cannot_be_made_says_why_in_one_line(incumbent, shop, two, words, code, says):
    said = incumbent("plan", "--name", two, *words)
    assert (said.code, said.out) == (code, "") and says in said.err and len(said.err.splitlines()) == 1


# ------------------------------------------------------------------------------------------ shadow


@pytest.fixture
def started(incumbent, shop, two):
    """The shadow of version 2, started by the command line; the champion is version 1 before and after."""
    said = incumbent("shadow", "start", "--name", two, "--version", 2, "--alpha", "0.01", "--why", "a trial")
    assert said.code == 0 and said.err == ""
    yield said
    if Registry(shop.store).champion(two) == 2:
        Registry(shop.store).rollback(two, why="for the next test")


def test_start_says_what_is_fixed_and_what_to_log(started):
    assert "demo version 2 runs in the shadow of version 1, by accuracy." in started.out
    assert "e reaches 100" in started.out and "at most 1 %" in started.out
    assert "with the columns id, champion, challenger; labels with id, label." in started.out


@pytest.mark.parametrize("words", [("--log", "log.csv", "--log", "labels.csv"), ("--log", "log.csv", "labels.csv")])
def test_status_reads_several_files_and_changes_nothing(incumbent, shop, started, words):
    events = len(Registry(shop.store).history("demo"))
    said = incumbent("shadow", "status", "--name", "demo", *words)
    assert said.code == 0 and said.out.startswith("PROMOTE after 600 rows: e = ")
    assert "600 rows are logged: 600 have their label, 0 wait." in said.out
    assert "next: incumbent shadow decide" in said.out
    assert len(Registry(shop.store).history("demo")) == events


def test_status_is_one_object_as_json(incumbent, shop, started):
    told = json.loads(incumbent("shadow", "status", "--name", "demo", "--log", "log.csv", "labels.csv", "--json").out)
    assert told["decision"] == "promote" and told["e_value"] >= told["decides_at"] == 100
    assert told["lower"] > 0 and (told["rows"], told["waiting"]) == (600, 0)


def test_decide_promotes_and_the_history_says_by_what(incumbent, shop, started):
    said = incumbent("shadow", "decide", "--name", "demo", "--log", "log.csv", "labels.csv", "--exit-code")
    assert said.code == 0 and "Version 2 is live; version 1 was" in said.out
    event = Registry(shop.store).history("demo")[0]
    assert (event["kind"], event["decision"], event["version_after"]) == ("promote", "promote", 2)
    listed = " ".join(incumbent("history", "--name", "demo", "--verbose").out.split())
    assert "version 2 in the" in listed and "600 live labels, e = " in listed


def test_decide_waits_while_nothing_is_shown(incumbent, shop, started):
    pd.read_csv("labels.csv")[:10].to_csv("first.csv", index=False)
    words = ("shadow", "decide", "--name", "demo", "--log", "log.csv", "first.csv")
    said = incumbent(*words)
    assert said.code == 0 and said.out.startswith("UNDECIDED after 10 rows") and "590 wait" in said.out
    assert incumbent(*words, "--exit-code").code == 11
    assert Registry(shop.store).champion("demo") == 1


def test_decide_ends_what_is_shown_not_to_gain_enough(incumbent, shop, two):
    incumbent("shadow", "start", "--name", two, "--version", 2, "--min-gain", "0.6")
    said = incumbent("shadow", "decide", "--name", two, "--log", "log.csv", "labels.csv", "--exit-code")
    assert said.code == 10 and said.out.startswith("REJECT") and "more rows would not help" in said.out
    again = incumbent("shadow", "status", "--name", two, "--log", "log.csv")
    assert again.code == 1 and "ended: reject" in again.err and "incumbent shadow start" in again.err


def test_a_rollback_runs_with_the_roles_swapped(incumbent, shop, two):
    Registry(shop.store).promote(two, 2, why="to take it back")
    said = incumbent("shadow", "start", "--name", two, "--version", 1, "--goal", "rollback", "--id", "row")
    assert "It comes back once e reaches 20" in said.out
    # the live model is wrong where the one before was right
    labels = pd.read_csv("labels.csv")
    pd.DataFrame({"row": labels["id"], "champion": 1 - labels["label"], "challenger": labels["label"]}).to_csv(
        "bad.csv"
    )
    labels.rename(columns={"id": "row"}).to_csv("truth.csv", index=False)
    said = incumbent("shadow", "decide", "--name", two, "--log", "bad.csv", "truth.csv", "--exit-code")
    assert said.code == 0 and said.out.startswith("ROLLBACK") and "Version 1 is live again; version 2 was" in said.out
    assert Registry(shop.store).champion(two) == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("start", "--name", "demo"), 2, "Missing option '--version'"),
        (("start", "--name", "demo", "--version", 1), 1, "cannot be compared with itself"),
        (("start", "--name", "demo", "--version", 2, "--goal", "win"), 2, "'win' is not one of"),
        (("start", "--name", "demo", "--version", 2, "--alpha", "0.9"), 2, "alpha is the chance"),
        (("start", "--name", "demo", "--version", 2, "--bound", "0"), 2, "bound is the largest loss"),
        (("start", "--name", "demo", "--version", 2, "--metric", "auc"), 2, "no loss for a single row"),
        (("status", "--name", "nobody", "--log", "log.csv"), 1, "There is no model 'nobody'"),
        (("decide", "--name", "demo"), 2, "Missing option '--log'"),
    ],
)
def test_a_shadow_that_cannot_be_says_why_in_one_line(incumbent, shop, two, words, code, says):
    said = incumbent("shadow", *words)
    assert (said.code, said.out) == (code, "") and says in said.err and len(said.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["start", "status", "decide"])
def test_every_part_explains_itself(incumbent, command):
    said = incumbent("shadow", command, "--help")
    assert said.code == 0 and said.out.startswith(f"Usage: incumbent shadow {command}")
    assert max(map(len, said.out.splitlines())) <= 80
