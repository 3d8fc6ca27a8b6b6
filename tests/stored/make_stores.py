"""Make the fixture of this folder: a store of version 0.1 with many models, and its printed recipes.

Run it with version 0.1 installed (or its source on PYTHONPATH), and with the extras "boosting" and "torch"::

    python tests/stored/make_stores.py

It writes into ``tests/stored/0.1``:

- ``store.zip``: one folder store with all models, after updates. The paths in its database begin with ``file:///store``.
- ``rows/NAME.parquet`` or ``rows/NAME.npz``: rows to predict (``x``) and rows for one more update.
- ``expected.json``: what ``show``, ``history`` and ``state`` gave; ``expected/NAME.parquet``: predictions by version.
- ``recipes.txt``: strategies and recipes as 0.1 prints them.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightgbm import Dataset, LGBMClassifier, train
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from xgboost import XGBClassifier

import incumbent
from incumbent.core import ELEMENTS, Memory, Recipe
from incumbent.gate import Gate, Limit
from incumbent.registry import Registry
from incumbent.slices import Slice
from incumbent.strategies import PRESETS, parse

HERE = Path(__file__).parent / "0.1"
ANY = Gate(min_gain=-1.0, tolerance=None)
"""Promotes whatever is not shown to be worse by a whole point."""
PLACEHOLDER = "file:///store"
SHOWN = ("version", "task", "made_by", "features", "target", "classes", "memory_rows", "rows_seen", "anchor_rows")
SHOWN += ("anchor_uses", "standing", "candidate")
TOLD = ("kind", "status", "decision", "strategy", "version_before", "version_after", "candidate", "why")


@dataclass(frozen=True)
class Example:
    """A model, its first rows, and its updates: the strategies of each."""

    live: Any
    rows: Callable[[int, int], Any]
    updates: tuple[Any, ...]
    gate: Gate = ANY
    size: int = 120
    anchor: bool = False
    options: dict[str, Any] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------ rows


def numbers(rows: int, seed: int, *, turn: float = 0.0) -> pd.DataFrame:
    """Three numbers and a class that depends on two of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).round(3)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(label=(x @ [1.0, 1.0 - turn, 0.0] > 0).astype(int))


def values(rows: int, seed: int) -> pd.DataFrame:
    """Three numbers and a fourth that depends on them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).round(3)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(label=(x @ [1.0, 0.5, 0.0]).round(3))


def payments(rows: int, seed: int) -> pd.DataFrame:
    """Text, numbers and a class as text; later rows bring a new country."""
    rng = np.random.default_rng(seed)
    countries = ["de", "fr", "nl"] if seed == 0 else ["de", "fr", "nl", "lt"]
    x = pd.DataFrame({"amount": rng.lognormal(4, 1, rows).round(2), "hour": rng.integers(0, 24, rows)})
    x["country"] = rng.choice(countries, rows)
    risky = (x["amount"] > 60) & (x["hour"] < 8) | (x["country"] == "lt")
    return x.assign(label=np.where(risky, "yes", "no"))


def pixels(rows: int, seed: int) -> tuple[Any, Any]:
    """128 inputs that vary together, in whole numbers, and three classes."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(99).normal(size=(4, 128))
    hidden = rng.normal(size=(rows, 4))
    return np.clip((hidden @ basis).round(), -4, 4), (hidden[:, 0] > 0).astype(int) + (hidden[:, 1] > 0.5)


def islands(rows: int, seed: int) -> pd.DataFrame:
    """Small groups of two classes amid each other, which near rows tell apart."""
    rng, centres = np.random.default_rng(seed), np.random.default_rng(7).normal(size=(24, 6)) * 3
    of = rng.integers(24, size=rows)
    x = (centres[of] + 0.3 * rng.normal(size=(rows, 6))).round(2)
    return pd.DataFrame(x, columns=list("abcdef")).assign(label=np.where(of % 2 == 0, "even", "odd"))


def tensors(rows: int, seed: int) -> tuple[Any, Any]:
    """Four inputs in single precision, three classes."""
    x = np.random.default_rng(seed).normal(size=(rows, 4)).round(2).astype(np.float32)
    return x, np.digitize(x[:, 0] + 0.5 * x[:, 1], [-0.5, 0.5])


