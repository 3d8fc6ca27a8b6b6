from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from incumbent.cli import run
from rows import NAMES, fitted, points


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def incumbent(capfd) -> Callable[..., Said]:
    """Run a command in this process."""

    def call(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Said(code, *capfd.readouterr())

    return call


@dataclass(frozen=True)
class Shop:
    """A working folder with what a user has: a model, the rows it learned from, and new ones."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / ".incumbent"


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """The files of a shop, made once."""
    folder = tmp_path_factory.mktemp("files")
    past = points(200, seed=3)
    joblib.dump(fitted(LogisticRegression(), past[:12]), folder / "model.joblib")
    past.to_csv(folder / "past.csv", index=False)
    points(150, seed=10).to_csv(folder / "old.csv", index=False)
    points(600, seed=4).to_csv(folder / "new.csv", index=False)
    points(300, seed=5).to_parquet(folder / "more.parquet")
    points(20, seed=6)[NAMES].to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def module_folder(files, tmp_path_factory) -> Path:
    """A working folder for the tests of one file, with those files in it."""
    folder = tmp_path_factory.mktemp("shop")
    for file in files.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture
def shop(module_folder, monkeypatch) -> Shop:
    monkeypatch.chdir(module_folder)
    return Shop(module_folder)
