"""Recipes as 0.1 wrote them work for one release: edits, constructors, attributes, and printed recipes."""

import warnings

import pytest

from incumbent.core import (
    Architecture,
    Data,
    Distill,
    Ensemble,
    Exact,
    Finish,
    FreshHead,
    Loss,
    LowRank,
    NewClasses,
    Optimizer,
    Perturb,
    Pull,
    Recipe,
    RefitLeaves,
    ReplayRows,
    Search,
    StoredLogits,
    Structure,
    Subset,
    TaskObjective,
    Trees,
    read_recipe,
)
from incumbent.errors import UsageError

OLD_AND_NEW = [
    ({"replay": None}, {"replay": ReplayRows()}),
    ({"replay": 0}, {}),
    (
        {"replay": 50, "sample": "balanced", "beside": True},
        {"replay": ReplayRows(50, sample="balanced", per_batch=True)},
    ),
    ({"cap": 900}, {"max_rows": 900}),
    ({"subset": "rho", "share": 0.3}, {"subset": Subset("rho", 0.3)}),
    ({"emphasis": 4.0}, {"new_row_weight": 4.0}),
    ({"append": 20, "shrink": 0.1, "l2": 1.0}, {"trees": Trees(20, 0.1, 1.0)}),
    ({"releaf": 0.5, "l2": 1.0}, {"trees": RefitLeaves(0.5, 1.0)}),
    ({"search": 12}, {"search": Search(12)}),
    ({"search": 0}, {}),
    ({"new_head": True}, {"head": FreshHead()}),
    ({"grow": "imprint"}, {"classes": NewClasses("imprint")}),
    ({"rank": 8, "adapt": ("a",), "apart": True}, {"lora": LowRank(8, ("a",), merge=False)}),
    ({"factory": "", "arguments": (("n", 3),)}, {"architecture": Architecture(None, (("n", 3),))}),
    ({"factory": "nets:build"}, {"architecture": Architecture("nets:build")}),
    ({"keep": 0.4, "noise": 0.1}, {"perturb": Perturb(0.4, 0.1)}),
    ({"noise": 0.1}, {"perturb": Perturb(1.0, 0.1)}),
    ({"analytic": 2000, "reads": "input", "l2": 0.5}, {"head": Exact(2000, "input", 0.5)}),
    ({"analytic": 2000, "neighbours": 9, "projection": "relu"}, {"head": Exact(2000)}),
    ({"pull": 0.1, "importance": "fisher", "normalise": True}, {"pull": Pull(0.1, "fisher", True)}),
    ({"pull": 0.0}, {}),
    ({"fresh": 0.2}, {"l2_new_weights": 0.2}),
    ({"soft": 1.0, "temperature": 3.0}, {"distill": Distill(1.0, 3.0)}),
    ({"logits": 0.3, "labels": 0.0}, {"stored_logits": StoredLogits(0.3), "replay_weight": 0.0}),
    ({"task_loss": "huber", "smoothing": 0.1}, {"objective": TaskObjective("huber", 0.1)}),
    ({"class_weight": "balanced"}, {"objective": TaskObjective(class_weight="balanced")}),
    ({"optimizer": "adam", "epochs": 3}, {"optimizer": Optimizer("adam", epochs=3)}),
    ({"blend": "stack", "members": 2}, {"ensemble": Ensemble("stack", 2)}),
    (
        {"window": "30d", "half_life": 9, "ordered": True, "balanced": True, "start": "champion", "freeze": ("a",)},
        {"window": "30d", "half_life": 9, "ordered": True, "balanced": True, "start": "champion", "freeze": ("a",)},
    ),
    ({"alpha": 0.5, "soup": 3, "ema": 0.9}, {"alpha": 0.5, "soup": 3, "ema": 0.9}),
]