def labels(rows: int, seed: int) -> tuple[Any, Any]:
    """The same with two labels, each on or off."""
    x, _ = tensors(rows, seed)
    return x, np.column_stack([x[:, 0] > 0, x[:, 1] + x[:, 2] > 0]).astype(int)


# ---------------------------------------------------------------------------------------------- models


def weak(model: Any, frame: pd.DataFrame, rows: int = 20) -> Any:
    """Return the model, fitted to too few rows, so that a challenger can be better."""
    return model.fit(frame.drop(columns="label")[:rows], frame["label"][:rows])


def net(outputs: int = 3) -> nn.Module:
    """A few units."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


def forest() -> Any:
    """A pipeline on text and numbers."""
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["country"]), remainder="passthrough")
    return make_pipeline(encoder, RandomForestClassifier(4, max_depth=4, random_state=0, n_jobs=1))


def examples() -> dict[str, Example]:
    """Every model of the store by name."""
    table, money, wide, groups = numbers(120, 0), payments(120, 0), pixels(120, 0), islands(200, 0)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    lightgbm = {"n_estimators": 4, "num_leaves": 4, "verbose": -1, "n_jobs": 1, "random_state": 0}
    booster = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
    short = "Incremental('adam', lr=0.01, epochs=2)"
    slices = (Slice("a > 0", tolerance=0.5), Slice("b", tolerance=0.5))
    limits = (Limit("bytes", ratio=10.0), Limit("accuracy", least=0.1))
    guarded = Gate(min_gain=-0.5, tolerance=0.5, slices=slices, limits=limits, max_flips=0.9)
    promoted = ("retrain", "incremental"), "retrain"
    dropped = groups.drop(columns="label")
    return {
        "logistic": Example(weak(LogisticRegression(), table, 6), numbers, promoted, Gate(tolerance=0.5), anchor=True),
        "forest": Example(weak(forest(), money, 60), payments, ("retrain", "chain(Replay(100), Continue(2))")),
        "analytic": Example(
            weak(scaled, table), numbers, ("Analytic(16, projection='relu', neighbours=0)",) * 2, anchor=True
        ),
        "quadratic": Example(
            LogisticRegression(C=0.01).fit(wide[0][:40], wide[1][:40]),
            pixels,
            ("Analytic(32, projection='quadratic', neighbours=0)",) * 2,
        ),
        "votes": Example(
            LogisticRegression().fit(dropped, groups["label"]),
            islands,
            ("Analytic(24, ridge=1.0, neighbours=60)",) * 2,
            size=200,
        ),
        "lightgbm": Example(weak(LGBMClassifier(**lightgbm), table, 60), numbers, ("continue", "retrain")),
        "booster": Example(
            train(booster, Dataset(table.drop(columns="label")[:60], table["label"][:60]), 4),
            numbers,
            ("chain(Replay(100), Continue(2))", "Continue(refit=0.5)"),
            options={"task": "classification"},
        ),
        "xgboost": Example(
            weak(XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1), table, 60), numbers, ("continue", "retrain")
        ),
        "net-ewc": Example(net(), tensors, (f"chain(EWC(1.0), {short})",) * 2),
        "net-der": Example(net(), tensors, (f"chain(DERpp(100), {short})",) * 2),
        "net-analytic": Example(net(), tensors, ("Analytic(16, neighbours=0)",) * 2),
        "net-lora": Example(net(), tensors, (f"chain(LoRA(2, apart=True), {short})",) * 2),
        "net-labels": Example(net(2), labels, (f"chain(Replay(100), {short})",) * 2),
        "vote": Example(weak(LogisticRegression(), table), numbers, ("vote", "vote")),
        "ridge": Example(weak(Ridge(), values(120, 0), 8), values, promoted, anchor=True),
        "share": Example(
            weak(LogisticRegression(), table), numbers, promoted, guarded.but(error_control="share"), anchor=True
        ),
        "lifetime": Example(
            weak(LogisticRegression(), table), numbers, promoted, guarded.but(error_control="lifetime"), anchor=True
        ),
        "standing": Example(weak(LogisticRegression(), table, 100), numbers, ("retrain",), Gate(), anchor=True),
        "prequential": Example(
            weak(LogisticRegression(), table, 100),
            numbers,
            (("incremental", "retrain"),) * 2,
            Gate(source="prequential", tolerance=None),
        ),
    }


# ------------------------------------------------------------------------------------------- the store


def make(registry: Registry, name: str, example: Example) -> None:
    """Bring one model in and update it; some have a special event at the end."""
    anchor = {"anchor": example.rows(80, 50)} if example.anchor else {}
    target = {"target": "label"} if isinstance(example.rows(1, 0), pd.DataFrame) else {}
    first = example.rows(example.size, 0)
    registry.init(name, example.live, first, gate=example.gate, user="ann", **target, **anchor, **example.options)
    for number, strategies in enumerate(example.updates, 1):
        new = example.rows(example.size, number)
        waits = name == "ridge" and number == 2
        found = registry.update(name, new, strategies=strategies, approve=waits, user="ann", seed=number)
        print(f"{name:14} {found.decision:13} {found.chosen.strategy if found.chosen else '-'}")
    if name == "logistic":
        registry.set_gate(name, Gate(tolerance=0.3), why="for the example", user="ann")
        registry.rollback(name, why="for the example", user="ann")
    if name == "standing":
        registry.shadow_start(name, 2, why="for the example", user="ann")
    if name == "analytic":
        told = registry.forget(name, example.rows(example.size, 2)[:3], why="for the example", user="ann")
        print(f"{name:14} forgot by {told.how}")


def save_rows(folder: Path, name: str, example: Example) -> None:
    """Write the rows to predict, and those of one more update."""
    ask, more = example.rows(30, 90), example.rows(example.size, 91)
    if isinstance(ask, pd.DataFrame):
        both = pd.concat([ask.assign(part="ask"), more.assign(part="more")])
        both.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    else:
        np.savez_compressed(folder / f"{name}.npz", x=ask[0], more_x=more[0], more_y=more[1])


def predictions(registry: Registry, name: str, example: Example) -> pd.DataFrame:
    """Return what every version predicts."""
    ask = example.rows(30, 90)
    x = ask.drop(columns="label") if isinstance(ask, pd.DataFrame) else ask[0]
    numbers = [info.version for info in registry.store.versions(name)]
    return pd.concat([registry.predict(name, x, version=v).assign(version=v) for v in numbers])


def expected(registry: Registry, name: str, example: Example) -> dict[str, Any]:
    """Return what is known of a model, without times and ids."""
    shown, gate, state = registry.show(name), registry.version(name).gate, registry.state(name)
    history = [{key: line[key] for key in TOLD} for line in registry.history(name)]
    last = example.updates[-1]
    return {
        "strategies": [last] if isinstance(last, str) else list(last),
        "show": {key: shown[key] for key in SHOWN},
        "gate": {key: getattr(gate, key) for key in ("min_gain", "tolerance", "alpha", "error_control", "source")}
        | {"slices": [part.where for part in gate.slices], "limits": [limit.name for limit in gate.limits]},
        "control": dict(state.control),
        "importance": sorted(state.memory.importance),
        "statistics": bool(state.memory.statistics),
        "outputs": state.memory.rows.soft is not None,
        "history": history,
    }


def pack(store: Path, target: Path) -> None:
    """Write a store as a zip: no pages of reports but one, no names of machines, no locks."""
    pages = sorted(store.glob("artifacts/*/*/artifacts/report.html"))
    for page in pages:
        if "logistic" not in page.parts:
            page.unlink()
    shutil.rmtree(store / "locks", ignore_errors=True)
    with closing(sqlite3.connect(store / "mlflow.db")) as db:
        for table, column in located(db):
            for here, there in (store.as_uri(), PLACEHOLDER), (str(store), "/store"), (str(Path.cwd()), "/store"):
                db.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (here, there))
        db.commit()
        db.execute("VACUUM")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for path in sorted(p for p in store.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(store))


def located(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Give every text column of the database."""
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for column in db.execute(f"PRAGMA table_info({table})").fetchall():
            if "CHAR" in column[2].upper() or "TEXT" in column[2].upper():
                yield table, column[1]


