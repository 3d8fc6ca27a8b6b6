"""Which strategies are tried, in which order, and what is said where a model cannot follow one."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from incumbent.core import Batch, Memory, Recipe, ReplayRows
from incumbent.errors import AbilityError, UsageError
from incumbent.models import wrap
from incumbent.policy import default_strategies, recipe_for, select_strategies
from incumbent.strategies import (
    EWC,
    L2SP,
    AppendTrees,
    DERpp,
    Incremental,
    Interpolate,
    Online,
    Recency,
    Replay,
    Retrain,
    Tune,
    Vote,
    Window,
    chain,
)

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(int)
REMEMBERED = Memory(Batch(X, Y), key=np.linspace(0.01, 0.99, 60), seen=60)


def model(estimator):
    return wrap(estimator.fit(X, Y))


@pytest.mark.parametrize(
    ("estimator", "strategy", "ability", "meaning"),
    [
        (KNeighborsClassifier(), Incremental(), "incremental", "continues to learn by its own rule"),
        (KNeighborsClassifier(), Recency(500), "weight", "takes row weights"),
        (GaussianNB(), EWC(2.0), "gradient", "by gradient steps on its weights"),
        (GaussianNB(), Online("adam"), "gradient", "by gradient steps on its weights"),
        (GaussianNB(), Tune(5), "hyperparameter_search", "hyper-parameters that can be searched"),
        (RandomForestClassifier(3), AppendTrees(refit=0.9), "refit_leaves", "estimates the values in the leaves"),
        (HistGradientBoostingClassifier(max_iter=3), AppendTrees(10), "add_trees", "appends trees or boosting rounds"),
        (SVC(), chain(Replay(10), Interpolate(0.5)), "gradient", "by gradient steps on its weights"),
    ],
    ids=lambda value: repr(value) if not isinstance(value, str) else "",
)
def test_the_error_names_the_ability_who_needs_it_what_the_model_has_and_what_works(
    estimator, strategy, ability, meaning
):
    wrapped = model(estimator)
    with pytest.raises(AbilityError) as caught:
        recipe_for(strategy, wrapped, Memory())
    text = str(caught.value)
    assert text.startswith(f"{type(estimator).__name__} lacks [{ability!r}] (")
    assert meaning in text
    assert f"which {strategy!r} needs" in text
    assert f"it has {sorted(wrapped.abilities)}" in text
    assert text.endswith("Retrain() works with every model.")


def test_what_a_model_can_follow_is_settled_for_it():
    assert recipe_for(Replay(5), model(GaussianNB()), Memory()).structure.start == "champion"
    assert recipe_for(Replay(5), model(SVC()), Memory()).structure.start == "scratch"
    assert recipe_for(Vote(), model(SVC()), Memory()).structure.start == "scratch"
    assert recipe_for(Window(5), model(GaussianNB()), Memory()).structure.start == "scratch"  # the past must go


@pytest.mark.parametrize(
    ("estimator", "memory", "expected"),
    [
        (SVC(), Memory(), [Recency(500), Retrain()]),
        (KNeighborsClassifier(), Memory(), [Retrain()]),
        (KNeighborsClassifier(), REMEMBERED, [Window(500), Retrain()]),
        (GaussianNB(), Memory(), [Incremental(), Recency(500), Retrain()]),
        (
            RandomForestClassifier(3),
            REMEMBERED,
            [chain(Replay(2000), AppendTrees(20)), Window(500), Recency(500), Retrain()],
        ),
        (
            LogisticRegression(),
            REMEMBERED,
            [
                chain(Replay(2000), Incremental()),
                chain(Replay(2000), Incremental("adam", epochs=3), Interpolate("auto")),
                chain(EWC(1.0), Incremental("adam", epochs=3)),
                Window(500),
                Recency(500),
                Retrain(),
            ],
        ),
        (
            SGDClassifier(),
            REMEMBERED,
            [
                chain(Replay(2000), Incremental()),
                chain(Replay(2000), Incremental("adam", epochs=3), Interpolate("auto")),
                Window(500),
                Recency(500),
                Retrain(),
            ],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_auto_names_what_fits_cheapest_first(estimator, memory, expected):
    assert default_strategies(model(estimator), memory, rows=100) == expected


@pytest.mark.parametrize("memory", [Memory(), REMEMBERED], ids=["nothing remembered", "rows remembered"])
@pytest.mark.parametrize("estimator", [LogisticRegression(), Ridge(), GaussianNB(), RandomForestClassifier(3), SVC()])
def test_auto_never_names_what_a_model_cannot_follow(estimator, memory):
    wrapped = model(estimator)
    for strategy, recipe in select_strategies("auto", wrapped, memory, rows=100):
        assert recipe.needs <= wrapped.abilities, strategy
        assert recipe.structure.start is not None


def test_the_window_grows_with_the_new_rows():
    assert Window(20_000) in default_strategies(model(SVC()), REMEMBERED, rows=10_000)


def test_expressions_presets_values_and_auto_may_be_mixed_and_each_is_tried_once():
    given = ["retrain", Retrain(), "Retrain()", "Vote(3)", "auto"]
    chosen = [strategy for strategy, _ in select_strategies(given, model(GaussianNB()), Memory(), rows=100)]
    assert chosen == [Retrain(), Vote(3), Incremental(), Recency(500)]


def test_one_strategy_needs_no_list():
    assert select_strategies(Retrain(), model(SVC()), Memory(), rows=9) == [
        (Retrain(), Recipe().replace(start="scratch", replay=ReplayRows()))
    ]


def test_no_strategy_at_all_is_refused():
    with pytest.raises(UsageError, match="strategies='auto' tries all that fit"):
        select_strategies([], model(SVC()), Memory(), rows=9)


def test_a_named_strategy_that_does_not_fit_ends_it_before_anything_is_trained():
    with pytest.raises(AbilityError, match=r"SVC lacks \['gradient'\]"):
        select_strategies(
            ["retrain", chain(L2SP(l2_new_weights=0), Incremental("adam"))], model(SVC()), Memory(), rows=9
        )


@dataclass(frozen=True)
class Fixed:
    """An adapter whose model can do nothing but what it is told."""

    abilities: frozenset[str]
    native: object = "a model"
    task: str = "regression"
    classes: None = None
    notes: tuple[str, ...] = ()


def test_auto_names_nothing_that_must_be_fitted_from_scratch_where_a_model_cannot():
    assert default_strategies(Fixed(frozenset({"add_trees", "weight"})), REMEMBERED, rows=9) == [
        chain(Replay(2000), AppendTrees(20))
    ]


def test_a_model_that_no_strategy_fits_raises_an_error():
    with pytest.raises(AbilityError, match=r"No known strategy fits str; it has \['proba'\]"):
        select_strategies("auto", Fixed(frozenset({"proba"})), Memory(), rows=9)
    with pytest.raises(AbilityError, match="It can only be replaced"):
        recipe_for(Retrain(), Fixed(frozenset({"proba"})), Memory())


def test_a_net_is_tried_with_what_its_abilities_allow():
    able = frozenset({"layers", "incremental", "gradient", "retrain", "weight"})
    tried = default_strategies(Fixed(able), REMEMBERED, rows=100)
    assert chain(Replay(2000), Incremental()) in tried and tried[-1] == Retrain()
    assert default_strategies(Fixed(able | {"soft_targets", "batch_sampling"}), REMEMBERED, rows=100) == [
        chain(DERpp(1000), Incremental())
    ]
    assert default_strategies(Fixed(able), Memory(), rows=100) == [chain(Incremental(), Interpolate("auto"))]
