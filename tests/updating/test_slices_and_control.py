"""Protected slices, searched subgroups and lifetime error control, from the gate through an update to the registry."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import incumbent
from incumbent import Gate, Slice
from incumbent.errors import UsageError

REGIONS = np.array(["north", "south", "east"])


def rows(n: int, *, seed: int, flipped: tuple[str, ...] = (), both: bool = True) -> pd.DataFrame:
    """Rows whose label follows a (and b), but for some regions where it is the opposite."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "region": rng.choice(REGIONS, n)})
    y = x["a"] + (x["b"] if both else 0.0) > 0
    return x.assign(y=np.where(x["region"].isin(flipped), ~y, y).astype(int))


def turned(n: int, *, seed: int) -> pd.DataFrame:
    """Rows of a rule that has turned around everywhere but in the east: a linear model cannot follow both."""
    return rows(n, seed=seed, flipped=("north", "south"), both=False)


def model(last):
    return make_pipeline(make_column_transformer((OneHotEncoder(), ["region"]), remainder="passthrough"), last)


@pytest.fixture(scope="module")
def live():
    old = rows(2000, seed=0, both=False)
    return model(LogisticRegression()).fit(old.drop(columns="y"), old["y"]), old


def names(outcome):
    return {reason.name: reason for reason in outcome.verdict.reasons}


def test_a_challenger_that_harms_a_protected_slice_is_rejected_however_much_it_gains(live):
    champion, old = live
    new, anchor = turned(6000, seed=2), turned(4000, seed=1)
    given = {"target": "y", "data": old, "anchor": anchor, "strategies": "Window(3000)"}
    free = incumbent.update(champion, new, gate=Gate(), **given)
    held = incumbent.update(champion, new, gate=Gate(slices=(Slice('region == "east"'),)), **given)
    assert (free.decision, held.decision) == ("promote", "reject")
    reason = names(held)['not worse where region == "east"']
    assert reason.violated and reason.value < -0.01


def test_a_column_becomes_a_slice_for_each_value_that_the_champion_learned(live):
    champion, old = live
    new = rows(2000, seed=3).assign(region=lambda x: x["region"].where(np.arange(len(x)) > 10, "north"))
    gate = Gate(slices=(Slice("region", tolerance=0.5),))
    outcome = incumbent.update(
        champion, new, target="y", data=old, anchor=rows(3000, seed=4), strategies="retrain", gate=gate
    )
    assert {f'not worse where region == "{region}"' for region in REGIONS} <= set(names(outcome))


def test_a_subgroup_that_nobody_named_is_searched_out_and_confirmed(live):
    champion, old = live
    new, given = turned(6000, seed=5), {"target": "y", "data": old, "strategies": "Window(3000)"}
    free = incumbent.update(champion, new, gate=Gate(tolerance=None), **given)
    searched = incumbent.update(champion, new, gate=Gate(tolerance=None, search=True), **given)
    assert (free.decision, searched.decision) == ("promote", "reject")
    reason = names(searched)["no slice found that is worse"]
    assert reason.violated and 'region == "east"' in reason.text


def test_the_search_finds_nothing_where_the_challenger_is_better_everywhere(live):
    champion, old = live
    gate = Gate(tolerance=None, search=True)
    outcome = incumbent.update(champion, rows(6000, seed=6), target="y", data=old, strategies="retrain", gate=gate)
    assert outcome.decision == "promote"
    assert names(outcome)["no slice found that is worse"].holds


def test_a_slice_that_fits_no_column_is_refused_before_anything_is_trained(live):
    champion, old = live
    gate = Gate(slices=(Slice("regoin"),))
    with pytest.raises(UsageError, match="region"):
        incumbent.update(champion, rows(500, seed=8), target="y", data=old, gate=gate)


def test_an_unknown_error_control_names_those_there_are():
    with pytest.raises(UsageError, match="fwer"):
        Gate(error_control="fwe")  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fwer", "fdr"])
def test_alpha_is_spent_over_the_life_of_a_model_and_a_rollback_gives_none_of_it_back(live, tmp_path, kind):
    champion, old = live
    registry = incumbent.Registry(tmp_path)
    registry.init("m", champion, old, target="y", anchor=rows(3000, seed=9), gate=Gate(error_control=kind))
    spent = []
    for seed in (10, 11):
        outcome = registry.update("m", rows(1500, seed=seed), strategies="retrain")
        spent.append(outcome.control["updates"])
    assert spent == [1, 2]
    assert registry.version("m").gate.error_control == kind
    registry.rollback("m", to=1, why="to see what is kept")
    assert registry.state("m").control["updates"] == 2
    assert registry.update("m", rows(1500, seed=12), strategies="retrain").control["updates"] == 3


def test_a_lifetime_judges_an_update_more_strictly_than_a_single_look(live):
    champion, old = live
    new, anchor = rows(1500, seed=13), rows(3000, seed=14)
    single, lifetime = (
        incumbent.update(
            champion, new, target="y", data=old, anchor=anchor, strategies="retrain", gate=Gate(error_control=kind)
        )
        for kind in ("update", "fwer")
    )
    assert names(lifetime)["better on the new rows"].value < names(single)["better on the new rows"].value
