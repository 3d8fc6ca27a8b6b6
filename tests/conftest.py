from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore = [] if find_spec("torch") else ["nets.py"]  # what its tests share; they skip themselves


def pytest_configure(config):
    # Before NumPy is imported: on small data the threads of each test process would only wait for those of the others.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def no_store_from_outside(monkeypatch):
    monkeypatch.delenv("INCUMBENT_STORE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory) -> Path:
    """One store for all tests of a session, each with a name of its own: making its tables takes seconds."""
    return tmp_path_factory.mktemp("shared") / "store"


@pytest.fixture
def name(request) -> str:
    """A name of a model that no other test uses."""
    return request.node.nodeid.rpartition("::")[2].translate(str.maketrans("[]:/ ", "-----"))[-90:].strip("-_.")
