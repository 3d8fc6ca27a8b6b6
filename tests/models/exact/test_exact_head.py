"""An analytic head on scikit-learn models: exact over updates, stored, calibrated, and able to forget."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from incumbent.core import Batch, Exact, Memory, Recipe, Structure
from incumbent.errors import BudgetSpent, DataError, ModelError, UsageError
from incumbent.gate import Gate
from incumbent.memory import load_memory, nbytes, save_memory, update_memory
from incumbent.models import Head, fit_challenger, forget, load, save, update_statistics, wrap
from incumbent.models.exact import RandomReLU, Statistics
from incumbent.policy import default_strategies, select_strategies
from incumbent.strategies import Analytic, Incremental, Replay, Retrain, chain, parse
from incumbent.testing import check_model, check_strategy
from incumbent.updating import run
from rows import inputs, points, values

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2400, 6))
Y = np.array(["ant", "bee", "cow", "dog"])[(X[:, 0] * X[:, 1] > 0) + 2 * (X[:, 2] > 0)]
USUAL = Analytic(200)


def batch(at) -> Batch:
    return Batch(X[at], Y[at])


def live(at=slice(0, 300)):
    return wrap(make_pipeline(PCA(5), LogisticRegression()).fit(X[at], Y[at]))


def learn(model, memory, at, strategy=USUAL, *, select=slice(2200, 2400)):
    """One update without a gate: the challenger, and the memory it carries on."""
    new = batch(at)
    recipe = strategy.prepare(Recipe(), memory).bind(train=new, select=batch(select), memory=memory)
    made = fit_challenger(model, recipe)
    return made, strategy.remember(update_memory(memory, new, seed=0), made, new)


def statistics_of(memory):
    return Statistics.from_arrays(memory.statistics)


def stored(model, folder):
    save(model, folder)
    return load(folder)


def remembered(at):
    return update_memory(Memory(), batch(at), seed=0)


def jointly(model, at, ridge):
    """Ridge by scikit-learn on the frozen steps of `model`, for all rows at once."""
    features = model.native[:-1].transform(X[at]).astype(float)
    hot = (Y[at][:, None] == np.unique(Y[at])).astype(float)
    return Ridge(alpha=ridge, solver="cholesky").fit(features, hot)


def away(one, two):
    return np.linalg.norm(one - two) / np.linalg.norm(two)


# ------------------------------------------------------------------------------------------------- exact


def test_updates_equal_ridge_on_every_row_at_once_and_pass_only_new_rows_through(monkeypatch):
    passed = []
    through = RandomReLU.transform
    monkeypatch.setattr(RandomReLU, "transform", lambda self, x: passed.append(len(x)) or through(self, x))
    model, memory = live(), remembered(slice(0, 300))
    for start in range(300, 2200, 190):
        passed.clear()
        model, memory = learn(model, memory, slice(start, start + 190), select=slice(2200, 2210))
        assert sum(passed) == 190 + 10 + (300 if start == 300 else 0)
    once = jointly(model, slice(0, 2200), model.head.ridge)
    assert statistics_of(memory).rows == 2200
    assert away(model.head.coef, once.coef_) < 1e-10 and away(model.head.intercept, once.intercept_) < 1e-10


def test_classes_that_arrive_one_by_one_in_any_order_end_in_the_same_layer():
    found = []
    for order in (["dog", "ant", "cow", "bee"], ["bee", "cow", "ant", "dog"]):
        parts = [np.flatnonzero(Y[300:2200] == label) + 300 for label in order]
        model, memory = live(), remembered(slice(0, 300))
        for at in parts:
            model, memory = learn(model, memory, at, Analytic(200, ridge=2.0))
        found.append((model, jointly(model, slice(0, 2200), 2.0)))
    for model, once in found:
        assert model.classes.tolist() == ["ant", "bee", "cow", "dog"]
        assert away(model.head.coef, once.coef_) < 1e-10


def test_a_new_class_is_taken_in_and_noted():
    old = np.flatnonzero(Y[:300] != "dog")
    model = wrap(make_pipeline(StandardScaler(), LogisticRegression()).fit(X[old], Y[old]))
    made, _ = learn(model, remembered(old), slice(300, 900))
    assert "dog" in made.classes and any("1 new class: dog" in note for note in made.notes)
    assert (made.predict(X[900:2200]).label == Y[900:2200]).mean() > 0.7


def test_a_memory_that_was_stored_goes_on_where_it_stood(tmp_path):
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    save(model, tmp_path / "model")
    save_memory(memory, tmp_path / "memory")
    again, kept = load(tmp_path / "model"), load_memory(tmp_path / "memory")
    assert nbytes(kept) == nbytes(memory) > 200 * 201 * 4
    assert np.array_equal(again.predict(X).proba, model.predict(X).proba)
    one, two = learn(model, memory, slice(900, 1500)), learn(again, kept, slice(900, 1500))
    assert np.array_equal(one[0].predict(X).proba, two[0].predict(X).proba)
    assert all(np.array_equal(one[1].statistics[name], two[1].statistics[name]) for name in one[1].statistics)


def test_rows_learned_beyond_those_it_was_solved_from_are_passed_through_once(tmp_path):
    model, memory = live(), remembered(slice(0, 300))
    new = batch(slice(300, 1000))
    recipe = Analytic(200).prepare(Recipe(), memory).bind(train=batch(slice(300, 800)), memory=memory)
    made = fit_challenger(model, recipe)
    kept = update_statistics(update_memory(memory, new, seed=0), made, new)
    assert statistics_of(kept).rows == 1000
    again = stored(made, tmp_path)  # without what it was solved from
    assert statistics_of(update_statistics(update_memory(memory, new, seed=0), again, new)).rows == 1000


def test_statistics_of_other_features_are_never_mixed_in():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    other, _ = learn(live(slice(0, 200)), memory, slice(900, 1200))
    assert (
        statistics_of(update_statistics(memory, other, batch(slice(900, 1200)))).rows == 1200
    )  # made anew from what is remembered
    assert other.head.token != model.head.token
    assert update_statistics(memory, live(), batch(slice(900, 1200))).statistics == {}


def test_another_width_begins_anew_and_auto_keeps_the_width():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    wider, _ = learn(model, memory, slice(900, 1200), Analytic(350))
    assert len(wider.native.steps) == len(model.native.steps) and wider.head.coef.shape == (4, 350)
    assert wider.head.solution.statistics.rows == 1200
    memory = memory.replace(rows=memory.rows.take(np.arange(500)), key=memory.key[:500])  # some were let go since
    same, _ = learn(model, memory, slice(900, 1200), Analytic())
    assert same.head.lift is model.head.lift and same.head.token == model.head.token


def test_rows_that_outgrow_an_automatic_width_begin_anew_with_more_features_and_lose_nothing():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    assert model.head.coef.shape == (4, 200)
    wider, carried = learn(model, memory, slice(900, 1200), Analytic())
    assert wider.head.coef.shape == (4, 800) and wider.head.solution.statistics.rows == 1200
    joint = jointly(wider, slice(0, 1200), wider.head.ridge)
    np.testing.assert_allclose(wider.head.coef, joint.coef_, rtol=1e-6, atol=1e-9)
    assert statistics_of(carried).rows == 1200
    weighed = memory.replace(
        statistics={**memory.statistics, "rows": np.array(1500.0)}
    )  # sums of heavier rows than these
    assert learn(model, weighed, slice(900, 1200), Analytic())[0].head.lift is model.head.lift


def test_auto_takes_a_width_that_fits_the_rows_and_the_budget():
    model, memory = live(), remembered(slice(0, 300))
    recipe = Analytic().prepare(Recipe(), memory).bind(train=batch(slice(300, 1000)), memory=memory)
    assert fit_challenger(model, recipe).head.coef.shape[1] == 1000
    tight = recipe.bind(deadline=time.monotonic() + 0.2)
    assert fit_challenger(model, tight).head.coef.shape[1] <= 500


# ------------------------------------------------------------------------------------------------ models


@pytest.mark.parametrize(
    "native",
    [LogisticRegression(), GaussianNB(), RandomForestClassifier(5, random_state=0)],
    ids=lambda native: type(native).__name__,
)
def test_a_model_alone_becomes_a_pipeline_of_its_scaled_columns(native):
    frame = pd.DataFrame(X * [1, 5, 1, 1, 0.01, 1], columns=list("abcdef"))
    model = wrap(native.fit(frame[:300], Y[:300]))
    recipe = Analytic(300).prepare(Recipe(), Memory()).bind(train=Batch(frame[300:2200], Y[300:2200]))
    made = fit_challenger(model, recipe)
    assert [type(step).__name__ for _, step in made.native.steps] == ["RandomReLU", "LogisticRegression"]
    assert (made.predict(frame[2200:]).label == Y[2200:]).mean() > 0.8
    mixed = frame[list("fedcba")]
    assert np.array_equal(made.predict(mixed).label, made.predict(frame).label)  # columns are known by name
    check_model(made.native, Batch(frame[:240], Y[:240]), strategies=[Analytic(60), Retrain(), Incremental()])


@pytest.mark.parametrize("width", [0, 120])
def test_values_are_predicted_by_a_ridge(width):
    y = X[:, 0] - 2 * X[:, 1] + 7
    model = wrap(make_pipeline(StandardScaler(), LinearRegression()).fit(X[:300], y[:300]))
    recipe = Analytic(width).prepare(Recipe(), Memory(Batch(X[:300], y[:300])))
    made = fit_challenger(
        model, recipe.bind(train=Batch(X[300:2200], y[300:2200]), memory=Memory(Batch(X[:300], y[:300])))
    )
    assert made.task == "regression" and type(made.native[-1]) is Ridge
    assert np.abs(made.predict(X[2200:]).label - y[2200:]).mean() < 0.15
    check_model(made.native, Batch(X[:200], y[:200]), strategies=[Analytic(width), Retrain()])


@pytest.mark.parametrize(
    "native", [LogisticRegression(), make_pipeline(PCA(4), SGDClassifier(random_state=0))], ids=repr
)
def test_without_a_projection_the_head_lies_on_the_features_themselves(native):
    model = wrap(native.fit(X[:300], Y[:300]))
    made, memory = learn(model, remembered(slice(0, 300)), slice(300, 900), Analytic(0))
    assert not any(isinstance(step, RandomReLU) for _, step in made.native.steps)
    more, memory = learn(made, memory, slice(900, 2200), Analytic())
    assert statistics_of(memory).rows == 2200
    assert away(more.head.coef, jointly(more, slice(0, 2200), more.head.ridge).coef_) < 1e-8
    check_model(more.native, Batch(X[:240], Y[:240]), strategies=[Analytic(0), Retrain()])


def test_texts_are_projected_as_the_sparse_counts_they_are():
    words = np.array([["good", "warm", "film"], ["bad", "cold", "film"]])
    y = RNG.integers(2, size=400)
    texts = pd.DataFrame({"text": [" ".join(RNG.choice(words[k], 6)) for k in y]})
    model = wrap(make_pipeline(TfidfVectorizer(), SGDClassifier(loss="log_loss")).fit(texts["text"][:50], y[:50]))
    made = fit_challenger(model, Analytic(100).prepare(Recipe(), Memory()).bind(train=Batch(texts[50:300], y[50:300])))
    assert (made.predict(texts[300:]).label == y[300:]).mean() > 0.95
    check_model(made.native, Batch(texts[:120], y[:120]), strategies=[Analytic(40)])


def test_a_retraining_fits_every_step_and_solves_the_head_anew():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    recipe = Retrain().prepare(Recipe(), memory).bind(train=batch(slice(900, 2200)), memory=memory)
    made = fit_challenger(model, recipe)
    assert made.head.solution.statistics.rows == 1300 and made.head.coef.shape == (4, 200)
    assert not np.array_equal(made.native[0].components_, model.native[0].components_)
    assert made.head.token != model.head.token


def test_gradient_steps_on_the_layer_keep_the_statistics_in_use():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    recipe = Incremental("adam", lr=0.01).prepare(Recipe(), memory).bind(train=batch(slice(900, 1200)), memory=memory)
    stepped = fit_challenger(model, recipe)
    assert stepped.head.token == model.head.token and not np.array_equal(stepped.head.coef, model.head.coef)
    assert statistics_of(update_statistics(memory, stepped, batch(slice(900, 1200)))).rows == 1200


def test_the_strategy_keeps_every_promise_of_strategies():
    for strategy in (Analytic(), Analytic(64, ridge=0.5), Analytic(0)):
        check_strategy(strategy)


# ------------------------------------------------------------------------------------------- probabilities


@pytest.mark.parametrize(
    "labels", [Y, np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")], ids=["four classes", "two classes"]
)
def test_probabilities_are_calibrated_by_a_temperature_on_the_select_rows(labels):
    model = wrap(make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:300], labels[:300]))
    select, test = slice(1500, 1900), slice(1900, 2400)
    recipe = (
        Analytic(300)
        .prepare(Recipe(), Memory())
        .bind(train=Batch(X[300:1500], labels[300:1500]), select=Batch(X[select], labels[select]))
    )
    made = fit_challenger(model, recipe)
    head, said = made.head, made.predict(X[test])
    scores = made.native[:-1].transform(X[test]) @ head.coef.T + head.intercept
    assert np.array_equal(said.label, made.classes[scores.argmax(axis=1)])

    def surprise(factor):
        mass = np.exp(factor * scores)
        right = np.searchsorted(made.classes, labels[test])
        return -np.log(mass[np.arange(len(right)), right] / mass.sum(axis=1)).mean()

    given = -np.log(said.proba[np.arange(len(said)), np.searchsorted(made.classes, labels[test])]).mean()
    assert given == pytest.approx(surprise(head.temperature), rel=1e-6)
    assert given < surprise(1.0) and given < 1.02 * min(map(surprise, np.geomspace(0.5, 60, 60)))


# ------------------------------------------------------------------------------------------------ forgetting


@pytest.mark.parametrize("is_stored", [False, True], ids=["just solved", "from a store"])
def test_forgotten_rows_were_never_seen(is_stored, tmp_path):
    gone = np.arange(500, 560)
    kept = np.setdiff1d(np.arange(900), gone)
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    if is_stored:
        model = stored(model, tmp_path)
    left, after = forget(model, memory, batch(gone))
    once = jointly(left, kept, model.head.ridge)
    assert away(left.head.coef, once.coef_) < 1e-10
    assert (len(memory), len(after), after.seen, statistics_of(after).rows) == (900, 840, 840, 840)
    assert len(after.key) == 840 and not np.isin(after.rows.x[:, 0], X[gone, 0]).any()
    assert left.head.temperature == pytest.approx(model.head.temperature)
    assert model.head.coef is not left.head.coef and "forgot 60 rows exactly" in left.notes
    more, memory = learn(left, after, slice(900, 1200))
    assert (
        away(more.head.coef, jointly(more, np.concatenate([kept, np.arange(900, 1200)]), more.head.ridge).coef_) < 1e-10
    )


def test_rows_that_are_forgotten_and_learned_again_change_nothing():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    left, after = forget(model, memory, batch(slice(500, 560)))
    again = update_statistics(after, left, batch(slice(500, 560)))
    sums = memory.statistics
    assert len(sums) > 5 and all(np.array_equal(again.statistics[name], sums[name]) for name in sums)


def test_only_a_model_with_statistics_forgets():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    with pytest.raises(ModelError, match="only a version made by Analytic"):
        forget(live(), memory, batch(slice(0, 10)))
    with pytest.raises(ModelError, match="only a version made by Analytic"):
        forget(model, memory.replace(statistics={}), batch(slice(0, 10)))
    with pytest.raises(DataError, match="were learned"):
        forget(model, memory, Batch(X[:3], np.array(["elk"] * 3)))


# ------------------------------------------------------------------------------------------------- in updates


def test_a_refused_update_still_counts_its_rows(monkeypatch):
    frame = points(1500)
    first = run(inputs(weak(), frame[300:900], data=frame[:300], strategies=[Analytic(64)], gate=EASY))
    assert first.decision == "promote"
    seen = statistics_of(first.memory).rows
    assert seen == first.memory.seen
    kept = {"memory": first.memory, "anchor": first.anchor, "gate": Gate(min_gain=0.9, tolerance=None)}
    refused = run(inputs(first.chosen.model, frame[900:1500], strategies=[Analytic()], **kept))
    assert refused.decision != "promote"
    assert statistics_of(refused.memory).rows == refused.memory.seen > seen


def weak():
    frame = points(12, noise=0.0, seed=3)
    return LogisticRegression().fit(frame.drop(columns="label"), frame["label"])


EASY = Gate(min_gain=-1.0, tolerance=None)


def test_auto_offers_it_where_the_live_model_was_solved_and_not_before():
    model, memory = learn(live(), remembered(slice(0, 300)), slice(300, 900))
    assert default_strategies(model, memory, rows=100)[0] == Analytic()
    assert Analytic() not in default_strategies(live(), remembered(slice(0, 300)), rows=100)
    assert select_strategies("analytic", model, memory, rows=100)[0][0] == Analytic()


def test_values_can_be_updated_too():
    frame = values(1200)
    native = LinearRegression().fit(frame[["a", "b", "c"]][:40], -frame["label"][:40])
    outcome = run(inputs(native, frame[300:], data=frame[:300], strategies=[Analytic(64)], gate=Gate(tolerance=None)))
    assert outcome.decision == "promote" and statistics_of(outcome.memory).rows == outcome.memory.seen


# ------------------------------------------------------------------------------------------------ bad input


def test_replayed_rows_would_count_twice_and_are_refused():
    with pytest.raises(UsageError, match="count twice"):
        learn(live(), remembered(slice(0, 300)), slice(300, 900), chain(Replay(100), Analytic(50)))


@pytest.mark.parametrize(("column", "said"), [([np.nan] * 100, "missing or infinite"), (["red"] * 100, "hold text")])
def test_features_that_are_no_numbers_are_refused_with_advice(column, said):
    frame = pd.DataFrame(X[:100], columns=list("abcdef"))
    model = wrap(LogisticRegression().fit(frame, Y[:100]))
    rows = Batch(frame.assign(c=column), Y[:100])
    with pytest.raises(ModelError, match=said):
        fit_challenger(model, Analytic(20).prepare(Recipe(), Memory()).bind(train=rows))


def test_too_many_features_for_a_head_without_projection_are_refused(monkeypatch):
    monkeypatch.setattr("incumbent.models.exact._fit._WIDEST", 4)
    with pytest.raises(ModelError, match="at most 4 are taken"):
        learn(live(), remembered(slice(0, 300)), slice(300, 900), Analytic(0))


def test_the_deadline_is_kept():
    recipe = Analytic(50).prepare(Recipe(), Memory()).bind(train=batch(slice(0, 900)), deadline=0.0)
    with pytest.raises(BudgetSpent):
        fit_challenger(live(), recipe)


@pytest.mark.parametrize("wrong", ["Analytic(-1)", "Analytic('wide')", "Analytic(2.5)", "Analytic(100, ridge=0)"])
def test_a_width_or_a_penalty_that_means_nothing_is_refused(wrong):
    with pytest.raises(UsageError, match=r"Analytic\("):
        parse(wrong)


def test_options_of_version_0_1_are_ignored_with_a_warning():
    for text in ("Analytic(300, projection='quadratic')", "Analytic(300, neighbours=0)"):
        assert parse(text) == Analytic(300)  # a store may hold it
    with pytest.warns(DeprecationWarning, match="no longer has an effect; leave it out"):
        assert Analytic(300, neighbours=0) == Analytic(300)
    with pytest.warns(DeprecationWarning, match="projection=... is now ignored"):
        assert Structure("champion", head=Exact(300), projection="relu") == Structure("champion", head=Exact(300))
    with pytest.warns(DeprecationWarning, match="neighbours=... is now ignored"):
        assert Recipe().replace(head=Exact(300), neighbours=50) == Recipe().replace(head=Exact(300))
    assert repr(Analytic(300)) == "Analytic(300)" and Analytic(300).replace(ridge=2.0) == Analytic(300, ridge=2.0)


# ------------------------------------------------------------------------------------------ for other adapters


@pytest.mark.parametrize("width", [0, 60])
@pytest.mark.parametrize("native", [GaussianNB(), make_pipeline(PCA(4), LogisticRegression())], ids=["raw", "features"])
def test_a_head_is_stored_as_plain_arrays_and_predicts_the_same(native, width, tmp_path):
    made, _ = learn(wrap(native.fit(X[:300], Y[:300])), Memory(), slice(300, 900), Analytic(width))
    np.savez(tmp_path / "head.npz", allow_pickle=False, **made.head.to_arrays())
    with np.load(tmp_path / "head.npz", allow_pickle=False) as arrays:
        again = Head.from_arrays(arrays)
    features, wanted = made.features(X), made.predict(X)
    for head in (made.head, again):
        found = head.predict(features)
        assert np.array_equal(found.label, wanted.label) and found.classes.tolist() == wanted.classes.tolist()
        np.testing.assert_allclose(found.proba, wanted.proba, rtol=1e-5, atol=1e-7)
    assert (again.token, again.ridge, again.width) == (made.head.token, made.head.ridge, width)


def test_a_head_of_a_numeric_target_predicts_values():
    y = X[:, 0] - 2 * X[:, 1] + 7
    recipe = Analytic(64).prepare(Recipe(), Memory()).bind(train=Batch(X[:600], y[:600]))
    made = fit_challenger(wrap(LinearRegression().fit(X[:300], y[:300])), recipe)
    again = Head.from_arrays(made.head.to_arrays())
    np.testing.assert_allclose(again.predict(X).label, made.predict(X).label, rtol=1e-5)