# --------------------------------------------------------------------------------------------- recipes


FIELDS = {
    "replay": 50, "sample": "balanced", "cap": 900, "window": "30d", "half_life": 100.0, "ordered": True,
    "beside": True, "subset": "rho", "share": 0.5, "balanced": True, "emphasis": 4.0,
    "start": "scratch", "append": 20, "shrink": 0.1, "releaf": 0.5, "freeze": ("backbone", "layer1.*"), "search": 12,
    "new_head": True, "grow": "imprint", "rank": 8, "adapt": ("encoder.*",), "apart": True,
    "factory": "package.module:build", "arguments": (("hidden", 8),), "keep": 0.4, "noise": 0.01, "analytic": "auto",
    "projection": "quadratic", "reads": "input", "neighbours": 200,
    "pull": 0.1, "importance": "fisher", "normalise": True, "fresh": 0.01, "l2": 1.0, "soft": 1.0, "temperature": 4.0,
    "logits": 0.5, "labels": 0.5, "task_loss": "huber", "smoothing": 0.1, "class_weight": (("fraud", 20.0),),
    "optimizer": "adam", "lr": 0.01, "epochs": 3, "batch_size": 32, "weight_decay": 0.1, "schedule": "cosine",
    "warmup": 0.1, "layer_decay": 0.8, "clip": 1.0, "patience": 2,
    "alpha": "auto", "blend": "stack", "members": 3, "soup": 4, "ema": 0.99,
}  # fmt: skip
"""A value for each field of a recipe that is not its default."""
PARENTS = {
    "sample": "replay", "share": "subset", "shrink": "append", "l2": "append", "adapt": "rank", "apart": "rank",
    "arguments": "factory", "noise": "keep", "projection": "analytic", "reads": "analytic", "neighbours": "analytic",
    "importance": "pull", "normalise": "pull", "temperature": "soft", "labels": "beside", "members": "blend",
}  # fmt: skip
"""Fields that mean something only where another one is set."""


