"""The checks can fail: each broken promise is found and named."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from natives import fitted, numbers
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from incumbent.core import Batch, Data, Pull, ReplayRows, Value
from incumbent.errors import UsageError
from incumbent.models.tables._linear import LinearModel
from incumbent.models.tables._sklearn import SklearnModel
from incumbent.strategies import EWC, Incremental, Replay, Retrain, chain
from incumbent.testing import check_model, check_strategy, gradual, no_change, sudden


class Adapter:
    """A sound adapter around naive Bayes, for a broken one to start from."""

    inner = SklearnModel

    def __init__(self, native: Any, notes: tuple[str, ...] = ()):
        self.native, self.notes = native, notes

    @property
    def abilities(self):
        return self.inner(self.native).abilities

    @property
    def task(self):
        return self.inner(self.native).task

    @property
    def classes(self):
        return self.inner(self.native).classes

    def predict(self, x):
        return self.inner(self.native).predict(x)

    def fit(self, recipe):
        made = self.inner(self.native).fit(recipe)
        return type(self)(made.native, made.notes)

    def save(self, folder: Path) -> None:
        self.inner(self.native).save(folder)

    @classmethod
    def load(cls, folder: Path):
        return cls(cls.inner.load(folder).native)


class Boastful(Adapter):
    abilities = frozenset({"retrain", "clairvoyance"})


class Blurred(Adapter):
    def predict(self, x):
        said = super().predict(x)
        return replace(said, proba=said.proba * 0.9)


class Fickle(Adapter):
    count = 0

    def predict(self, x):
        Fickle.count += 1
        said = super().predict(x)
        return replace(said, label=np.roll(said.label, Fickle.count))


class Contrary(Adapter):
    def predict(self, x):
        said = super().predict(x)
        return replace(said, label=said.classes[::-1][np.searchsorted(said.classes, said.label)])


class Touched(Adapter):
    def fit(self, recipe):
        self.native.theta_ += 1e-9
        return super().fit(recipe)


class Same(Adapter):
    def fit(self, recipe):
        return self


class Random(Adapter):
    def fit(self, recipe):
        made = super().fit(recipe)
        made.native.theta_ += np.random.default_rng().normal(size=made.native.theta_.shape)
        return made


class Closed(Adapter):
    def fit(self, recipe):
        known = np.isin(recipe.train.labels, self.classes)
        return super().fit(recipe.bind(train=recipe.train.take(known)))


class Silent(Adapter):
    def fit(self, recipe):
        return type(self)(super().fit(recipe).native)


class Forgetful(Adapter):
    @classmethod
    def load(cls, folder):
        made = super().load(folder)
        made.native.theta_ = made.native.theta_.round(2)
        return made


class Shared(Adapter):
    inner = LinearModel

    def weights(self):
        return {"coef": self.native.coef_, "intercept": self.native.intercept_}

    def with_weights(self, weights):
        return type(self)(LinearModel(self.native).with_weights(weights).native)

    def weight_importance(self, batch):
        return LinearModel(self.native).weight_importance(batch)


BROKEN = {
    Boastful: "claims ['clairvoyance']",
    Blurred: "sum to 1 only within 0.1",
    Fickle: "differently when asked again",
    Contrary: "predicts other labels than its own predict",
    Touched: "changed the champion",
    Same: "the champion itself",
    Random: "another model with the same seed",
    Closed: "does not know it",
    Silent: "does not say in its notes",
    Forgetful: "predicts otherwise after it was saved and loaded",
    Shared: "weights() must give copies",
}


@pytest.mark.parametrize("adapter", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_promise_of_a_model_is_named(adapter):
    rows = numbers(3)
    native = fitted(GaussianNB() if adapter.inner is SklearnModel else LogisticRegression(), rows)
    with pytest.raises(AssertionError) as caught:
        check_model(adapter(native), rows, strategies=[Incremental(), Retrain()])
    assert BROKEN[adapter] in str(caught.value)


def test_the_adapter_that_the_broken_ones_start_from_is_sound():
    rows = numbers(3)
    check_model(Adapter(fitted(GaussianNB(), rows)), rows)


def test_too_few_rows_are_said_to_be_too_few():
    rows = numbers()
    with pytest.raises(AssertionError, match="at least 60 labelled rows"):
        check_model(fitted(GaussianNB(), rows), rows.take(np.arange(30)))


@dataclass
class Thawed:
    def prepare(self, recipe, memory):
        return recipe

    def remember(self, memory, model, batch):
        return memory


@dataclass(frozen=True, repr=False)
class Sound(Value):
    strength: float = 1.0

    def prepare(self, recipe, memory):
        return recipe.replace(start="champion", pull=Pull(self.strength))

    def remember(self, memory, model, batch):
        return memory


@dataclass(frozen=True)
class Terse(Sound):
    def __repr__(self):
        return "Terse()"


@dataclass(frozen=True)
class Unprintable(Sound):
    def __repr__(self):
        return "<Unprintable>"


@dataclass(frozen=True, repr=False)
class Unhashable(Sound):
    names: list = None

    def __post_init__(self):
        object.__setattr__(self, "names", [])


@dataclass(frozen=True, repr=False)
class Restarting(Sound):
    def prepare(self, recipe, memory):
        return type(recipe)().replace(start="scratch")


@dataclass(frozen=True, repr=False)
class Impure(Sound):
    def prepare(self, recipe, memory):
        Impure.asked = getattr(Impure, "asked", 0) + 1
        return recipe.replace(start="champion", epochs=Impure.asked)


@dataclass(frozen=True, repr=False)
class Erasing(Sound):
    def remember(self, memory, model, batch):
        memory.rows.x[:] = 0
        return memory


@dataclass(frozen=True, repr=False)
class Mute(Sound):
    def remember(self, memory, model, batch):
        return None


@dataclass(frozen=True, repr=False)
class Overwriting(Sound):
    def prepare(self, recipe, memory):
        object.__setattr__(recipe, "data", Data(ReplayRows(3)))
        return recipe.replace(start="scratch")


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (Thawed(), "can be changed after it is made"),
        (Terse(2.0), "another value; every field must be printed"),
        (Unprintable(), "derive it from Value"),
        (Unhashable(), "cannot be hashed"),
        (Restarting(), "lost what was said before it"),
        (Impure(), "is not pure"),
        (Erasing(), "changed the memory"),
        (Mute(), "must return a Memory"),
        (Overwriting(), "changed the recipe"),
        (Retrain, "is a class; a strategy is a value"),
        (object(), "is no Strategy"),
    ],
    ids=lambda value: None if isinstance(value, str) else getattr(type(value), "__name__", "?"),
)
def test_a_broken_promise_of_a_strategy_is_named(strategy, sentence):
    with pytest.raises(AssertionError) as caught:
        check_strategy(strategy)
    assert sentence in str(caught.value)


def test_sound_strategies_pass_also_where_they_are_not_registered():
    check_strategy(Sound(0.5))
    check_strategy(chain(Replay(5), Sound(0.5), Incremental("sgd")))


def test_a_strategy_is_tried_on_the_models_given():
    check_strategy(EWC(2.0), [fitted(GaussianNB(), numbers())])


def whole(stream) -> Batch:
    return Batch.join(list(stream))


def test_a_stream_is_the_same_for_the_same_seed_and_differs_for_another():
    first, again, other = (whole(sudden(seed=seed)) for seed in (1, 1, 2))
    assert first.x.equals(again.x) and (first.y == again.y).all()
    assert not first.x.equals(other.x)


def test_all_streams_begin_alike_and_the_rule_turns_when_it_is_said_to():
    calm, turned = whole(no_change()), whole(sudden(at=4))
    assert calm.x.equals(turned.x)
    assert (calm.y[:2000] == turned.y[:2000]).all()
    changed = np.mean(calm.y[2000:] != turned.y[2000:])
    assert abs(changed - 0.9 * 0.5) < 0.03  # 90 of 180 degrees, among the rows whose class is not drawn at random


@pytest.mark.parametrize("classes", [2, 4])
def test_the_best_accuracy_is_what_the_stream_says(classes):
    rows = whole(no_change(rows=4000, batches=2, classes=classes, noise=0.3, seed=5))
    clean = whole(no_change(rows=4000, batches=2, classes=classes, noise=0.0, seed=5))
    assert abs(np.mean(rows.y == clean.y) - (1 - 0.3 * (classes - 1) / classes)) < 0.02
    assert np.allclose(np.bincount(clean.y) / len(clean), 1 / classes, atol=0.02)


def test_the_noise_of_a_regression_is_its_root_mean_squared_error():
    noisy, clean = (whole(no_change(task="regression", noise=noise, seed=1)) for noise in (0.5, 0.0))
    assert abs(np.std(noisy.y - clean.y) - 0.5) < 0.02


def test_the_share_of_a_gradual_change_rises_linearly():
    kind = {"task": "regression", "noise": 0.0, "rows": 2000, "batches": 6}
    old, mixed = whole(no_change(**kind)), whole(gradual(start=1, end=5, **kind))
    share = np.reshape(old.y != mixed.y, (6, 2000)).mean(axis=1)
    assert np.allclose(share, [0, 0.125, 0.375, 0.625, 0.875, 1], atol=0.04)


@pytest.mark.parametrize(
    "wrong", [{"features": 1}, {"rows": 0}, {"classes": 1}, {"noise": -1.0}], ids=lambda given: next(iter(given))
)
def test_a_stream_without_meaning_is_refused(wrong):
    with pytest.raises(UsageError, match="A stream takes"):
        next(no_change(**wrong))


def test_a_gradual_change_needs_time():
    with pytest.raises(UsageError, match="start < end"):
        gradual(start=3, end=3)
