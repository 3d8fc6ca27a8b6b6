"""An adapter that was written for 0.1 works: old members and old words of abilities are translated, once, by `wrap`."""

from dataclasses import dataclass

import numpy as np
import pytest

from incumbent.core import (
    BaseModel,
    Batch,
    Memory,
    Prediction,
    complete_adapter,
    has_logits,
    has_weights,
    is_model,
    is_net,
)
from incumbent.models import wrap


def adapter(**members):
    """Return an adapter as the pages of 0.1 showed one, with more members."""

    @dataclass(frozen=True, eq=False)
    class Old:
        native: object = None
        notes: tuple = ()
        abilities = frozenset({"retrain"})
        task = "classification"
        classes = np.array(["no", "yes"])

        def predict(self, x):
            return Prediction(np.full(len(x), "no"), None, self.classes)

        def fit(self, recipe):
            return type(self)(notes=("fitted",))

        def save(self, folder):
            pass

    for name, member in members.items():
        setattr(Old, name, member)
    return Old()


def test_members_that_are_new_have_defaults():
    model = wrap(adapter())
    assert (model.takes, model.feature_names, model.outputs.tolist()) == ("frame", None, ["no", "yes"])
    assert model.infer_outputs(np.array(["no"])) is model
    assert model.updated_statistics(Memory(), Batch([])) == {}
    assert model.fit(None).takes == "frame"


def test_a_member_of_its_own_stays():
    assert wrap(adapter(takes="tensors")).takes == "tensors"


def test_old_words_of_abilities_are_translated_with_a_warning():
    with pytest.warns(DeprecationWarning, match="Old: the ability 'draw' is now 'batch_sampling'; the ability 'soft'"):
        model = wrap(adapter(abilities=frozenset({"retrain", "soft", "draw", "gradient"})))
    assert model.abilities == {"retrain", "soft_targets", "batch_sampling", "gradient"}
    assert has_logits(model) and has_weights(model) and not is_net(model)
    assert model.fit(None).abilities == model.abilities


def test_abilities_that_are_computed_are_translated_too():
    with pytest.warns(DeprecationWarning, match="'append' is now 'add_trees'"):
        model = wrap(adapter(abilities=property(lambda self: frozenset({"append"}))))
    assert model.abilities == {"add_trees"}


def test_abilities_that_an_object_holds_are_translated_too():
    @dataclass(frozen=True, eq=False)
    class Holding(type(adapter())):
        abilities: frozenset = frozenset({"grow"})

    with pytest.warns(DeprecationWarning, match="'grow' is now 'add_classes'"):
        model = complete_adapter(Holding())
    assert model.abilities == {"add_classes"}
    assert Holding(abilities=frozenset({"tune"})).abilities == {"hyperparameter_search"}


def test_sensitivity_is_called_as_weight_importance():
    with pytest.warns(DeprecationWarning, match="sensitivity is now weight_importance"):
        model = wrap(adapter(sensitivity=lambda self, batch, kind="fisher": {kind: len(batch)}))
    assert model.weight_importance(Batch([1, 2]), "output") == {"output": 2}


def test_an_adapter_of_now_is_left_alone():
    class New(BaseModel, type(adapter())):
        pass

    assert complete_adapter(New()).takes == "frame" and "takes" not in vars(New)


def test_a_class_and_what_lacks_a_member_are_no_models():
    assert not is_model(type(adapter())) and not is_model(object())
