from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from incumbent.errors import RegistryError
from incumbent.store import Store
from incumbent.store._where import local_path, resolve


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("models", "sqlite:///{here}/models/mlflow.db"),
        (Path("models"), "sqlite:///{here}/models/mlflow.db"),
        ("./a/../models/", "sqlite:///{here}/models/mlflow.db"),
        ("~/models", "sqlite:///{home}/models/mlflow.db"),
        ("sqlite:////srv/team.db", "sqlite:////srv/team.db"),
        ("sqlite:///team.db", "sqlite:///{here}/team.db"),
        ("sqlite:////srv/team.db?timeout=60", "sqlite:////srv/team.db?timeout=60"),
        ("http://host:5000/", "http://host:5000"),
        ("https://host/mlflow", "https://host/mlflow"),
        (None, "sqlite:///{here}/.incumbent/mlflow.db"),
        ("", "sqlite:///{here}/.incumbent/mlflow.db"),
    ],
)
def test_a_store_is_a_folder_a_database_or_a_server(given, url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    assert Store(given).url == url.format(here=tmp_path, home="/home/ann")
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_asked_in_order(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow")
    assert Store().url == "http://mlflow"
    monkeypatch.setenv("INCUMBENT_STORE", "http://incumbent")
    assert Store().url == "http://incumbent"
    assert Store("http://given").url == "http://given"


@pytest.mark.parametrize(
    "given",
    ["postgresql://host/db", "s3://bucket/x", "file:///tmp/x", "databricks://profile", "sqlite://", "sqlite:x.db"]
    + ["sqlite:///:memory:", "sqlite:///", "http://", "https://:80", "a?b", "a%20b"],
)
def test_a_url_that_is_no_store_is_refused_at_once(given):
    with pytest.raises(RegistryError) as caught:
        Store(given)
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("value", ["databricks", "uc", "mysql://ann:secret@host/db"])
def test_what_the_environment_says_and_cannot_be_used_is_named(value, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    with pytest.raises(RegistryError, match="from MLFLOW_TRACKING_URI") as caught:
        Store()
    assert "secret" not in str(caught.value)


def test_a_password_is_not_shown():
    assert "secret" not in str(resolve("http://ann:secret@host")) + repr(Store("http://ann:secret@host"))


def test_reading_from_a_store_that_does_not_exist_finds_it_empty_and_makes_nothing(tmp_path):
    for store in (Store(tmp_path / "none"), Store(f"sqlite:///{tmp_path}/none.db"), Store(tmp_path)):
        assert store.names() == []
        for ask in (store.champion, store.history, store.versions, store.previous, store.state):
            with pytest.raises(RegistryError, match="holds none yet; make it with: incumbent init MODEL --name fraud"):
                ask("fraud")
        with pytest.raises(RegistryError, match="holds none yet"), store.event("fraud", "update"):
            pass
        with pytest.raises(RegistryError, match="does not exist"):
            store.fetch("models:/a/1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def broken_stores(tmp_path: Path) -> dict[str, tuple[Path | str, str]]:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "mlflow.db").mkdir(parents=True)
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "mlflow.db").write_text("no database at all, though it has some length")
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        theirs.execute("CREATE TABLE customers (id INTEGER)")
    return {
        "a file": (tmp_path / "file", "is a file where a folder is expected"),
        "below a file": (tmp_path / "file" / "store", "is a file where a folder is expected"),
        "a folder for a database": (tmp_path / "folder", "is a folder where a database is expected"),
        "garbage": (tmp_path / "garbage", "is not an sqlite database"),
        "another database": (f"sqlite:///{tmp_path}/theirs.db", "not a database of MLflow (it holds customers)"),
    }


@pytest.mark.parametrize("which", ["a file", "below a file", "a folder for a database", "garbage", "another database"])
def test_an_unusable_store_says_why_and_stays_as_it_is(which, tmp_path):
    given, message = broken_stores(tmp_path)[which]
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    store = Store(given)
    for use in (store.names, lambda: store.champion("fraud"), lambda: store.event("fraud", "init").__enter__()):
        with pytest.raises(RegistryError) as caught:
            use()
        assert message in str(caught.value)
        assert_one_sentence(caught.value)
    now = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.parent.name != "locks"}
    assert now == before


def test_a_folder_that_cannot_be_made_is_reported():
    store = Store("/proc/incumbent/store")
    assert store.names() == []
    with pytest.raises(RegistryError, match="cannot be made") as caught, store.event("fraud", "init"):
        pass
    assert_one_sentence(caught.value)


def test_a_folder_without_permission_to_write_is_reported(life, root, tmp_path, monkeypatch):
    life.init()
    moved = tmp_path / "read-only"
    moved.symlink_to(root)
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and may(path, mode))
    store = Store(moved)
    assert store.champion("fraud") == 1
    with pytest.raises(RegistryError, match="cannot be written to: no permission"):
        life.at(Store(tmp_path / "new")).init()


def test_tables_of_another_mlflow_are_reported_with_the_command_that_helps(own_root):
    with closing(sqlite3.connect(own_root / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'elder'")
        database.commit()
    with pytest.raises(RegistryError, match="mlflow db upgrade sqlite:///") as caught:
        Store(own_root).names()
    assert_one_sentence(caught.value)


def test_a_server_that_does_not_answer_is_reported_quickly():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with pytest.raises(RegistryError, match=f"http://127.0.0.1:{port} does not answer") as caught:
        Store(f"http://127.0.0.1:{port}").names()
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("folder", ["with space", "#%größe", "a&b=c;d'e"])
def test_a_folder_may_have_an_unusual_name(folder, empty_database, life, tmp_path):
    (tmp_path / folder).mkdir()
    shutil.copy(empty_database, tmp_path / folder)
    there = life.at(Store(tmp_path / folder))
    there.init()
    assert there.live() == (1, "m1", "s1")
    assert there.store.folder("fraud", 1).is_relative_to(tmp_path / folder)


def test_a_database_given_by_url_keeps_its_files_beside_it(empty_database, life, tmp_path):
    shutil.copy(empty_database, tmp_path / "team.db")
    there = life.at(Store(f"sqlite:///{tmp_path}/team.db"))
    there.init()
    assert there.live() == (1, "m1", "s1")
    assert there.store.folder("fraud", 1).is_relative_to(tmp_path / "artifacts" / "fraud")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/srv/a b", "/srv/a b"),
        ("file:///srv/a%20b%23", "/srv/a b#"),
        ("s3://bucket/a", None),
        ("mlflow-artifacts:/1/a", None),
    ],
)
def test_an_artifact_uri_is_local_or_not(uri, path):
    assert local_path(uri) == (None if path is None else Path(path))


def assert_one_sentence(error: Exception) -> None:
    text = str(error)
    assert "\n" not in text and text.endswith((".", "?")) and "Traceback" not in text and len(text) < 500
