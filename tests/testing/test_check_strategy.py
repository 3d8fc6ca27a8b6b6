"""`check_strategy` finds and names each broken promise of a strategy."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from incumbent.core import Data, Pull, ReplayRows, Value
from incumbent.strategies import EWC, Incremental, Replay, Retrain, chain
from incumbent.testing import check_strategy


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
        (Restarting(), "lost the fields that were set before"),
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
    check_strategy(EWC(2.0), [GaussianNB().fit(np.eye(4), [0, 0, 1, 1])])
