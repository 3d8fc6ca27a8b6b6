"""The example adapter: nets in JAX follow every strategy for nets, in memory and in a registry."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="the example needs jax")
pytest.importorskip("optax", reason="the example needs optax")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from incumbent import Gate, Registry  # noqa: E402
from incumbent.core import Batch, Memory, Recipe  # noqa: E402
from incumbent.models import wrap  # noqa: E402
from incumbent.models._framework import frameworks  # noqa: E402
from incumbent.strategies import Incremental, catalogue, chain  # noqa: E402
from incumbent.testing import check_model  # noqa: E402
from jax_adapter import JaxModel, JaxNet  # noqa: E402
from jax_mlp import MLP  # noqa: E402

NOT_THERE = ("Tune", "Continue", "AddTrees", "LoRA", "ReplaceArchitecture")  # trees, low-rank updates and factories
LEARNS = "Incremental(lr=0.01, epochs=3)"
BY = ("EWC(1.0)", "DER()")
STRATEGIES = (*(f"chain({each}, {LEARNS})" for each in BY), "Analytic()")


def table(rows=240, turned=False, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    return Batch(x, np.digitize(x[:, 0] * (-1 if turned else 1) + 0.5 * x[:, 1], [-0.5, 0.5]))


def short(strategy):
    made = strategy.prepare(Recipe(), Memory())
    is_set = made.structure.start == "scratch" or made.structure.head or made.optimizer != Recipe().optimizer
    return strategy if is_set else chain(strategy, Incremental(lr=0.01, epochs=1))


@pytest.fixture
def entry_point(tmp_path, monkeypatch):
    """Install the adapter, as a package would."""
    about = tmp_path / "jax_adapter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: jax_adapter\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[incumbent.models]\njax = jax_adapter:FRAMEWORK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    frameworks.cache_clear()
    yield
    frameworks.cache_clear()


@pytest.mark.slow
def test_it_keeps_every_promise_and_follows_every_strategy():
    rows = table()
    model = JaxModel.from_net(JaxNet(MLP(4, 16, 3))).infer_outputs(rows.y)
    names = [name for name in catalogue() if name not in NOT_THERE]
    check_model(model, rows, strategies=[short(catalogue()[name]()) for name in names])


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_is_updated_stored_and_rolled_back(strategy, tmp_path, entry_point):
    old, new = table(300, seed=1), table(800, turned=True, seed=2)
    registry = Registry(tmp_path / "store")
    registry.init("mine", MLP(4, 16, 3), (old.x, old.y), gate=Gate(tolerance=None))
    before = registry.predict("mine", new.x)
    assert registry.update("mine", (new.x, new.y), strategies=strategy).decision == "promote"
    served = registry.load("mine")
    assert isinstance(served, MLP)
    labels = wrap(served, classes=[0, 1, 2]).predict(new.x).label
    assert labels.tolist() == registry.predict("mine", new.x)["prediction"].tolist()
    assert registry.rollback("mine", why="to test it") == 1
    assert registry.predict("mine", new.x).equals(before)