def quietly(function, **changes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return function(**changes)


@pytest.mark.parametrize(("old", "new"), OLD_AND_NEW)
def test_but_edits_by_the_fields_of_0_1(old, new):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert Recipe().but(**old) == Recipe().replace(**new)
    assert "Recipe.but is now Recipe.replace" in str(caught[-1].message)
    assert {w.category for w in caught} == {DeprecationWarning} and {w.filename for w in caught} == {__file__}


def test_all_57_fields_of_0_1_are_among_them():
    named = {name for old, _ in OLD_AND_NEW for name in old}
    plain = {"lr", "batch_size", "weight_decay", "schedule", "warmup", "layer_decay", "clip", "patience"}
    assert len(named | plain) == 57


def test_an_old_field_changes_a_part_of_an_option():
    recipe = Recipe().replace(head=Exact(500, l2=2.0))
    assert quietly(recipe.but, analytic=900).structure.head == Exact(900, l2=2.0)
    assert quietly(recipe.but, reads="input").structure.head == Exact(500, "input", 2.0)
    assert quietly(recipe.but, analytic=None).structure.head is None
    assert quietly(recipe.but, append=0).structure.head == Exact(500, l2=2.0)


def test_replace_takes_old_fields_too_but_none_means_none():
    with pytest.warns(DeprecationWarning, match=r"analytic=... is now head=Exact\(width=...\)"):
        assert Recipe().replace(analytic=9) == Recipe().replace(head=Exact(9))
    assert Recipe().replace(replay=ReplayRows()).replace(replay=None) == Recipe()


def test_a_field_that_does_nothing_alone_is_left_out_with_a_warning():
    with pytest.warns(DeprecationWarning) as caught:
        assert Recipe().replace(temperature=3.0) == Recipe()
    assert "temperature=3.0 has no effect without soft" in str(caught[-1].message)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: Structure("champion", analytic=2000), Structure("champion", head=Exact(2000))),
        (lambda: Structure("champion", 20, 0.1), Structure("champion", Trees(20, 0.1))),
        (lambda: Loss(0.5, importance="path"), Loss(Pull(0.5, "path"))),
        (lambda: Data(2000, beside=True), Data(ReplayRows(2000, per_batch=True))),
        (lambda: Data(None), Data(ReplayRows())),
        (lambda: Data(None, "balanced", 500), Data(ReplayRows(sample="balanced"), max_rows=500)),
        (lambda: Optimizer(optimizer="adam", epochs=2), Optimizer("adam", epochs=2)),
        (lambda: Finish(blend="vote", alpha=0.5), Finish(0.5, Ensemble("vote"))),
        (lambda: Recipe(optimiser=Optimizer("sgd")), Recipe(optimizer=Optimizer("sgd"))),
        (lambda: Data().but(window=5), Data(window=5)),
    ],
)
def test_the_constructors_of_0_1_still_make_elements(old, new):
    with pytest.warns(DeprecationWarning):
        assert old() == new


def test_the_penalty_of_leaves_and_heads_moved_to_another_element():
    with pytest.warns(DeprecationWarning), pytest.raises(UsageError, match="Loss no longer has l2"):
        Loss(l2=1.0, append=20)


def test_the_fields_of_0_1_can_be_read():
    recipe = Recipe().replace(
        head=Exact(9), pull=Pull(0.1, "path"), optimizer="adam", lora=LowRank(4, merge=False), max_rows=7
    )
    with pytest.warns(DeprecationWarning):
        assert (recipe.structure.analytic, recipe.loss.importance, recipe.optimiser.optimizer) == (9, "path", "adam")
        assert (recipe.structure.apart, recipe.structure.append, recipe.data.cap) == (True, 0, 7)
        assert recipe.resolve_start(frozenset()) == recipe.settle(frozenset())
    with pytest.raises(AttributeError, match="Structure has no field 'depth'"):
        recipe.structure.depth  # noqa: B018  # to see the error


@pytest.mark.parametrize(("old", "new"), OLD_AND_NEW)
def test_a_recipe_that_0_1_printed_is_read_without_a_warning(old, new):
    assert read_recipe(printed_by_0_1(old)) == Recipe().replace(**new)


ELEMENTS_0_1 = {
    "Data": "replay sample cap window half_life ordered beside subset share balanced emphasis",
    "Structure": "start append shrink releaf freeze search new_head grow rank adapt apart factory arguments keep noise "
    "analytic projection reads neighbours",
    "Loss": "pull importance normalise fresh l2 soft temperature logits labels task_loss smoothing class_weight",
    "Optimiser": "optimizer epochs",
    "Finish": "alpha blend members soup ema",
}


def printed_by_0_1(fields):
    """Print as 0.1 did: an element for each of its own fields, the first of them without a name."""
    parts = []
    for kind, names in ELEMENTS_0_1.items():
        known = names.split()
        given = [repr(fields[n]) if n == known[0] else f"{n}={fields[n]!r}" for n in known if n in fields]
        if given:
            parts.append(f"{kind.lower()}={kind}({', '.join(given)})")
    return f"Recipe({', '.join(parts)})"
