"""A store of version 0.1 opens, predicts the same, and goes on; its strategies and recipes can be read.

`make_stores.py` made it, with version 0.1 installed; see there what lies where.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import warnings
import zipfile
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from incumbent import core
from incumbent.core import Memory, Recipe, Strategy
from incumbent.registry import Registry
from incumbent.strategies import parse

STORED = Path(__file__).parent / "0.1"
EXPECTED = json.loads((STORED / "expected.json").read_text())
NEEDS = {"lightgbm": "lightgbm", "booster": "lightgbm", "xgboost": "xgboost"}
RENAMED = {"share": "fdr", "lifetime": "fwer"}  # values of a gate's fields
VOTED = {"votes"}  # three tenths of its probabilities were votes of kept rows, which later versions leave out
IDLE = {"sample", "beside", "share", "shrink", "adapt", "apart", "arguments", "reads"}  # did nothing without another
IDLE |= {"importance", "normalise", "l2", "temperature", "members"}
GONE = IDLE | {"projection", "neighbours"}  # fields of recipes that are read and do nothing
WHY = "to see that it works"

models = pytest.mark.parametrize("name", EXPECTED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The store as it was packed: it lies in another folder now than the one its database names."""
    into = tmp_path_factory.mktemp("moved") / "store"
    with zipfile.ZipFile(STORED / "store.zip") as archive:
        archive.extractall(into)
    return into


@pytest.fixture(scope="module")
def registry(folder) -> Registry:
    return Registry(folder)


@pytest.fixture
def changeable(folder, tmp_path) -> Registry:
    """A copy whose database names the folder that it lies in: MLflow writes nowhere else."""
    copy = tmp_path / "store"
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / "mlflow.db")) as db:
        places = ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("model_versions", "source")
        for table, column in (*places, ("model_versions", "storage_location")):
            db.execute(f"UPDATE {table} SET {column} = replace({column}, 'file:///store', ?)", (copy.as_uri(),))
        db.commit()
    return Registry(copy)


@pytest.fixture(autouse=True)
def has_framework(request):
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name", "")
    package = "torch" if name and name.startswith("net-") else NEEDS.get(name)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def rows_of(name: str) -> tuple[Any, Any]:
    """Return rows to predict, without labels, and labelled rows for one more update."""
    table = STORED / "rows" / f"{name}.parquet"
    if not table.exists():
        arrays = np.load(STORED / "rows" / f"{name}.npz")
        return arrays["x"], (arrays["more_x"], arrays["more_y"])
    both = pd.read_parquet(table)
    of = both.pop("part")
    return both[of == "ask"].drop(columns="label").reset_index(drop=True), both[of == "more"].reset_index(drop=True)


def predicted_then(name: str) -> dict[int, pd.DataFrame]:
    """Return what each version predicted under 0.1."""
    table = pd.read_parquet(STORED / "expected" / f"{name}.parquet")
    return {int(v): part.drop(columns="version").reset_index(drop=True) for v, part in table.groupby("version")}


