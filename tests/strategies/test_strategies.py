"""Strategies are values: they print, parse, compose and refuse what means nothing."""

import pytest

from incumbent.core import ELEMENTS, OPTIONS, Memory, Recipe, Strategy
from incumbent.errors import UsageError
from incumbent.strategies import (
    EWC,
    L2SP,
    PRESETS,
    Analytic,
    AppendTrees,
    GDumb,
    Incremental,
    Interpolate,
    Online,
    Recency,
    Replay,
    Retrain,
    Stack,
    Tune,
    Vote,
    Weighted,
    Window,
    catalogue,
    chain,
    parse,
)

VALUES = [
    Retrain(),
    Window(5000),
    Window("30d"),
    Recency(0.5),
    Recency("12h"),
    Incremental(),
    Incremental("adagrad", lr=0.1, epochs=3, batch_size=32),
    Online("momentum"),
    AppendTrees(50, learning_rate=0.05, l2=2.0),
    AppendTrees(refit=0.9),
    Replay(10, sample="balanced"),
    GDumb(100),
    Vote(3),
    Weighted(),
    Stack(),
    Interpolate(),
    Interpolate(0.25),
    L2SP(0.5, l2_new_weights=0),
    EWC(10.0, gamma=1.0),
    Tune(4),
    Analytic(),
    Analytic(2000, ridge=0.5),
    chain(Replay(1000), EWC(10.0), Incremental("adam"), Interpolate("auto")),
]


def prepared(strategy: Strategy) -> Recipe:
    return strategy.prepare(Recipe(), Memory())


@pytest.mark.parametrize("strategy", VALUES, ids=repr)
def test_what_is_printed_can_be_typed_again(strategy):
    assert eval(repr(strategy)) == strategy
    assert parse(repr(strategy)) == strategy


@pytest.mark.parametrize("strategy", VALUES, ids=repr)
def test_a_prepared_recipe_prints_as_the_value_that_it_is(strategy):
    names = {kind.__name__: kind for kind in (Recipe, *ELEMENTS.values(), *OPTIONS.values())}
    assert eval(repr(prepared(strategy)), names) == prepared(strategy)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_strategy(name):
    assert isinstance(parse(name), Strategy)


def test_every_strategy_of_the_catalogue_has_defaults_and_a_preset():
    presets = " ".join(PRESETS.values())
    for name, kind in catalogue().items():
        assert isinstance(kind(), Strategy)
        assert f"{name}(" in presets


def test_a_chain_of_chains_is_flat():
    assert chain(Replay(5), chain(EWC(), Incremental("adam"))) == chain(Replay(5), EWC(), Incremental("adam"))


@pytest.mark.parametrize(
    "steps",
    [
        (Retrain(), Incremental()),
        (Incremental(), Retrain()),
        (Replay(10), Replay(20)),
        (Replay(10), Retrain()),
        (Retrain(), AppendTrees()),
        (EWC(), Retrain()),
        (Vote(), Stack()),
        (Retrain(), Analytic()),
        (Online("sgd"), Incremental("adam")),
    ],
    ids=repr,
)
def test_a_chain_that_contradicts_itself_names_both_steps(steps):
    with pytest.raises(UsageError) as raised:
        prepared(chain(*steps))
    assert repr(steps[0]) in str(raised.value) and repr(steps[1]) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Replya(10)", "Did you mean Replay?"),
        ("Replay(rows=-1)", "above 0; it was given -1"),
        ("Replay(10, smaple='balanced')", "smaple"),
        ("Replay(", "is not a strategy"),
        ("3", "plain value"),
        ("", "is not a strategy"),
        ("__import__('os').system('true')", "There is no strategy"),
        ("chain(Replay(10), 5)", "it was given 5"),
        ("Replay(rows=open('x'))", "There is no strategy 'open'"),
        ("Incremental(optimizer='adamax')", "'adamax'"),
        ("Incremental(lr=0)", "above 0"),
        ("Window('soon')", "30d"),
        ("Interpolate(2)", "0 to 1"),
        ("EWC(1.0, gamma=2)", "at most 1"),
        ("Replay([x for x in y])", "neither a strategy"),
    ],
)
def test_a_wrong_expression_is_refused_with_what_was_given(text, said):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert said in str(raised.value)


def test_the_start_is_settled_by_what_the_model_can_do():
    able, unable = frozenset({"incremental", "retrain"}), frozenset({"retrain"})
    assert prepared(Replay(10)).resolve_start(able).structure.start == "champion"
    assert prepared(Replay(10)).resolve_start(unable).structure.start == "scratch"
    assert prepared(Window(10)).resolve_start(able).structure.start == "scratch"
    assert prepared(chain(Window(10), Incremental())).resolve_start(able).structure.start == "champion"


@pytest.mark.parametrize(
    ("strategy", "needs"),
    [
        (Retrain(), {"retrain"}),
        (Recency(10), {"weight"}),
        (Incremental(), {"incremental"}),
        (Incremental("sgd"), {"gradient"}),
        (AppendTrees(), {"add_trees"}),
        (AppendTrees(refit=0.5), {"refit_leaves"}),
        (EWC(), {"incremental", "gradient"}),
        (Tune(), {"retrain", "hyperparameter_search"}),
        (Analytic(), {"features"}),
        (Interpolate(), {"gradient"}),
        (Vote(), set()),
    ],
    ids=lambda part: repr(part) if isinstance(part, Strategy) else "",
)
def test_a_recipe_knows_which_abilities_it_needs(strategy, needs):
    assert prepared(strategy).needs == needs
