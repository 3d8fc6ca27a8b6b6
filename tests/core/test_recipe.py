"""Options of a recipe carry their needs; a recipe is edited by field name, and printed so that it can be read."""

import pytest

from incumbent.core import (
    ABILITIES,
    ELEMENTS,
    OPTIONS,
    Architecture,
    Data,
    Ensemble,
    Exact,
    Optimizer,
    Pull,
    Recipe,
    ReplayRows,
    Search,
    Structure,
    Trees,
    read_recipe,
)
from incumbent.errors import UsageError

ON = Recipe().replace(start="champion")


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, {"incremental"}),
        ({"optimizer": "adam"}, {"gradient"}),
        ({"start": "scratch"}, {"retrain"}),
        ({"start": "scratch", "search": Search(3)}, {"retrain", "hyperparameter_search"}),
        ({"trees": Trees(20)}, {"add_trees"}),  # appending trees is all that the model must be able to do
        ({"head": Exact(500)}, {"features"}),
        ({"head": Exact(500, reads="input")}, {"features", "layers"}),
        ({"head": Exact(500), "new_row_weight": 4.0}, {"features"}),  # sums over rows take any weight
        ({"new_row_weight": 4.0}, {"incremental", "weight"}),
        ({"pull": Pull(0.1)}, {"incremental", "gradient"}),
        ({"pull": Pull(0.1, "path")}, {"incremental", "gradient", "training_hooks"}),
        ({"freeze": ("preprocess",)}, {"incremental"}),
        ({"freeze": ("preprocess", "backbone")}, {"incremental", "layers"}),
        ({"replay": ReplayRows(50)}, {"incremental"}),
        ({"replay": ReplayRows(50, per_batch=True)}, {"incremental", "batch_sampling"}),
        ({"warmup": 0.1}, {"incremental", "training_hooks"}),
        ({"ensemble": Ensemble("vote")}, {"incremental"}),
        ({"l2_new_weights": 0.1}, {"incremental", "loss"}),
    ],
)
def test_the_needs_of_a_recipe_are_those_of_its_fields_and_of_its_start(changes, needs):
    assert ON.replace(**changes).needs == needs


def test_every_option_needs_abilities_that_exist():
    made = [kind(*[1] * (name in REQUIRE_ONE)) for name, kind in OPTIONS.items()]
    assert all(option.needs <= ABILITIES.keys() for option in made)


REQUIRE_ONE = {"Trees", "RefitLeaves", "Search", "LowRank", "Pull", "Distill", "StoredLogits", "Ensemble"}


def test_an_edit_names_fields_or_whole_elements():
    flat = Recipe().replace(epochs=3, optimizer="adam", head=Exact(9))
    whole = Recipe().replace(optimizer=Optimizer("adam", epochs=3), structure=Structure(head=Exact(9)))
    assert flat == whole
    assert Recipe().replace(optimizer=Optimizer("adam"), epochs=3).optimizer == Optimizer("adam", epochs=3)


def test_a_field_that_does_not_exist_is_named():
    with pytest.raises(UsageError, match="A recipe has no field 'width'; it has alpha, architecture,"):
        Recipe().replace(width=3)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(Data(ReplayRows(), half_life="30d")),
        ON.replace(head=Exact(), pull=Pull(0.5, "fisher"), ensemble=Ensemble("stack", members=2)),
        ON.replace(architecture=Architecture("nets:build", (("width", 3),)), freeze=("a", "b")),
    ],
)
def test_a_printed_recipe_is_read_back(recipe):
    names = {kind.__name__: kind for kind in (Recipe, *ELEMENTS.values(), *OPTIONS.values())}
    assert eval(repr(recipe), names) == recipe
    assert read_recipe(repr(recipe)) == recipe


@pytest.mark.parametrize(
    "text",
    [
        "", "None", "3", "Data()", "Recipe(", "Recipe(Data(), Nothing())", "Recipe(Data(open('x')))",
        "Recipe(structure=Structure(head=Exact(__import__('os'))))", "Recipe(structure=Structure(head=Exact(depth=3)))",
        "Recipe(*x)", "Recipe(Data(**x))",
    ],
)  # fmt: skip
def test_what_is_no_recipe_is_refused_and_runs_no_code(text):
    with pytest.raises(UsageError, match="recipe"):
        read_recipe(text)