def parsed(text: str) -> Strategy:
    """Read a strategy that 0.1 printed; an option that it names may have no effect any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return parse(text)


def same(found: pd.DataFrame, then: pd.DataFrame, name: str) -> None:
    assert list(found.columns) == list(then.columns)
    for column in then:
        if name in VOTED:
            assert column == "prediction" or np.abs(found[column] - then[column]).max() <= 0.3
            continue
        if then[column].dtype.kind == "f":
            np.testing.assert_allclose(found[column], then[column], rtol=1e-5, atol=1e-6, err_msg=column)
        else:
            assert found[column].tolist() == then[column].tolist(), column


# ---------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "net-lora"])  # that one imports much
def test_the_live_version_predicts_what_it_predicted_under_0_1(registry, name):
    x, _ = rows_of(name)
    live = EXPECTED[name]["show"]["version"]
    assert registry.champion(name) == live
    same(registry.predict(name, x), predicted_then(name)[live], name)


@pytest.mark.slow
@models
def test_every_version_predicts_what_it_predicted_under_0_1(registry, name):
    x, _ = rows_of(name)
    versions = predicted_then(name)
    assert len(versions) > 1
    for number, then in versions.items():
        same(registry.predict(name, x, version=number), then, name)


@pytest.mark.slow
@models
def test_the_native_model_comes_back(registry, name):
    native, (x, _) = registry.load(name), rows_of(name)
    then = predicted_then(name)[registry.champion(name)]
    if hasattr(native, "predict") and name not in ("booster", "quadratic"):
        same(pd.DataFrame({"prediction": native.predict(x)}), then[["prediction"]], name)


@pytest.mark.slow
@models
def test_what_is_known_of_it_is_shown(registry, name):
    shown = registry.show(name)
    assert {key: shown[key] for key in EXPECTED[name]["show"]} == EXPECTED[name]["show"]
    history = registry.history(name)
    lines = [{key: line[key] for key in then} for line, then in zip(history, EXPECTED[name]["history"], strict=True)]
    assert lines == EXPECTED[name]["history"]


@pytest.mark.slow
@models
def test_its_gate_and_its_error_budget_are_kept(registry, name):
    gate, then = registry.version(name).gate, dict(EXPECTED[name]["gate"])
    assert [part.where for part in gate.slices] == then.pop("slices")
    assert [limit.name for limit in gate.limits] == then.pop("limits")
    then["error_control"] = RENAMED.get(then["error_control"], then["error_control"])
    assert {key: getattr(gate, key) for key in then} == then
    assert dict(registry.state(name).control) == EXPECTED[name]["control"]


@models
def test_its_memory_is_kept(registry, name):
    memory, then = registry.state(name).memory, EXPECTED[name]
    assert len(memory) == len(memory.key) == then["show"]["memory_rows"]
    assert sorted(memory.importance) == then["importance"]
    assert bool(memory.statistics) == then["statistics"]
    assert (memory.rows.soft is not None) == then["outputs"]


def test_the_page_of_an_update_is_kept(registry, tmp_path):
    assert "<html" in registry.report("logistic", tmp_path / "page.html").read_text()


def test_a_gate_that_was_set_is_there(registry):
    assert registry.version("logistic").gate.tolerance == 0.3


# ---------------------------------------------------------------------------------------------- changing


@pytest.mark.slow
@models
def test_it_is_updated_and_goes_back(changeable, name):
    x, more = rows_of(name)
    before = changeable.champion(name)
    strategies = [parsed(text) for text in EXPECTED[name]["strategies"]]
    found = changeable.update(name, more, strategies=strategies, why=WHY, seed=91)
    assert found.decision in ("promote", "reject", "inconclusive") and found.version_before == before
    assert not [challenger.error for challenger in found.challengers if challenger.error]
    state = changeable.state(name)
    assert state.memory.seen > EXPECTED[name]["show"]["rows_seen"]
    assert bool(state.memory.importance) == bool(EXPECTED[name]["importance"])
    assert bool(state.memory.statistics) == EXPECTED[name]["statistics"]
    if changeable.champion(name) == 1:
        changeable.promote(name, 2, why=WHY)
    back = changeable.rollback(name, why=WHY)
    same(changeable.predict(name, x), predicted_then(name)[back], name)


@pytest.mark.slow
def test_evidence_over_batches_adds_up(changeable):
    """The batches before count only where what 0.1 stored of them was read."""
    _, more = rows_of("prequential")
    strategies = EXPECTED["prequential"]["strategies"]
    found = changeable.update("prequential", more, strategies=strategies, dry_run=True)
    assert found.verdict.new_source == "prequential"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["analytic", "quadratic", "net-analytic", "votes"])
def test_rows_that_it_learned_are_forgotten_exactly(changeable, name):
    """That takes the sums that 0.1 stored."""
    memory = changeable.state(name).memory
    rows = memory.rows.take(np.arange(3))
    target = EXPECTED[name]["show"]["target"]
    given = rows.x.assign(**{target: rows.y}) if isinstance(rows.x, pd.DataFrame) else (rows.x, rows.y)
    found = changeable.forget(name, given, why=WHY)
    assert (found.how, found.learned) == ("exact", 3)
    assert len(changeable.state(name).memory) == len(memory) - 3


@pytest.mark.slow
def test_the_version_that_waits_can_be_approved(changeable):
    assert changeable.approve("ridge", why=WHY) == changeable.champion("ridge") == 3
    x, _ = rows_of("ridge")
    same(changeable.predict("ridge", x), predicted_then("ridge")[3], "ridge")


# --------------------------------------------------------------------------------------------- as text


def told(folder: Path) -> tuple[set[str], set[str]]:
    """Return all strategies and recipes that lie in a store."""
    strategies, recipes = set(), set()
    for path in folder.glob("artifacts/**/version.json"):
        made = json.loads(path.read_text())["told"]
        strategies.add(made["strategy"])
        recipes.add(str(made.get("recipe")))
    for path in folder.glob("artifacts/**/outcome.json"):
        for challenger in json.loads(path.read_text())["challengers"]:
            strategies.add(challenger["strategy"])
            recipes.add(str(challenger.get("recipe")))
    written = {text for text in strategies if text != "init" and not text.startswith("standing v")}
    return written, recipes - {"None"}


def printed() -> tuple[dict[str, str], dict[str, str]]:
    """Return the recipes that 0.1 printed: by the strategy that prepares them, and by the field that they set."""
    text = (STORED / "recipes.txt").read_text().splitlines()
    pairs = [line.split("\t") for line in text if not line.startswith("#")]
    fields = {name[1:]: recipe for name, recipe in pairs if name.startswith(".")}
    return {name: recipe for name, recipe in pairs if not name.startswith(".")}, fields


def test_strategies_in_the_store_can_be_read(folder):
    strategies, _ = told(folder)
    assert len(strategies) > 10
    for text in strategies:
        assert isinstance(parsed(text), Strategy), text


def test_printed_strategies_can_be_read():
    strategies, _ = printed()
    assert len(strategies) >= 35
    for text in strategies:
        assert isinstance(parsed(text), Strategy), text


def test_recipes_in_the_store_can_be_read(folder):
    _, recipes = told(folder)
    assert len(recipes) > 8
    for text in recipes:
        assert isinstance(core.read_recipe(text), Recipe), text


def test_printed_recipes_can_be_read_and_printed_again():
    by_strategy, by_field = printed()
    for text in [*by_strategy.values(), *by_field.values()]:
        recipe = core.read_recipe(text)
        assert isinstance(recipe, Recipe), text
        assert core.read_recipe(repr(recipe)) == recipe, text


def test_a_strategy_prepares_the_recipe_that_it_prepared_under_0_1():
    for strategy, text in printed()[0].items():
        assert core.read_recipe(text) == parsed(strategy).prepare(Recipe(), Memory()), strategy


def test_no_field_of_a_printed_recipe_is_lost():
    read = {name: repr(core.read_recipe(text)) for name, text in printed()[1].items() if name not in GONE}
    assert [name for name, text in read.items() if text == repr(Recipe())] == []
    assert len(set(read.values())) == len(read)
