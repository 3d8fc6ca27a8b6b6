"""Rows and models in every form that people have them in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import incumbent
from incumbent import Gate
from incumbent.errors import ModelError, TrustError
from rows import NAMES, fitted, points, told, weak

FORMS = {
    "polars": lambda frame, folder: pl.DataFrame(frame.to_dict("list")),
    "pyarrow": lambda frame, folder: pa.Table.from_pandas(frame, preserve_index=False),
    "dict": lambda frame, folder: frame.to_dict("list"),
    "pair": lambda frame, folder: (frame[NAMES], frame.label.rename("label")),
    "csv": lambda frame, folder: _written(frame.to_csv, folder / f"{len(frame)}.csv", index=False),
    "parquet": lambda frame, folder: _written(frame.to_parquet, folder / f"{len(frame)}.parquet"),
}


def _written(write, path, **options):
    write(path, **options)
    return str(path)


def _update_in(form, folder):
    new, old = (form(points(rows, seed=seed).round(6), folder) for rows, seed in ((300, 2), (200, 10)))
    return incumbent.update(weak(), new, anchor=old, target="label", strategies="retrain")


@pytest.fixture(scope="module")
def expected():
    return _update_in(lambda frame, folder: frame, None)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_gives_the_same_outcome(form, expected, tmp_path):
    found = _update_in(FORMS[form], tmp_path)
    assert told(found)["reasons"] == told(expected)["reasons"]
    assert found.check.digest == expected.check.digest
    assert found.rows == expected.rows


def test_a_folder_of_files_is_one_table(tmp_path):
    new = points(300, seed=2)
    for part in range(3):
        new[100 * part : 100 * part + 100].to_csv(tmp_path / f"part-{part}.csv", index=False)
    assert incumbent.update(weak(), tmp_path, target="label", strategies="retrain").rows["read"] == 300


def test_arrays_without_names_are_taken_with_a_model_that_knows_none():
    past, new = points(300, seed=1).to_numpy(), points(600, seed=2).to_numpy()
    live = LogisticRegression().fit(past[:20, :3], past[:20, 3].astype(int))
    pair = incumbent.update(
        live, (new[:, :3], new[:, 3].astype(int)), data=(past[:, :3], past[:, 3].astype(int)), strategies="retrain"
    )
    whole = incumbent.update(live, new, target="x3", data=past, strategies="retrain")
    assert pair.rows["read"] == whole.rows["read"] == 600
    assert [r.value for r in pair.verdict.reasons] == [r.value for r in whole.verdict.reasons]
    assert not hasattr(pair.winner.native, "feature_names_in_")


def test_columns_in_another_order_and_columns_too_many_do_not_matter():
    new, old = points(300, seed=2), points(200, seed=10)
    turned = new[["label", "c", "a", "b"]].assign(note="hello")
    options = {"target": "label", "anchor": old, "strategies": "retrain"}
    first, second = (incumbent.update(weak(), rows, **options) for rows in (new, turned))
    assert told(first)["reasons"] == told(second)["reasons"]
    assert any("note" in finding.text for finding in second.check.findings)


def test_a_batch_is_not_asked_for_its_index():
    new = points(300, seed=2)
    odd = new.set_index(pd.Index(np.arange(300) % 7))
    first, second = (incumbent.update(weak(), rows, target="label", strategies="retrain") for rows in (new, odd))
    assert told(first) == told(second)


# ------------------------------------------------------------------------------------------- pipelines


def customers(rows, seed, *, rule="red"):
    """Numbers with gaps and text categories: what the label follows is mostly the colour."""
    rng = np.random.default_rng(seed)
    colour = rng.choice(["red", "green", "blue"], size=rows)
    age = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40, 10, size=rows))
    chance = np.where(colour == rule, 0.9, 0.1)
    label = np.where(rng.random(rows) < chance, "buys", "leaves")
    return pd.DataFrame({"colour": colour, "age": age, "city": rng.choice(["A", "B"], size=rows), "label": label})


def customer_model(last):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [("numbers", numbers, ["age"]), ("words", OneHotEncoder(handle_unknown="ignore"), ["colour", "city"])]
    )
    return make_pipeline(columns, last)


def test_a_pipeline_over_text_categories_and_gaps_is_updated():
    past, new = customers(300, 1), customers(900, 2, rule="blue")
    live = fitted(customer_model(LogisticRegression()), past)
    outcome = incumbent.update(live, new, target="label", data=past, gate=Gate(tolerance=None))
    assert outcome.decision == "promote"
    assert not [challenger.error for challenger in outcome.challengers if challenger.error]
    made = outcome.model.predict(customers(500, 3, rule="blue").drop(columns="label"))
    assert set(made) == {"buys", "leaves"}
    assert list(outcome.model.named_steps) == list(live.named_steps)


def test_a_category_that_the_champion_has_not_seen_is_found_and_learned():
    past, new = customers(300, 1), customers(900, 2)
    new.loc[new.index % 3 == 0, ["colour", "label"]] = ["violet", "buys"]
    live = fitted(customer_model(LogisticRegression()), past)
    outcome = incumbent.update(live, new, target="label", data=past, strategies="retrain", gate=Gate(tolerance=None))
    assert outcome.decision == "promote"
    assert any("violet" in finding.text for finding in outcome.check.warnings)
    categories = outcome.model[0].named_transformers_["words"].categories_[0]
    assert "violet" in categories


def reviews(rows, seed, *, good=("great", "fine"), bad=("poor", "awful")):
    rng = np.random.default_rng(seed)
    label = rng.integers(2, size=rows)
    words = [
        " ".join(
            [*rng.choice(["the", "thing", "is", "it", "was", "so"], 4), rng.choice(good if y else bad), str(k % 50)]
        )
        for k, y in enumerate(label)
    ]
    return pd.DataFrame({"review": words, "label": label})


@pytest.mark.filterwarnings("ignore:.*sparse.*:DeprecationWarning")
def test_a_pipeline_over_texts_is_updated():
    past, new = reviews(300, 1), reviews(600, 2, good=("great", "super"), bad=("poor", "broken"))
    live = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(past.review, past.label)
    outcome = incumbent.update(live, new, target="label", data=past, gate=Gate(tolerance=None))
    assert outcome.decision == "promote"
    assert not [challenger.error for challenger in outcome.challengers if challenger.error]
    assert outcome.model.predict(["so super it was", "the broken thing"]).tolist() == [1, 0]


# ------------------------------------------------------------------------------------- models as files


def test_a_model_is_taken_from_a_file_only_with_leave(tmp_path):
    import joblib

    joblib.dump(weak(), tmp_path / "model.joblib")
    new = points(300, seed=2)
    with pytest.raises(TrustError, match="trust_pickle=True"):
        incumbent.update(tmp_path / "model.joblib", new, target="label")
    outcome = incumbent.update(tmp_path / "model.joblib", new, target="label", trust_pickle=True, strategies="retrain")
    assert isinstance(outcome.model, LogisticRegression)


@pytest.mark.parametrize("live", [LogisticRegression(), LogisticRegression, {"model": 1}, None, 3], ids=str)
def test_what_is_no_fitted_model_is_refused(live):
    with pytest.raises(ModelError):
        incumbent.update(live, points(300, seed=2), target="label")


def test_the_outcome_can_be_printed_and_drawn(tmp_path):
    outcome = incumbent.update(weak(), points(300, seed=2), target="label", anchor=points(200, seed=10))
    assert outcome.decision[:6] in str(outcome).lower()
    page = outcome.report(tmp_path / "page.html")
    assert 10_000 < page.stat().st_size < 1_000_000
    assert "<" in outcome._repr_html_()


def test_a_native_booster_that_knows_codes_takes_the_sorted_names_of_the_labels_and_says_so():
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"a": rng.normal(size=1500), "b": rng.normal(size=1500)})
    y = np.where(x["a"] + x["b"] > 0, "yes", "no")
    live = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(x[:500], y[:500] == "yes"), 5)
    frame = x.assign(y=y)
    outcome = incumbent.update(live, frame[500:], target="y", data=frame[:500], strategies="retrain")
    assert outcome.champion.classes.tolist() == ["no", "yes"]
    assert outcome.prequential["champion"]["accuracy"] > 0.8
    assert any("taken for no, yes" in finding.text for finding in outcome.check.warnings)