def recipes() -> str:
    """Return strategies with their recipes, then recipes that differ from the default in one field."""
    fields = [f.name for kind in ELEMENTS.values() for f in dataclasses.fields(kind)]
    assert set(fields) == set(FIELDS), set(fields) ^ set(FIELDS)
    texts = [*PRESETS.values(), *(repr(parse(text)) for text in PRESETS.values())]
    lines = ["# A strategy of version 0.1 and the recipe that it prepares, with a tab between."]
    lines += [f"{text}\t{parse(text).prepare(Recipe(), Memory())!r}" for text in dict.fromkeys(texts)]
    lines += [
        "# A field of a recipe of version 0.1 and a recipe that has only this one set; then one with all of them."
    ]
    lines += [f".{name}\t{Recipe().but(**{name: FIELDS[name]})!r}" for name in fields]
    lines += [f".all\t{Recipe().but(**FIELDS)!r}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write everything."""
    assert incumbent.__version__ == "0.1.0", "run this with version 0.1 installed"
    shutil.rmtree(HERE, ignore_errors=True)
    for folder in (HERE / "rows", HERE / "expected"):
        folder.mkdir(parents=True)
    (HERE / "recipes.txt").write_text(recipes())
    wanted = examples()
    if sys.argv[1:]:
        wanted = {name: wanted[name] for name in sys.argv[1:]}
    with tempfile.TemporaryDirectory() as folder:
        store, told = Path(folder) / "store", {}
        registry = Registry(store)
        for name, example in wanted.items():
            make(registry, name, example)
            save_rows(HERE / "rows", name, example)
            predictions(registry, name, example).to_parquet(HERE / "expected" / f"{name}.parquet", index=False)
            told[name] = expected(registry, name, example)
        (HERE / "expected.json").write_text(json.dumps(told, indent=1, default=str) + "\n")
        pack(store, HERE / "store.zip")


if __name__ == "__main__":
    main()
