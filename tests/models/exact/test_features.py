"""Rows pass through frozen layers once an update, and what was kept of them says what the rows themselves would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from incumbent.core import AnchorSet, Batch, Memory, Recipe
from incumbent.memory import add_to_anchor_set, update_memory
from incumbent.models import add_rows, fit_challenger, predict, predict_and_cache, update_statistics, wrap
from incumbent.strategies import Analytic, Incremental
from incumbent.updating import run
from rows import fitted, inputs, points

RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 6)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


class Counted(FunctionTransformer):
    """A step that counts the rows that pass it."""

    def transform(self, x):
        self.rows = getattr(self, "rows", 0) + len(x)
        return super().transform(x)


def batch(at) -> Batch:
    return Batch(X[at], Y[at])


def pipeline():
    return make_pipeline(Counted(), StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)).fit(X, Y)


def solved(model, at=slice(0, 300), width=64):
    recipe = Analytic(width).prepare(Recipe(), Memory())
    return fit_challenger(model, recipe.bind(train=batch(at), select=batch(slice(800, 900))))


def test_kept_features_say_what_the_rows_say():
    model = wrap(pipeline())
    rows, said = predict_and_cache(model, batch(slice(0, 500)))
    np.testing.assert_array_equal(said.proba, model.predict(rows.x).proba)
    some = rows.take(np.arange(0, 500, 7))
    for other in (model, solved(model)):
        np.testing.assert_array_equal(predict(other, some).proba, other.predict(some.x).proba)


def test_a_projection_is_kept_in_bytes_without_rounding():
    model = solved(wrap(pipeline()))
    rows, said = predict_and_cache(model, batch(slice(0, 500)))
    assert rows.features.made.dtype == np.uint8
    np.testing.assert_array_equal(said.proba, model.predict(rows.x).proba)
    np.testing.assert_array_equal(rows.features.read(), model.head_input(rows.x))


def test_features_are_those_of_the_layers_that_made_them_and_of_no_others():
    model, other = wrap(pipeline()), wrap(make_pipeline(PCA(3), LogisticRegression()).fit(X, Y))
    rows, _ = predict_and_cache(model, batch(slice(0, 100)))
    assert rows.features.by == model.frozen != other.frozen
    np.testing.assert_array_equal(predict(other, rows).proba, other.predict(rows.x).proba)


def test_features_go_with_rows_that_are_taken_and_joined_and_no_further():
    rows, _ = predict_and_cache(wrap(pipeline()), batch(slice(0, 200)))
    again = Batch.join([rows.take(np.arange(50, 100)), rows.take([3, 1])])
    np.testing.assert_array_equal(again.features.at, [*range(50, 100), 3, 1])
    assert Batch.join([rows, batch(slice(200, 300))]).features is None
    other, _ = predict_and_cache(wrap(pipeline()), batch(slice(0, 200)))
    assert Batch.join([rows, other]).features is None
    assert update_memory(Memory(), rows, seed=0).rows.features is None
    anchor, free = add_to_anchor_set(AnchorSet(), rows, seed=0)
    assert anchor.rows.features is None and len(free.features) == len(free)


def test_features_larger_than_there_is_room_for_are_not_kept(monkeypatch):
    monkeypatch.setattr("incumbent.models.exact._features.MOST_BYTES", 1_000)
    model = wrap(pipeline())
    rows, said = predict_and_cache(model, batch(slice(0, 500)))
    assert rows.features is None
    np.testing.assert_array_equal(said.proba, model.predict(rows.x).proba)


def test_texts_and_frames_are_kept_too():
    texts = pd.DataFrame({"text": ["good day", "bad night", "good night", "bad day"] * 20})
    y = np.array(["yes", "no", "yes", "no"] * 20)
    model = wrap(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts.text, y))
    rows, said = predict_and_cache(model, Batch(texts, y))
    assert rows.features is not None
    np.testing.assert_array_equal(predict(model, rows.take([5, 2])).proba, said.proba[[5, 2]])
    framed = make_pipeline(StandardScaler().set_output(transform="pandas"), LogisticRegression())
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = wrap(framed.fit(frame, Y))
    rows, said = predict_and_cache(model, Batch(frame, Y))
    np.testing.assert_array_equal(predict(model, rows.take([5, 2])).proba, said.proba[[5, 2]])


@pytest.mark.parametrize("strategy", ["Analytic(64)", Incremental()])
def test_a_new_row_passes_the_frozen_steps_of_a_pipeline_once_in_an_update(strategy):
    live = make_pipeline(Counted(), SGDClassifier(loss="log_loss", random_state=0))
    live = fitted(live, points(400, seed=1))
    live[0].rows = 0
    run(inputs(live, points(900, seed=2), strategies=strategy))
    assert live[0].rows <= 900 + 4  # two rows are tried, to see what they give, and again


def test_an_exact_head_learns_the_rows_that_chose_it_and_equals_one_that_learned_all_at_once():
    model = wrap(pipeline())
    first = solved(model, slice(0, 300))
    both = add_rows(first, batch(slice(300, 420)))
    assert both.head.ridge == first.head.ridge
    lifted = first.native[:-1].transform(X[:420]).astype(float)
    joint = Ridge(alpha=first.head.ridge, solver="cholesky").fit(lifted, np.eye(2)[Y[:420]])
    np.testing.assert_allclose(both.head.coef, joint.coef_, rtol=1e-8, atol=1e-12)
    assert any("120 rows that chose it" in note for note in both.notes)
    kept = update_statistics(update_memory(Memory(), batch(slice(0, 500)), seed=0), both, batch(slice(0, 500)))
    assert float(kept.statistics["rows"]) == 500


def test_models_without_an_exact_head_stay_as_they_are_when_there_is_more_to_learn():
    model = wrap(pipeline())
    assert add_rows(model, batch(slice(0, 10))) is model


def test_the_promoted_head_has_learned_the_select_rows_and_no_gate_row():
    live = fitted(make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)), points(60, seed=1))
    ready = inputs(live, points(1_500, seed=2), strategies="Analytic(64)")
    outcome = run(ready)
    counts, chosen = outcome.rows, outcome.chosen
    assert chosen.model.head.solution.statistics.rows == counts["train"] + counts["select"]
    gate = ready.test.rows
    judged = outcome.comparisons["new"].paired
    np.testing.assert_array_equal(judged.challenger.label, chosen.model.predict(gate.x).label)
