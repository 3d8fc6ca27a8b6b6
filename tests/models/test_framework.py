"""A framework of another package is found by an entry point, and by its class rather than by a name."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from incumbent.errors import ModelError, UsageError
from incumbent.models import load, open_model, save, wrap
from incumbent.models._framework import frameworks

X, Y = np.arange(20.0).reshape(-1, 1), np.repeat([0, 1], 10)

ADAPTER = '''
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from incumbent.core import Prediction
from incumbent.models import Framework


class Constant:
    """Predicts one class for every row."""

    def __init__(self, label):
        self.label = label


def handles(native):
    return type(native).__module__ == __name__


@dataclass(frozen=True, eq=False)
class LinearModel:  # like the built-in adapter
    native: Any
    notes: tuple = ()
    abilities = frozenset({"retrain"})
    task = "classification"
    classes = np.array([0, 1])

    def predict(self, x):
        return Prediction(np.full(len(x), self.native.label), None, self.classes)

    def fit(self, recipe):
        return self

    def save(self, folder):
        (folder / "label.json").write_text(json.dumps(self.native.label))

    @classmethod
    def load(cls, folder):
        return cls(Constant(json.loads((folder / "label.json").read_text())))


class Stray(LinearModel):
    """An adapter that no entry point names."""


FRAMEWORK = Framework(
    adapters={"constants": f"{__name__}:LinearModel"},
    models="constants",
    files=("constant",),
    opens=lambda file: file.head.startswith(b"CONSTANT"),
    open=lambda file: Constant(int(file.head[8:])),
)
'''


@pytest.fixture(params=["LinearModel", "FRAMEWORK"])
def constants(request, tmp_path_factory, monkeypatch):
    """The module of an adapter that is installed, by an entry point for its class or for its framework."""
    folder, name = tmp_path_factory.mktemp("site"), f"constants_{request.param.lower()}"
    (folder / f"{name}.py").write_text(ADAPTER)
    about = folder / "constants-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: constants\nVersion: 0\n")
    (about / "entry_points.txt").write_text(f"[incumbent.models]\nconstants = {name}:{request.param}\n")
    monkeypatch.syspath_prepend(folder)
    frameworks.cache_clear()
    yield __import__(name)
    frameworks.cache_clear()


def test_a_model_of_another_package_is_wrapped_saved_and_loaded(constants, tmp_path):
    model = wrap(constants.Constant(1))
    assert type(model) is constants.LinearModel
    save(model, tmp_path)
    assert json.loads((tmp_path / "adapter.json").read_text())["adapter"] == "constants"
    assert load(tmp_path).predict(X).label.tolist() == [1] * 20


def test_an_adapter_with_the_name_of_a_built_in_one_does_not_take_its_models(constants, tmp_path):
    model = wrap(LogisticRegression().fit(X, Y))
    save(model, tmp_path)
    assert json.loads((tmp_path / "adapter.json").read_text())["adapter"] == "linear"
    assert type(load(tmp_path)) is type(model) is not constants.LinearModel


def test_an_adapter_that_no_entry_point_names_is_not_saved(constants, tmp_path):
    with pytest.raises(ModelError, match=r'no entry point names it.*stray = "constants_\w+:Stray"'):
        save(constants.Stray(constants.Constant(1)), tmp_path)


def test_an_option_that_does_not_apply_is_an_error(constants):
    with pytest.raises(UsageError, match="factory= is for PyTorch modules. Constant does not take it"):
        wrap(constants.Constant(1), factory="nets:build")


@pytest.mark.parametrize("constants", ["FRAMEWORK"], indirect=True)
def test_a_framework_opens_its_files(constants, tmp_path):
    (tmp_path / "model").write_bytes(b"CONSTANT1")
    assert open_model(tmp_path / "model").label == 1
    with pytest.raises(ModelError, match="constant, safetensors, PyTorch, LightGBM or XGBoost file"):
        open_model(tmp_path / "absent")
