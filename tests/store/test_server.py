"""The same store behind an MLflow server. Needs what the extra `ui` brings, so it is skipped without it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

from incumbent.errors import LockError, RegistryError
from incumbent.store import Store

pytest.importorskip("flask", reason="an MLflow server needs the extra 'ui'")
pytestmark = pytest.mark.slow

SERVE = """
import os, sys
folder, port = sys.argv[1:]
os.environ["_MLFLOW_SERVER_FILE_STORE"] = os.environ["_MLFLOW_SERVER_REGISTRY_STORE"] = f"sqlite:///{folder}/mlflow.db"
os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = f"{folder}/artifacts"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
from mlflow.server import app
app.run("127.0.0.1", int(port), threaded=True)
"""


@pytest.fixture
def server(own_root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(own_root), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield Store(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def test_a_server_keeps_the_same_life_as_a_folder(server, life, capfd, tmp_path):
    there = life.at(server)
    assert server.names() == []
    there.init()
    there.update("two", deploy=True)
    there.update("three", deploy=False)
    assert there.live() == (2, "m-two", "s-three")
    there.rollback(server.previous("fraud"))
    assert there.live() == (1, "m1", "s1")
    assert there.live() == (1, "m1", "s1")  # now from this machine's copy
    assert [r.kind for r in server.history("fraud")] == ["rollback", "update", "update", "init"]
    assert [v.status for v in server.versions("fraud")] == ["live", "was live", "challenger"]
    with pytest.raises(RegistryError, match="no version 9; it has 1, 2, 3"):
        server.folder("fraud", 9)
    with pytest.raises(RegistryError, match="no 'report.html'; it has model, state"):
        server.artifact("fraud", "1", "report.html")
    assert life.content(server.fetch("models:/fraud@champion", tmp_path)) == "m1"
    assert capfd.readouterr() == ("", "")


def test_others_on_a_server_who_move_the_alias_are_not_overwritten(server, life, holding):
    there = life.at(server)
    there.init()
    there.update("two", deploy=True)
    with pytest.raises(LockError, match="moved from version 2 to 1"), server.event("fraud", "update") as event:
        version = event.add_version(holding("m3"), {})
        server._client().set_registered_model_alias("fraud", "champion", "1")
        event.conclude(decision="promote", deploy=version, info={})
    assert server.champion("fraud") == 1


def test_a_server_that_goes_away_is_reported_in_one_sentence(life):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        store = Store(f"http://127.0.0.1:{probe.getsockname()[1]}")
    with pytest.raises(RegistryError, match="does not answer"):
        life.at(store).init()
