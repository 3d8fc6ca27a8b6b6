"""Whatever comes in from outside and is wrong gives one clear sentence, a code, and leaves everything as it was."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from incumbent import Registry
from incumbent.cli import run
from rows import NAMES, fitted, points
from stores import digest

# ------------------------------------------------------------------------------------ files to go wrong


class Hostile:
    """Pickled, it would make a file when it is opened."""

    def __reduce__(self):
        return (os.mkdir, ("pwned",))


def write_tables(folder: Path) -> None:
    new = points(200, seed=4)
    (folder / "empty.csv").write_bytes(b"")
    (folder / "header.csv").write_text("a,b,c,label\n")
    (folder / "table.xlsx").write_bytes(b"PK\x03\x04" + bytes(50))
    (folder / "ragged.csv").write_text("a,b,c,label\n1,2,3,0\n1,2,3,0,9\n")
    (folder / "twice.csv").write_text("a,a,c,label\n1,2,3,0\n")
    (folder / "latin.csv").write_bytes("a,b,c,label\n1,2,3,caf\xe9\n".encode("latin-1"))
    (folder / "wide.csv").write_bytes("a,b,c,label\n1,2,3,0\n".encode("utf-16"))
    (folder / "plain.csv.gz").write_text("a,b,c,label\n1,2,3,0\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(b"a,b,c,label\n" + os.urandom(2000).hex().encode())[:500])
    (folder / "broken.jsonl").write_text('{"a": 1, "b": 2\n')
    (folder / "nested.jsonl").write_text('{"a": [1, 2], "b": 2, "c": 3, "label": 0}\n')
    new.to_parquet(folder / "whole.parquet")
    (folder / "cut.parquet").write_bytes((folder / "whole.parquet").read_bytes()[:300])
    (folder / "named.csv").write_bytes((folder / "whole.parquet").read_bytes())
    (folder / "nothing").mkdir()
    new.drop(columns="b").to_csv(folder / "lacks.csv", index=False)
    new.rename(columns={"b": "B "}).to_csv(folder / "misspelt.csv", index=False)
    new.drop(columns="label").to_csv(folder / "unlabelled.csv", index=False)
    new.assign(label=np.nan).to_csv(folder / "blank-labels.csv", index=False)
    new.assign(label=new.label.where(new.index != 7)).to_csv(folder / "label-gap.csv", index=False)
    new.assign(label="maybe").to_csv(folder / "other-labels.csv", index=False)
    new.assign(label=new.label + 0.5).to_csv(folder / "half-labels.csv", index=False)
    new.assign(b="much").to_csv(folder / "text.csv", index=False)
    new.assign(b=new.b.where(new.index != 3, np.inf)).to_csv(folder / "infinite.csv", index=False)
    new.assign(b=new.b.where(new.index != 3)).to_csv(folder / "gap.csv", index=False)
    new.assign(b=np.nan).to_csv(folder / "no-values.csv", index=False)
    new[:10].to_csv(folder / "few.csv", index=False)
    pd.concat([new[:1]] * 50).to_csv(folder / "one-row.csv", index=False)
    new.assign(when=[*range(199), None]).to_csv(folder / "time-gap.csv", index=False)
    new.assign(when="soon").to_csv(folder / "no-times.csv", index=False)
    new.assign(name=[f"n{i}" for i in range(200)]).drop(columns="label").rename(columns={"name": "label"}).to_csv(
        folder / "each-its-own.csv", index=False
    )


def write_models(folder: Path) -> None:
    past = pd.read_csv(folder / "past.csv")
    joblib.dump({"model": 1}, folder / "dict.joblib")
    joblib.dump(LogisticRegression(), folder / "unfitted.joblib")
    joblib.dump(KMeans(2, n_init=1).fit(past[NAMES]), folder / "clusters.joblib")
    joblib.dump(fitted(LogisticRegression(), past.rename(columns={"a": "z"})), folder / "other.joblib")
    joblib.dump(fitted(LinearRegression(), past.assign(second=1), ["label", "second"]), folder / "two.joblib")
    (folder / "damaged.joblib").write_bytes((folder / "model.joblib").read_bytes()[:200])
    (folder / "hostile.pkl").write_bytes(pickle.dumps(Hostile()))
    (folder / "empty.joblib").write_bytes(b"")
    (folder / "text.joblib").write_text("I am a model, trust me.")
    model = joblib.load(folder / "model.joblib")
    skops.io.dump(model, folder / "model.skops")
    (folder / "damaged.skops").write_bytes((folder / "model.skops").read_bytes()[:-300])
    (folder / "tree.txt").write_text("tree\nversion=v4\nbroken")
    (folder / "booster.json").write_text('{"learner": {}, "version": [3, 0, 0]}')


@pytest.fixture(scope="module")
def bad(module_folder) -> Path:
    """A working folder with a store that holds three models, and everything that can be wrong beside it."""
    write_tables(module_folder)
    write_models(module_folder)
    file = module_folder / "past.csv"
    past = pd.read_csv(file)
    registry = Registry(module_folder / ".incumbent")
    registry.init("fraud", fitted(LogisticRegression(), past), file, target="label")
    timed = past.assign(when=range(200))
    registry.init("timed", fitted(LogisticRegression(), past), timed, target="label", time="when")
    registry.init("margins", fitted(LinearSVC(), past), file, target="label")
    (module_folder / "costs.csv").write_text("true,0,5\n0,0,1\n5,1,0\n")
    (module_folder / "lopsided.csv").write_text("true,0\n0,0\n1,1\n")
    return module_folder


# --------------------------------------------------------------------------------------------- the table

UPDATE = ("update", "FILE", "--name", "fraud", "--strategy", "retrain")
INIT = ("init", "FILE", "--name", "fresh", "--data", "past.csv", "--target", "label", "--trust-pickle")
SAFE = ("init", "model.skops")
FRESH = (*SAFE, "--name", "x", "--data", "past.csv", "--target", "label")

NEW_ROWS = {  # FILE for update, and words that its message must have
    "missing.csv": ("There is no file missing.csv",),
    "empty.csv": ("empty.csv is empty",),
    "header.csv": ("has no rows",),
    "table.xlsx": ("the ending .xlsx", ".parquet"),
    "ragged.csv": ("Row #3", "Expected 4 columns, got 5"),
    "twice.csv": ("more than one column called 'a'",),
    "latin.csv": ("not text in UTF-8", "iconv"),
    "wide.csv": ("UTF-16",),
    "plain.csv.gz": ("cannot be decompressed as gzip",),
    "cut.csv.gz": ("cannot be decompressed as gzip", "truncated"),
    "broken.jsonl": ("in row 1",),
    "nested.jsonl": ("'a'", "nested"),
    "cut.parquet": ("cannot be read as Parquet", "truncated"),
    "named.csv": ("Parquet (name it .parquet)",),
    "nothing": ("folder", "no data files"),
    "none-*.csv": ("No file matches none-*.csv",),
    "https://example.org/new.csv": ("address", "download it first"),
    "lacks.csv": ("lacks the feature 'b'", "'a', 'c', 'label'"),
    "misspelt.csv": ("is it 'B '?",),
    "unlabelled.csv": ("lacks the label column 'label'",),
    "blank-labels.csv": ("No row has a label in 'label'", "predict"),
    "label-gap.csv": ("1 row of 200 has no label", "row 8"),
    "other-labels.csv": ("'maybe'", "the model's classes are 0, 1"),
    "half-labels.csv": ("0.5", "classes are 0, 1"),
    "text.csv": ("'b'", "'much'"),
    "infinite.csv": ("'b' holds inf in row 4", "finite"),
    "gap.csv": ("LogisticRegression cannot predict the new rows", "NaN"),
    "no-values.csv": ("cannot predict the new rows",),
    "few.csv": ("10 of the 10 new rows qualify", "Add at least 10 rows"),
    "one-row.csv": ("0 of the 50 new rows qualify", "Duplicates"),
    "past.csv": ("200 of the 200 rows are not new", "given twice"),
    "each-its-own.csv": ("'label'",),
}

MODELS = {  # FILE for init
    "missing.joblib": ("There is no file missing.joblib", "skops"),
    "dict.joblib": ("holds a dict with the keys 'model'", "Save the model itself"),
    "unfitted.joblib": ("LogisticRegression is not fitted",),
    "clusters.joblib": ("KMeans predicts no target column",),
    "other.joblib": ("past.csv lacks the feature 'z'",),
    "two.joblib": ("several targets",),
    "damaged.joblib": ("damaged.joblib cannot be read", "damaged"),
    "empty.joblib": ("empty.joblib is empty",),
    "text.joblib": ("no known kind of model file",),
    "past.csv": ("past.csv is no known kind of model file",),
    "whole.parquet": ("a Parquet table",),
    "nothing": ("nothing is a folder",),
    "damaged.skops": ("damaged.skops is damaged",),
    "tree.txt": ("looks like a LightGBM model", "cut off"),
    "booster.json": ("XGBoost",),
    "models:/fraud@nobody": ("no model 'fraud' with the alias 'nobody'",),
    "models:/fraud": ("names no model", "models:/NAME@ALIAS"),
    "runs:/0123456789abcdef/model": ("0123456789abcdef",),
}

WORDS = [  # arguments, exit code, words
    (("updaet", "new.csv"), 2, ("No such command 'updaet'", "'update'")),
    (("update", "new.csv"), 2, ("Missing option '--name'",)),
    (("update", "--name", "fraud"), 2, ("Missing argument 'FILE'",)),
    (("update", "new.csv", "old.csv", "--name", "fraud"), 2, ("old.csv",)),
    ((*UPDATE, "--bugdet", "5m"), 2, ("No such option: --bugdet", "--budget")),
    ((*UPDATE, "--seed", "one"), 2, ("--seed", "integer")),
    ((*UPDATE, "--seed", "-1"), 2, ("seed", "-1")),
    ((*UPDATE, "--budget", "soon"), 2, ("'soon'", "'5m'")),
    ((*UPDATE, "--budget", "0"), 2, ("above 0",)),
    ((*UPDATE, "--metric", "acuracy"), 2, ("Did you mean accuracy?",)),
    ((*UPDATE, "--metric", "rmse"), 2, ("This is a classification",)),
    ((*UPDATE, "--metric", "cost:missing.csv"), 2, ("missing.csv", "cannot be read")),
    ((*UPDATE, "--metric", "cost:lopsided.csv"), 2, ("same labels as rows and as columns",)),
    ((*UPDATE, "--metric", "cost:costs.csv"), 2, ("no class 1",)),
    ((*UPDATE, "--metric", "no_module:profit"), 2, ("no_module:profit", "module:function")),
    (("update", "new.csv", "--name", "margins", "--metric", "log_loss"), 1, ("log_loss", "probabilities")),
    ((*UPDATE, "--strategy", "retrian"), 2, ("Did you mean Retrain?",)),
    ((*UPDATE, "--strategy", "Replay(-1)"), 2, ("Replay(rows=...)", "-1")),
    ((*UPDATE, "--strategy", "Replay("), 2, ("Replay(",)),
    ((*UPDATE, "--strategy", "__import__('os').mkdir('pwned')"), 2, ("__import__",)),
    ((*UPDATE, "--strategy", "AppendTrees(10)"), 1, ("LogisticRegression lacks ['add_trees']", "Retrain()")),
    ((*UPDATE, "--report", "nowhere/page.html"), 2, ("There is no folder nowhere",)),
    ((*UPDATE, "--report", "nothing"), 2, ("nothing", "folder")),
    (("update", "new.csv", "--name", "fruad"), 1, ("There is no model 'fruad'", "did you mean 'fraud'?")),
    (("update", "new.csv", "--name", "a/b"), 1, ("'a/b' is no name",)),
    (("update", "time-gap.csv", "--name", "timed"), 1, ("'when'", "row 200")),
    (("update", "no-times.csv", "--name", "timed"), 1, ("'when'", "'soon'")),
    (("update", "new.csv", "--name", "timed"), 1, ("lacks the time column 'when'",)),
    ((*INIT[:1], "model.joblib", *INIT[2:-1]), 1, ("can run any code", "--trust-pickle")),
    (("init", "hostile.pkl", *INIT[2:-1]), 1, ("posix.mkdir", "--trust-pickle")),
    ((*SAFE, "--name", "fraud", "--data", "past.csv", "--target", "label"), 1, ("There is a model 'fraud'",)),
    ((*SAFE, "--name", "a b", "--data", "past.csv", "--target", "label"), 1, ("'a b' is no name",)),
    ((*SAFE, "--name", "x", "--data", "past.csv", "--target", "labels"), 1, ("is it 'label'?",)),
    ((*SAFE, "--name", "x", "--data", "past.csv", "--target", "a"), 1, ("target 'a' is among its features",)),
    ((*SAFE, "--name", "x", "--data", "gap.csv", "--target", "label"), 1, ("the rows of --data", "NaN")),
    ((*SAFE, "--name", "x", "--data", "blank-labels.csv", "--target", "label"), 1, ("No row has a label in 'label'",)),
    ((*FRESH, "--anchor", "lacks.csv"), 1, ("lacks.csv", "'b'")),
    ((*FRESH, "--time", "when"), 1, ("time column 'when'",)),
    ((*FRESH, "--group", "who"), 1, ("group column 'who'",)),
    ((*FRESH, "--task", "ranking"), 2, ("--task", "'ranking'")),
    ((*FRESH, "--task", "regression"), 2, ("LogisticRegression predicts classes", "regression")),
    (("predict", "rows.csv", "--name", "fraud", "-o", "said.xlsx"), 2, ("said.xlsx", ".csv")),
    (("predict", "rows.csv", "--name", "fraud", "-o", "nowhere/said.csv"), 2, ("There is no folder nowhere",)),
    (("predict", "rows.csv", "--name", "fraud", "--version", "9", "-o", "said.csv"), 1, ("no version 9", "it has 1")),
    (("predict", "lacks.csv", "--name", "fraud", "-o", "said.csv"), 1, ("lacks the feature 'b'",)),
    (("predict", "gap.csv", "--name", "fraud", "-o", "said.csv"), 1, ("LogisticRegression cannot predict these rows",)),
    (("evaluate", "rows.csv", "--name", "fraud"), 1, ("lacks the label column 'label'",)),
    (("evaluate", "new.csv", "--name", "fraud", "--version", "9"), 1, ("no version 9",)),
    (("show", "--name", "fraud", "--version", "9"), 1, ("no version 9",)),
    (("show", "--name", "fraud", "--version", "latest"), 2, ("--version",)),
    (("history", "--name", "nobody"), 1, ("There is no model 'nobody'", "fraud")),
    (("strategies", "--name", "nobody"), 1, ("There is no model 'nobody'",)),
    (("rollback", "--name", "fraud", "--why", "x"), 1, ("Nothing of 'fraud' was live before version 1",)),
    (("rollback", "--name", "fraud", "--to", "9", "--why", "x"), 1, ("no version 9",)),
    (("rollback", "--name", "fraud", "--to", "1", "--why", "x"), 1, ("live already",)),
    (("rollback", "--name", "fraud", "--why", " "), 2, ("--why TEXT",)),
    (("rollback", "--name", "fraud"), 2, ("Missing option '--why'",)),
    (("promote", "--name", "fraud", "--version", "1", "--why", "x"), 1, ("live already",)),
    (("promote", "--name", "fraud", "--version", "9", "--why", "x"), 1, ("no version 9",)),
    (("promote", "--name", "fraud", "--why", "x"), 2, ("Missing option '--version'",)),
    (("report", "--name", "fraud", "-o", "page.html"), 1, ("has no update yet",)),
    (("report", "--name", "fraud", "--update", "77", "-o", "page.html"), 1, ("no event '77'",)),
    (("report", "--name", "fraud", "--update", "1", "-o", "page.html"), 1, ("report.html",)),
    (("models", "--store", "ftp://example.org"), 1, ("'ftp://example.org'", "give a folder")),
    (("models", "--store", "sqlite:///:memory:"), 1, ("lives in memory",)),
    (("models", "--store", "past.csv"), 1, ("past.csv is a file where a folder is expected",)),
    (("models", "--store", "http://127.0.0.1:9"), 1, ("does not answer", "mlflow server")),
    (("show", "--name", "fraud", "--store", "nothing"), 1, ("holds none yet",)),
]  # fmt: skip


def given(line, file="new.csv"):
    return [file if word == "FILE" else word for word in line]


TABLE = [
    *(pytest.param(given(UPDATE, file), 1, words, id=f"update {file}") for file, words in NEW_ROWS.items()),
    *(pytest.param(given(INIT, file), 1, words, id=f"init {file}") for file, words in MODELS.items()),
    *(pytest.param(given(line), code, words, id=" ".join(line)[:90]) for line, code, words in WORDS),
]


def test_the_table_is_long_enough():
    assert len(TABLE) >= 100


@pytest.mark.parametrize(("arguments", "code", "words"), TABLE)
def test_bad_input_gives_one_sentence_a_code_and_changes_nothing(incumbent, shop, bad, arguments, code, words):
    before = digest(bad)
    said = incumbent(*arguments)
    assert said.code == code, said.err
    assert said.out == ""
    assert said.err.startswith("Error: ") and said.err.count("\n") == 1, said.err
    assert len(said.err) < 700
    assert all(word in said.err for word in words), said.err
    assert not any(word in said.err for word in ("Traceback", "<class", "0x7f", "SELECT ", "\x1b["))
    assert digest(bad) == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1\n"], ids=["empty", "no text", "ragged"])
def test_bad_standard_input_is_told_apart_from_a_file(incumbent, shop, bad, monkeypatch, content):
    before = digest(bad)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    said = incumbent("update", "-", "--name", "fraud")
    assert said.code == 1 and said.err.startswith("Error: Standard input ")
    assert digest(bad) == before


def test_a_store_from_the_environment_that_cannot_be_used_is_named_as_such(incumbent, shop, bad, monkeypatch):
    monkeypatch.setenv("INCUMBENT_STORE", "postgres://user:secret@example.org/db")
    said = incumbent("models")
    assert said.code == 1 and "(from INCUMBENT_STORE)" in said.err and "secret" not in said.err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may write everywhere cannot be refused")
def test_a_store_that_may_not_be_written_is_told(incumbent, shop, bad):
    (bad / "sealed").mkdir()
    (bad / "sealed").chmod(0o500)
    said = incumbent("init", "model.skops", *INIT[2:], "--store", "sealed/store")
    assert said.code == 1 and "permission" in said.err


def test_the_hostile_file_is_one(bad, monkeypatch):
    monkeypatch.chdir(bad)
    assert not (bad / "pwned").exists()
    pickle.loads((bad / "hostile.pkl").read_bytes())
    assert (bad / "pwned").is_dir()
    (bad / "pwned").rmdir()


def test_after_all_that_the_next_update_works(shop, bad, capfd):
    assert run(["update", "new.csv", "--name", "fraud", "--strategy", "retrain"]) == 0
    assert [event["kind"] for event in Registry(shop.store).history("fraud")] == ["update", "init"]
