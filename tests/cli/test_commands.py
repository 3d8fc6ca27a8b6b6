"""Every command, with exactly the words of the manual."""

from __future__ import annotations

import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

from incumbent import Registry
from rows import NAMES, points

COMMANDS = [
    "init",
    "update",
    "predict",
    "evaluate",
    "history",
    "show",
    "models",
    "rollback",
    "promote",
    "approve",
    "refuse",
    "gate",
    "strategies",
    "report",
    "plan",
    "shadow",
]
INIT = ("--data", "past.csv", "--target", "label", "--trust-pickle")
ANSI = re.compile(r"\x1b\[")


@pytest.fixture
def live(incumbent, shop, name):
    """A model under a name of this test, brought in by the command line; its gate asks nothing of old rows."""
    from sklearn.linear_model import LogisticRegression

    from incumbent import Gate
    from rows import fitted

    past = points(200, seed=3)
    Registry(shop.store).init(
        name, fitted(LogisticRegression(), past[:12]), past, target="label", gate=Gate(tolerance=None)
    )
    return name


# ------------------------------------------------------------------------------------------ help


def test_help_names_every_command_and_fits_a_terminal(incumbent):
    said = incumbent("--help")
    assert said.code == 0 and said.err == ""
    assert all(re.search(rf"^  {command} ", said.out, re.M) for command in COMMANDS)
    assert "..." not in said.out.replace("[ARGS]...", "")
    assert max(map(len, said.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(incumbent, command):
    said = incumbent(command, "--help")
    assert said.code == 0 and said.err == ""
    assert said.out.startswith(f"Usage: incumbent {command}")
    assert not ANSI.search(said.out)


WORDS = {
    "init": [
        "--name",
        "--data",
        "--target",
        "--anchor",
        "--time",
        "--group",
        "--task",
        "--gate",
        "--trust-pickle",
        "--store",
    ],
    "update": [
        "--name",
        "--strategy",
        "--budget",
        "--metric",
        "--gate",
        "--seed",
        "--approve",
        "--weight",
        "--dry-run",
        "--json",
        "--report",
        "--exit-code",
    ],
    "predict": ["--name", "--version", "-o"],
    "evaluate": ["--name", "--version", "--json"],
    "history": ["--name", "--json"],
    "show": ["--name", "--version", "--json"],
    "models": ["--json"],
    "rollback": ["--name", "--to", "--why"],
    "promote": ["--name", "--version", "--why"],
    "approve": ["--name", "--why"],
    "refuse": ["--name", "--why"],
    "gate": ["--name", "--set", "--why", "--json"],
    "strategies": ["--name"],
    "report": ["--name", "--update", "-o"],
    "plan": ["--name", "--gain", "--power", "--metric", "--label", "--rows", "-o", "--version", "--uniform", "--json"],
}


@pytest.mark.parametrize("command", WORDS)
def test_every_option_is_there_by_its_name(incumbent, command):
    said = incumbent(command, "--help").out
    assert all(re.search(rf"(^|[\s,]){word}\b", said, re.M) for word in WORDS[command])


def test_no_command_at_all_shows_the_help_and_is_wrong_usage(incumbent):
    said = incumbent()
    assert said.code == 2 and said.out.startswith("Usage: incumbent")


def test_the_version_is_told(incumbent):
    assert incumbent("--version").out.startswith("incumbent 0.")


# ------------------------------------------------------------------------------------------ init


def test_init_says_what_is_live_and_that_no_unseen_old_rows_exist(incumbent, shop):
    said = incumbent("init", "model.joblib", "--name", "first", *INIT)
    assert said.code == 0 and said.err == ""
    lines = said.out.splitlines()
    assert lines[:2] == ["first version 1 is live.", ""]
    assert lines[2] == "Model:    LogisticRegression, classification (0, 1), 3 features"
    assert lines[3] == "Memory:   200 of 200 training rows are kept for later updates."
    assert lines[4].startswith("Old rows: none.") and "--anchor FILE" in lines[4]
    assert lines[-1] == "Next:     incumbent update FILE --name first"
    assert Registry(shop.store).champion("first") == 1


def test_init_with_an_anchor_says_how_many_rows_it_has(incumbent, shop):
    said = incumbent("init", "model.joblib", "--name", "anchored", *INIT, "--anchor", "old.csv")
    assert said.code == 0
    assert "Old rows: 150 rows the model has never seen." in said.out and "--anchor" not in said.out


def test_init_takes_time_group_and_task(incumbent, shop):
    points(200, seed=3).assign(when=np.arange(200), who=np.arange(200) % 40).to_csv("timed.csv", index=False)
    said = incumbent(
        "init", "model.joblib", "--name", "timed", "--data", "timed.csv", "--target", "label",
        "--time", "when", "--group", "who", "--task", "classification", "--trust-pickle",
    )  # fmt: skip
    assert said.code == 0
    schema = Registry(shop.store).version("timed").schema
    assert (schema.time, schema.group, schema.task) == ("when", "who", "classification")


def test_init_without_trust_says_what_the_pickle_would_load(incumbent, shop):
    said = incumbent("init", "model.joblib", "--name", "pickled", "--data", "past.csv", "--target", "label")
    assert said.code == 1 and said.out == ""
    assert "sklearn.linear_model._logistic.LogisticRegression" in said.err and "--trust-pickle" in said.err


def test_a_skops_file_needs_no_trust(incumbent, shop):
    import joblib
    import skops.io

    skops.io.dump(joblib.load("model.joblib"), "model.skops")
    said = incumbent("init", "model.skops", "--name", "safe", "--data", "past.csv", "--target", "label")
    assert said.code == 0, said.err


# ---------------------------------------------------------------------------------------- update

KEYS = set("decision strategy version_before version_after reasons metrics challengers cost rows report".split())


def test_json_is_one_object_with_the_named_keys_and_nothing_else(incumbent, shop, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--json", "--report", "page.html")
    assert said.code == 0 and said.err == ""
    found = json.loads(said.out)
    assert said.out.count("\n") == 1
    assert set(found) >= KEYS
    assert (found["decision"], found["strategy"]) == ("promote", "Retrain()")
    assert (found["version_before"], found["version_after"]) == (1, 2)
    assert all(set(reason) >= {"name", "value", "limit", "holds"} for reason in found["reasons"])
    for rows in ("new", "anchor"):
        assert set(found["metrics"][rows]) == {"champion", "challenger"}
    assert found["metrics"]["new"]["challenger"]["accuracy"] > found["metrics"]["new"]["champion"]["accuracy"]
    assert found["challengers"][0]["strategy"] == "Retrain()" and found["cost"]["total"] > 0
    assert found["rows"]["read"] == 600
    assert found["report"] == "page.html" and "<html" in (shop.folder / "page.html").read_text()
    stored = Registry(shop.store).outcome(live, "2")
    assert stored | {"report": "page.html"} == found


def test_update_in_a_pipe_is_plain_text_with_a_line_of_progress_per_challenger(incumbent, shop, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--strategy", "Window(200)")
    assert said.code == 0
    assert not ANSI.search(said.out + said.err) and "\r" not in said.out + said.err
    assert said.out.startswith("Promoted: ")
    assert f"incumbent report --name {live}" in said.out
    fitted = [line for line in said.err.splitlines() if line.startswith("[")]
    assert [line[:5] for line in fitted] == ["[1/2]", "[2/2]"]
    assert all("of the budget left" in line for line in fitted)
    assert "scoring the champion on 600 new rows" in said.err


def test_exit_code_tells_the_verdict_only_when_asked(incumbent, shop, live):
    turned = points(600, seed=7)
    turned["label"] = 1 - turned.label
    turned.to_csv("turned.csv", index=False)
    update = ("update", "--name", live, "--dry-run")
    assert incumbent(*update, "new.csv", "--strategy", "retrain", "--exit-code").code == 0
    assert incumbent(*update, "new.csv", "--budget", "0.000001s", "--exit-code").code == 11
    assert incumbent(*update, "new.csv", "--budget", "0.000001s").code == 0
    points(600, (0.0, 0.0, 0.0), seed=8).to_csv("noise.csv", index=False)
    said = incumbent(*update, "noise.csv", "--strategy", "Window(10)", "--exit-code", "--json")
    assert said.code == {"promote": 0, "reject": 10, "inconclusive": 11}[json.loads(said.out)["decision"]]


def test_a_rejection_leaves_with_10(incumbent, shop, name):
    incumbent("init", "model.joblib", "--name", name, *INIT, "--anchor", "old.csv")
    turned = points(600, seed=7)
    turned["label"] = 1 - turned.label
    turned.to_csv("turned.csv", index=False)
    said = incumbent("update", "turned.csv", "--name", name, "--strategy", "Window(360)", "--exit-code")
    assert said.code == 10 and said.out.startswith("Kept: ")
    assert Registry(shop.store).champion(name) == 1


def test_a_dry_run_says_so_and_records_nothing(incumbent, shop, live):
    said = incumbent("update", "new.csv", "--name", live, "--strategy", "retrain", "--dry-run", "--report", "dry.html")
    assert (
        said.code == 0
        and said.out.startswith("Dry run: Retrain() would replace ")
        and "Nothing was recorded." in " ".join(said.out.split())
    )
    assert (shop.folder / "dry.html").exists()
    assert len(Registry(shop.store).history(live)) == 1


def test_metric_seed_and_strategy_expressions_are_taken(incumbent, shop, live):
    said = incumbent(
        "update", "new.csv", "--name", live, "--metric", "f1", "--seed", "7", "--json", "--dry-run", "--budget", "2m",
        "--strategy", 'chain(Replay(100), Incremental(optimizer="adagrad"))', "--strategy", "retrain",
    )  # fmt: skip
    found = json.loads(said.out)
    assert (found["metric"], found["seed"]) == ("f1", 7)
    assert [c["strategy"] for c in found["challengers"]] == [
        "chain(Replay(100), Incremental('adagrad'))",
        "Retrain()",
    ]


def test_rows_come_from_standard_input_too(incumbent, shop, live, monkeypatch):
    content = (shop.folder / "new.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    said = incumbent("update", "-", "--name", live, "--strategy", "retrain", "--json")
    assert said.code == 0 and json.loads(said.out)["rows"]["read"] == 600


def test_a_folder_and_a_glob_are_one_table(incumbent, shop, live):
    (shop.folder / "parts").mkdir(exist_ok=True)
    new = pd.read_csv("new.csv")
    new[:300].to_csv("parts/a.csv", index=False)
    new[300:].to_csv("parts/b.csv.gz", index=False)
    for source in ("parts", "parts/*"):
        said = incumbent("update", source, "--name", live, "--strategy", "retrain", "--dry-run", "--json")
        assert json.loads(said.out)["rows"]["read"] == 600


# ---------------------------------------------------------------------------------- looking and using


@pytest.mark.parametrize("output", ["said.csv", "said.parquet", "said.feather", "said.jsonl"])
def test_predict_writes_what_the_live_model_says(incumbent, shop, live, output):
    said = incumbent("predict", "rows.csv", "--name", live, "-o", output)
    assert said.code == 0 and said.out == f"20 predictions in {output}\n"
    reader = {"csv": pd.read_csv, "parquet": pd.read_parquet, "feather": pd.read_feather}
    made = reader.get(output.partition(".")[2], lambda path: pd.read_json(path, lines=True))(output)
    assert list(made.columns) == ["prediction", "proba_0", "proba_1"]
    native = Registry(shop.store).load(live)
    assert made.prediction.tolist() == native.predict(pd.read_csv("rows.csv")).tolist()


def test_predict_to_standard_output_is_csv_and_nothing_else(incumbent, shop, live):
    said = incumbent("predict", "rows.csv", "--name", live, "--version", "1", "-o", "-")
    assert said.code == 0 and said.err == ""
    assert len(pd.read_csv(io.StringIO(said.out))) == 20


def test_evaluate_scores_labelled_rows(incumbent, shop, live):
    said = incumbent("evaluate", "more.parquet", "--name", live, "--json")
    found = json.loads(said.out)
    assert found["rows"] == 300 and 0.5 < found["accuracy"] < 1
    text = incumbent("evaluate", "more.parquet", "--name", live, "--version", "1").out
    assert re.search(r"^accuracy +0\.\d{4}$", text, re.M)


def test_history_show_and_models_tell_the_same_in_words_and_in_json(incumbent, shop, live):
    incumbent("update", "new.csv", "--name", live, "--strategy", "retrain")
    events = json.loads(incumbent("history", "--name", live, "--json").out)
    assert [event["kind"] for event in events] == ["update", "init"]
    assert events[0]["source"] == "new.csv" and events[0]["time"].startswith("20")
    table = incumbent("history", "--name", live).out
    assert "new.csv" in table and "promoted" in table and "Retrain()" not in table and not ANSI.search(table)
    assert "Retrain()" in incumbent("history", "--name", live, "--verbose").out
    shown = json.loads(incumbent("show", "--name", live, "--json").out)
    assert (shown["version"], shown["status"]) == (2, "live")
    assert "LogisticRegression" in incumbent("show", "--name", live, "--version", "1").out
    names = [model["name"] for model in json.loads(incumbent("models", "--json").out)]
    assert live in names
    assert f"{live}  version 2 of 2 is live; last: update, promote" in incumbent("models").out


def test_an_empty_store_says_how_to_begin(incumbent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = incumbent("models")
    assert said.code == 0 and "incumbent init MODEL --name NAME --data FILE --target COL" in said.out
    assert incumbent("models", "--json").out == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_rollback_and_promote_say_what_is_live_now(incumbent, shop, live):
    incumbent("update", "new.csv", "--name", live, "--strategy", "retrain")
    said = incumbent("rollback", "--name", live, "--why", "complaints")
    assert said.code == 0 and said.out == f"{live} version 1 is live again; version 2 was.\n"
    said = incumbent("promote", "--name", live, "--version", "2", "--why", "it was good after all")
    assert said.code == 0 and said.out == f"{live} version 2 is live by override; version 1 was.\n"
    assert incumbent("rollback", "--name", live, "--to", "1", "--why", "no").code == 0
    table = incumbent("history", "--name", live).out
    assert "complaints" in table and "it was good" in table and "override" in table


def test_strategies_are_listed_and_those_that_suit_a_model_are_marked(incumbent, shop, live):
    said = incumbent("strategies")
    assert said.code == 0 and all(word in said.out for word in ("Retrain", "Replay", "chain(", "Presets"))
    marked = incumbent("strategies", "--name", live).out
    assert "LogisticRegression can:" in marked
    assert re.search(r"^\+ Retrain", marked, re.M) and re.search(r"^- AppendTrees", marked, re.M)


def test_report_writes_the_page_of_an_update(incumbent, shop, live):
    incumbent("update", "new.csv", "--name", live, "--strategy", "retrain")
    said = incumbent("report", "--name", live, "-o", "latest.html")
    assert said.code == 0 and "latest.html" in said.out
    said = incumbent("report", "--name", live, "--update", "2", "-o", "second.html")
    assert (shop.folder / "second.html").read_bytes() == (shop.folder / "latest.html").read_bytes()


# ------------------------------------------------------------------------------------------ stores


def test_the_store_is_the_option_then_incumbent_store_then_mlflows_then_the_folder(incumbent, shop, live, monkeypatch):
    elsewhere = shop.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    monkeypatch.chdir(elsewhere)
    assert "No models yet" in incumbent("models").out
    assert live in incumbent("models", "--store", shop.store).out
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shop.store}/mlflow.db")
    assert live in incumbent("models").out
    monkeypatch.setenv("INCUMBENT_STORE", str(elsewhere / "none"))
    assert "No models yet" in incumbent("models").out
    assert live in incumbent("models", "--store", f"sqlite:///{shop.store}/mlflow.db").out
    assert list(elsewhere.iterdir()) == []


def test_predictions_keep_the_order_of_the_rows(incumbent, shop, live):
    rows = pd.read_csv("rows.csv")
    incumbent("predict", "rows.csv", "--name", live, "-o", "a.csv")
    rows[::-1].to_csv("turned-rows.csv", index=False)
    incumbent("predict", "turned-rows.csv", "--name", live, "-o", "b.csv")
    assert np.allclose(pd.read_csv("a.csv"), pd.read_csv("b.csv")[::-1])
    assert list(rows.columns) == NAMES
