from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from incumbent import Gate, Registry, update
from incumbent.core import Prediction
from incumbent.data import LazyRows, read
from incumbent.errors import DataError, SchemaError


@dataclass(frozen=True, eq=False)
class Centroids:
    """A model of arrays, without any framework: each row is of the class whose mean image is nearest."""

    means: np.ndarray
    known: np.ndarray
    asked: list

    abilities = frozenset({"retrain", "proba", "incremental"})
    task = "classification"
    takes = "tensors"
    notes = ()

    @property
    def native(self):
        return self

    @property
    def classes(self):
        return self.known

    def predict(self, x):
        self.asked.append(x)
        pixels = x["image"] if isinstance(x, dict) else x
        parts = [self._proba(pixels[at : at + 500]) for at in range(0, len(pixels), 500)]
        proba = np.concatenate(parts)
        return Prediction(self.known[proba.argmax(axis=1)], proba, self.known)

    def _proba(self, pixels):
        far = ((pixels[:, None] / 255.0 - self.means) ** 2).reshape(len(pixels), len(self.known), -1).sum(axis=2)
        near = np.exp(-far)
        return near / near.sum(axis=1, keepdims=True)

    def fit(self, recipe):
        rows = recipe.train
        pixels = np.asarray(rows.x["image"] if isinstance(rows.x, dict) else rows.x) / 255.0
        known = np.union1d(self.known, rows.y)
        return Centroids(np.stack([pixels[rows.y == label].mean(axis=0) for label in known]), known, self.asked)

    def save(self, folder):
        np.save(folder / "means.npy", self.means)


def pictures(rows, *, seed, shift=0):
    """Dark images of 6 x 6 with a brighter band at the left or at the right; `shift` moves both."""
    rng = np.random.default_rng(seed)
    x, right = rng.integers(0, 120, size=(rows, 6, 6), dtype=np.uint8), rng.random(rows) < 0.5
    for side, columns in ((False, (0, 2)), (True, (3, 5))):
        x[right == side, :, columns[0] + shift : columns[1] + shift] += 60
    return x, np.where(right, "right", "left")


def live(x, y):
    known = np.array(["left", "right"])
    return Centroids(np.stack([(x[y == label] / 255.0).mean(axis=0) for label in known]), known, [])


OLD, NEW = pictures(400, seed=0), pictures(2_000, seed=1, shift=1)
WAIVED = Gate(tolerance=None)


def folder_of(x, y, folder):
    for kind, number, pixels in zip(y, range(len(y)), x, strict=True):
        (folder / kind).mkdir(exist_ok=True, parents=True)
        pytest.importorskip("PIL.Image").fromarray(pixels).save(folder / kind / f"{number:05}.png")
    return folder


def mapped(x, y, folder):
    np.save(folder / "x.npy", x)
    np.save(folder / "target.npy", y)
    return folder


def packed(x, y, folder):
    np.savez(folder / "rows.npz", pixels=x, target=y)
    return folder / "rows.npz"


@pytest.fixture(scope="module")
def wanted():
    return update(live(*OLD), NEW, data=OLD, strategies="retrain", gate=WAIVED)


@pytest.mark.parametrize(
    "given",
    [
        lambda x, y, folder: list(zip(x, y, strict=True)),
        lambda x, y, folder: {"x": x, "target": y},
        mapped,
        packed,
    ],
    ids=["examples", "dict", "mapped", "npz"],
)
def test_an_update_takes_the_same_rows_in_every_form_and_comes_to_the_same_verdict(given, wanted, tmp_path):
    outcome = update(live(*OLD), given(*NEW, tmp_path), data=OLD, strategies="retrain", gate=WAIVED)
    assert (outcome.decision, dict(outcome.rows)) == ("promote", dict(wanted.rows))
    np.testing.assert_array_equal(outcome.model.means, wanted.model.means)
    assert outcome.memory.rows.x.dtype == np.uint8 and isinstance(outcome.memory.rows.x, np.ndarray)
    assert outcome.check.digest == wanted.check.digest


def test_images_in_folders_update_a_model(tmp_path):
    x, y = OLD[0][..., None], OLD[1]
    folder = folder_of(*pictures(200, seed=1, shift=1), tmp_path)
    outcome = update(live(x, y), folder, data=(x, y), strategies="retrain", gate=WAIVED)
    assert outcome.rows["read"] == 200 and outcome.challengers[0].model.means.shape == (2, 6, 6, 1)


def test_mapped_rows_reach_the_model_unread(tmp_path):
    champion = live(*OLD)
    update(champion, mapped(*NEW, tmp_path), strategies="retrain", gate=WAIVED)
    assert all(isinstance(x, LazyRows) for x in champion.asked)


def test_several_inputs_and_a_table_reach_the_model_by_name():
    def both(x, y, seed):
        table = pd.DataFrame({"age": np.random.default_rng(seed).integers(18, 90, size=len(y))})
        return {"image": x, "person": table}, y

    champion = live(*OLD)
    outcome = update(champion, both(*NEW, 1), data=both(*OLD, 0), strategies="retrain", gate=WAIVED)
    assert outcome.decision == "promote"
    assert all(list(x) == ["image", "person"] and isinstance(x["person"], pd.DataFrame) for x in champion.asked)


def test_rows_seen_before_are_found_among_images():
    x, y = (np.concatenate(parts) for parts in zip(NEW, OLD, strict=True))
    outcome = update(live(*OLD), (x, y), data=OLD, strategies="retrain", gate=WAIVED)
    assert outcome.rows["known"] == len(OLD[1])


def test_a_model_of_tables_still_refuses_images():
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(OLD[0].reshape(400, -1), OLD[1])
    with pytest.raises(DataError, match=r"An array of shape \(2000, 6, 6\) is no table"):
        update(model, NEW)
    with pytest.raises(DataError, match="numpy array holds arrays, and a table was expected"):
        update(model, read(NEW, tensors=True), target="target")


def test_rows_of_another_form_than_the_model_knows_are_refused():
    with pytest.raises(
        SchemaError, match=r"rows of shape \(6, 3\), but the model was trained on rows of shape \(6, 6\)"
    ):
        update(live(*OLD), (NEW[0][:, :, :3], NEW[1]), data=OLD)


# ------------------------------------------------------------------------------------------ a registry


@pytest.fixture
def net():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 2))
    x, y = torch.from_numpy(OLD[0]).float() / 255, torch.from_numpy((OLD[1] == "right").astype(int))
    steps = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(60):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        steps.step()
    return net


@pytest.mark.slow
def test_a_registry_keeps_images_and_their_schema_from_update_to_update(net, shared_store, name, tmp_path):
    registry = Registry(shared_store)
    came = registry.init(name, net, OLD, gate=WAIVED)
    assert came.schema.inputs[0].shape == (6, 6) and came.remembered == 400
    first = registry.update(name, packed(*NEW, tmp_path), strategies="incremental")
    assert first.decision == "promote"
    state = registry.state(name)
    assert state.memory.rows.x.dtype == state.anchor.rows.x.dtype == np.uint8
    second = registry.update(name, pictures(600, seed=2, shift=1), strategies="incremental")
    assert second.rows["known"] == 0 and second.rows["anchor"] > first.rows["anchor"]
    said = registry.predict(name, NEW[0][:5])
    assert list(said.columns) == ["prediction", "proba_left", "proba_right"] and len(said) == 5
    assert registry.evaluate(name, NEW)["accuracy"] > 0.9
    with pytest.raises(DataError, match="not new"):
        registry.update(name, NEW)
