from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from incumbent.store import Store


@pytest.fixture(autouse=True)
def no_store_from_outside(monkeypatch):
    monkeypatch.delenv("INCUMBENT_STORE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A database with MLflow's tables and nothing in them: making one takes seconds, copying it none."""
    from incumbent.store._client import connect
    from incumbent.store._where import resolve

    root = tmp_path_factory.mktemp("empty") / "store"
    connect(resolve(root), create=True)
    return root / "mlflow.db"


@pytest.fixture
def own_root(tmp_path, empty_database) -> Path:
    """An empty store at a path that no other test uses."""
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copy(empty_database, folder)
    return folder


@pytest.fixture
def root(tmp_path_factory, empty_database) -> Path:
    """An empty store, emptied again for each test: opening another database each time takes most of a test's time."""
    folder = tmp_path_factory.getbasetemp() / "shared-store"
    for left in ("artifacts", "locks"):
        shutil.rmtree(folder / left, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(empty_database)) as empty, closing(sqlite3.connect(folder / "mlflow.db")) as database:
        empty.backup(database)
    return folder


@pytest.fixture
def store(root) -> Store:
    return Store(root)


@pytest.fixture
def holding(tmp_path) -> Callable[[str], Path]:
    """Make a folder with one file of that text: what stands for a model, or a state."""

    def make(text: str) -> Path:
        folder = tmp_path / f"holding-{text}"
        folder.mkdir(exist_ok=True)
        (folder / "content.txt").write_text(text)
        return folder

    return make


@dataclass
class Life:
    """What the tests do with a store: make a name, update it, go back, and look at what serves."""

    store: Store
    holding: Callable[[str], Path]

    def at(self, store: Store) -> Life:
        return Life(store, self.holding)

    def init(self, name: str = "fraud", *, state: str = "s1") -> int:
        with self.store.event(name, "init", why="first", user="ann") as event:
            version = event.add_version(self.holding("m1"), {"schema": "v1"})
            event.keep_state(self.holding(state))
            event.conclude(decision="init", deploy=version, info={"rows": 100})
        return version

    def update(self, text: str, *, deploy: bool, name: str = "fraud") -> int:
        """Add a version that holds m-TEXT, keep the state s-TEXT, and deploy or refuse it."""
        with self.store.event(name, "update", why="new rows", user="bob") as event:
            version = event.add_version(self.holding(f"m-{text}"), {})
            event.keep_state(self.holding(f"s-{text}"))
            decision = "promote" if deploy else "reject"
            event.conclude(decision=decision, deploy=version if deploy else None, info={"text": text})
        return version

    def rollback(self, to: int, name: str = "fraud") -> None:
        with self.store.event(name, "rollback", why="it was bad", user="cleo") as event:
            event.conclude(decision="rollback", deploy=to, info={})

    def live(self, name: str = "fraud") -> tuple[int, str | None, str | None] | None:
        """What serves: the champion's number, its files, its state; None if there is no champion."""
        if name not in self.store.names():
            return None
        champion = self.store.champion(name)
        return champion, self.content(self.store.folder(name, champion)), self.content(self.store.state(name))

    @staticmethod
    def content(folder: Path | None) -> str | None:
        return None if folder is None else (folder / "content.txt").read_text()


@pytest.fixture
def life(store, holding) -> Life:
    return Life(store, holding)
