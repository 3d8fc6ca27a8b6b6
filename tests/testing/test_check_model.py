"""The checks of a model: each has a name, finds a broken promise, and skips only for a reason."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB

from incumbent.core import BaseModel, Batch
from incumbent.errors import UsageError
from incumbent.models import wrap
from incumbent.strategies import EWC, Incremental, Retrain
from incumbent.testing import check_model, yield_checks


def rows(count: int = 210) -> Batch:
    x = np.random.default_rng(0).normal(size=(count, 4))
    score = x[:, 0] + 0.5 * x[:, 1]
    return Batch(x, np.digitize(score, np.quantile(score, [1 / 3, 2 / 3])))


def fitted(estimator: Any) -> Any:
    return estimator.fit(rows().x, rows().y)


class Adapter(BaseModel):
    """A sound adapter, which the broken ones derive from."""

    def __init__(self, native: Any, notes: tuple[str, ...] = ()):
        self.native, self.notes = native, notes

    @property
    def inner(self):
        return wrap(self.native)

    @property
    def abilities(self):
        return self.inner.abilities

    @property
    def task(self):
        return self.inner.task

    @property
    def classes(self):
        return self.inner.classes

    def predict(self, x):
        return self.inner.predict(x)

    def fit(self, recipe):
        made = self.inner.fit(recipe)
        return type(self)(made.native, made.notes)

    def save(self, folder: Path) -> None:
        self.inner.save(folder)

    def features(self, x):
        return self.inner.features(x)

    @classmethod
    def load(cls, folder: Path):
        return cls(type(wrap(fitted(GaussianNB()))).load(folder).native)


class UnknownAbility(Adapter):
    abilities = frozenset({"retrain", "clairvoyance"})


class MissingMembers(Adapter):
    abilities = frozenset({"retrain", "gradient"})


class WrongProbabilities(Adapter):
    def predict(self, x):
        made = super().predict(x)
        return replace(made, proba=made.proba * 0.9)


class RandomPredictions(Adapter):
    count = 0

    def predict(self, x):
        RandomPredictions.count += 1
        made = super().predict(x)
        return replace(made, label=np.roll(made.label, RandomPredictions.count))


class WrongLabels(Adapter):
    def predict(self, x):
        made = super().predict(x)
        return replace(made, label=made.classes[::-1][np.searchsorted(made.classes, made.label)])


class ChangedChampion(Adapter):
    def fit(self, recipe):
        self.native.theta_ += 1e-9
        return super().fit(recipe)


class SameModel(Adapter):
    def fit(self, recipe):
        return self


class RandomTraining(Adapter):
    def fit(self, recipe):
        made = super().fit(recipe)
        made.native.theta_ += np.random.default_rng().normal(size=made.native.theta_.shape)
        return made


class IgnoredClasses(Adapter):
    def fit(self, recipe):
        known = np.isin(recipe.train.labels, self.classes)
        return super().fit(recipe.bind(train=recipe.train.take(known)))


class NoNotes(Adapter):
    def fit(self, recipe):
        return type(self)(super().fit(recipe).native)


class LossyStorage(Adapter):
    @classmethod
    def load(cls, folder):
        made = super().load(folder)
        made.native.theta_ = made.native.theta_.round(2)
        return made


class SharedWeights(Adapter):
    abilities = frozenset({"retrain", "proba", "gradient"})

    def weights(self):
        return {"coef": self.native.coef_, "intercept": self.native.intercept_}

    def with_weights(self, weights):
        return type(self)(self.inner.with_weights(weights).native)

    def weight_importance(self, batch):
        return self.inner.weight_importance(batch)


BROKEN = {
    UnknownAbility: ("has_known_abilities", "claims ['clairvoyance']"),
    MissingMembers: ("has_known_abilities", "lacks ['weights', 'with_weights', 'weight_importance']"),
    WrongProbabilities: ("gives_probabilities", "sum to 1 only within 0.1"),
    RandomPredictions: ("predicts_the_same_again", "differently when called again"),
    WrongLabels: ("agrees_with_the_native_model", "predicts other labels than its own predict"),
    SharedWeights: ("takes_its_own_weights", "weights() must give copies"),
    LossyStorage: ("predicts_the_same_after_loading", "predicts differently after it was saved and loaded"),
    ChangedChampion: ("fits_a_new_model[Incremental()]", "changed the champion"),
    SameModel: ("fits_a_new_model[Incremental()]", "the champion itself"),
    RandomTraining: ("fits_the_same_again[Incremental()]", "another model with the same seed"),
    IgnoredClasses: ("learns_a_new_class[Incremental()]", "does not know it"),
    NoNotes: ("learns_a_new_class[Incremental()]", "does not say in its notes"),
}


@pytest.mark.parametrize("adapter", BROKEN, ids=lambda kind: kind.__name__)
def test_the_check_of_a_broken_promise_fails_first(adapter):
    model = adapter(fitted(LogisticRegression() if adapter is SharedWeights else GaussianNB()))
    for check in yield_checks(model, rows(), strategies=[Incremental(), Retrain()]):
        try:
            check()
        except SkipTest:
            continue
        except AssertionError as error:
            assert (check.name, True) == (BROKEN[adapter][0], BROKEN[adapter][1] in str(error))
            return
    pytest.fail("no check failed")


def test_check_model_raises_what_a_check_raises():
    with pytest.raises(AssertionError, match="sum to 1 only within"):
        check_model(WrongProbabilities(fitted(GaussianNB())), rows(), strategies=[])


def test_the_adapter_that_the_broken_ones_derive_from_keeps_every_promise():
    check_model(Adapter(fitted(GaussianNB())), rows())


def test_every_check_has_a_name_of_its_own_and_a_promise():
    checks = list(yield_checks(fitted(GaussianNB()), rows()))
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.promise.endswith(".") for check in checks)


def test_an_exception_skips_a_check_with_its_reason():
    exceptions = {"gives_probabilities": "they are calibrated later"}
    model = WrongProbabilities(fitted(GaussianNB()))
    (check,) = (one for one in yield_checks(model, rows(), exceptions=exceptions) if one.name in exceptions)
    with pytest.raises(SkipTest, match="they are calibrated later"):
        check()


@pytest.mark.parametrize("exceptions", [{"gives_probabilities": " "}, {"gives_luck": "it is lucky"}])
def test_an_exception_needs_a_reason_and_the_name_of_a_check(exceptions):
    with pytest.raises(UsageError, match="exceptions="):
        check_model(fitted(GaussianNB()), rows(), exceptions=exceptions)


def test_only_a_strategy_that_needs_the_fisher_information_may_be_refused():
    model = fitted(SGDClassifier(loss="hinge"))
    checks = {check.name: check for check in yield_checks(model, rows(), strategies=[EWC(1.0)])}
    with pytest.raises(SkipTest, match="has no Fisher information"):
        checks["fits_a_new_model[EWC(1.0)]"]()


def test_too_few_rows_raise_a_usage_error():
    with pytest.raises(UsageError, match="at least 60 labelled rows"):
        check_model(fitted(GaussianNB()), rows(30))
