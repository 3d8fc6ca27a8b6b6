"""What an update decides where the truth is known, and that it decides the same again."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import incumbent
from incumbent import Gate
from incumbent.errors import AbilityError, DataError, UsageError
from incumbent.updating import run
from rows import NEW, fitted, inputs, points, told, values, weak


def steady() -> LogisticRegression:
    return fitted(LogisticRegression(), points(400, seed=1))


def test_a_real_gain_is_promoted():
    live = weak()
    outcome = incumbent.update(live, points(900, seed=2), target="label", anchor=points(600, seed=10))
    assert outcome.decision == "promote"
    assert all(reason.holds for reason in outcome.verdict.reasons)
    assert outcome.model is outcome.chosen.model.native is not live
    assert type(outcome.model) is LogisticRegression
    assert outcome.verdict.advice == ()
    test = points(5000, seed=99)
    assert outcome.model.score(test.drop(columns="label"), test.label) > live.score(
        test.drop(columns="label"), test.label
    )


def test_shuffled_labels_are_rejected():
    new = points(900, seed=2)
    new["label"] = new.label.sample(frac=1, random_state=0).to_numpy()
    live = steady()
    outcome = incumbent.update(live, new, target="label", anchor=points(600, seed=10), strategies="Window(540)", seed=0)
    assert outcome.decision == "reject"
    assert outcome.model is live
    assert [reason.name for reason in outcome.verdict.reasons if reason.violated]
    assert outcome.verdict.advice


def test_turned_labels_win_the_new_rows_and_lose_the_old():
    new = points(900, seed=2)
    new["label"] = 1 - new.label
    outcome = incumbent.update(
        steady(), new, target="label", anchor=points(600, seed=10), strategies="Window(540)", seed=0
    )
    better, not_worse = outcome.verdict.reasons
    assert (outcome.decision, better.holds, not_worse.violated) == ("reject", True, True)


@pytest.mark.parametrize("seed", range(2))
def test_a_stream_that_follows_the_same_rule_promotes_nothing(seed):
    live = fitted(LogisticRegression(), points(4000, seed=100 + seed))
    outcome = incumbent.update(live, points(600, seed=200 + seed), target="label", anchor=points(400, seed=300 + seed))
    assert outcome.decision != "promote"
    assert outcome.model is live


def test_a_changed_rule_is_followed_once_the_old_rows_are_waived():
    live, new, past = steady(), points(900, NEW, seed=2), points(400, seed=1)
    kept = incumbent.update(live, new, target="label", data=past, strategies="retrain")
    assert kept.decision == "reject"
    followed = incumbent.update(live, new, target="label", strategies="retrain", gate=Gate(tolerance=None))
    assert followed.decision == "promote"
    assert [reason.name for reason in followed.verdict.reasons] == ["better on the new rows"]
    assert "tolerance=None" in followed.verdict.guarantee


def test_nothing_is_promoted_where_nothing_is_known_of_the_old_rows():
    outcome = incumbent.update(weak(), points(900, seed=2), target="label")
    better, not_worse = outcome.verdict.reasons
    assert (outcome.decision, better.holds, not_worse.holds) == ("inconclusive", True, False)
    assert "anchor=" in not_worse.text


def test_a_wanted_gain_that_is_not_reached_is_not_promoted():
    outcome = incumbent.update(
        weak(), points(900, seed=2), target="label", anchor=points(600, seed=10), gate=Gate(min_gain=0.5)
    )
    assert outcome.decision == "reject"
    assert outcome.verdict.reasons[0].limit == 0.5


# ------------------------------------------------------------------------------------------- the same again


LIVE = {
    "logistic": lambda: weak(),
    "sgd": lambda: fitted(SGDClassifier(loss="log_loss", random_state=0), points(40, seed=3)),
    "forest": lambda: fitted(RandomForestClassifier(8, max_depth=4), points(40, seed=3)),
    "pipeline": lambda: fitted(make_pipeline(StandardScaler(), LogisticRegression()), points(40, seed=3)),
}


@pytest.mark.parametrize("kind", LIVE)
def test_the_same_input_and_seed_give_the_same_outcome_and_change_neither_model_nor_rows(kind):
    live, new, past = LIVE[kind](), points(500, seed=2), points(300, seed=4)
    before, rows = pickle.dumps(live), new.copy(deep=True)

    def again(seed):
        return told(incumbent.update(live, new, target="label", data=past, seed=seed, budget=None))

    first = again(1)
    assert again(1) == first
    assert again(2) != first
    assert not all(challenger["error"] for challenger in first["challengers"])
    assert pickle.dumps(live) == before
    assert new.equals(rows) and not new.attrs


def test_the_order_of_the_rows_does_not_change_what_is_judged():
    new = points(600, seed=2)
    turned = new.sample(frac=1, random_state=5)
    outcomes = [
        incumbent.update(weak(), rows, target="label", anchor=points(400, seed=10), strategies="retrain")
        for rows in (new, turned)
    ]
    first, second = (sorted(outcome.comparisons["new"].paired.champion.proba[:, 0]) for outcome in outcomes)
    assert np.allclose(first, second)


# -------------------------------------------------------------------------------------- what can go wrong


def test_a_budget_that_is_spent_at_once_keeps_the_champion_and_says_so():
    live = weak()
    outcome = incumbent.update(live, points(900, seed=2), target="label", anchor=points(400, seed=10), budget=1e-9)
    assert outcome.decision == "inconclusive" and outcome.model is live and outcome.chosen is None
    assert outcome.challengers and all("budget" in challenger.error for challenger in outcome.challengers)
    assert "budget was spent" in outcome.verdict.guarantee
    assert "--budget" in outcome.verdict.advice[0]
    assert "budget" in str(outcome)


class Once(LogisticRegression):
    """Can be fitted while it may be, and never again."""

    may = True

    def fit(self, X, y, sample_weight=None):
        if not Once.may:
            raise ValueError("no more")
        return super().fit(X, y, sample_weight)


def test_where_every_challenger_fails_the_champion_stays_and_each_failure_is_told(monkeypatch):
    live = fitted(Once(), points(400, seed=1))
    monkeypatch.setattr(Once, "may", False)
    outcome = incumbent.update(
        live, points(900, seed=2), target="label", anchor=points(400, seed=10), strategies=["retrain", "Window(500)"]
    )
    assert outcome.decision == "inconclusive" and outcome.model is live
    assert [challenger.error for challenger in outcome.challengers] == ["ValueError: no more"] * 2
    assert "failed" in outcome.verdict.advice[0]
    assert "no more" in str(outcome)


def test_one_failing_challenger_does_not_end_the_update():
    live = fitted(LogisticRegression(), points(400, seed=1))
    new = points(900, seed=2)
    outcome = incumbent.update(
        live, new, target="label", anchor=points(400, seed=10), strategies=["Window('30d')", "retrain"]
    )
    failing, made = outcome.challengers
    assert "rows have no time" in failing.error and not made.error and made.chosen


class Forgetful(LogisticRegression):
    """Predicts only rows whose column c is not above what it saw in training."""

    def fit(self, X, y, sample_weight=None):
        self.most_ = X["c"].max()
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        if X["c"].max() > self.most_:
            raise ValueError("beyond what was seen")
        return super().predict_proba(X)


@pytest.mark.parametrize("row", [0, 800], ids=["select", "gate"])
def test_a_challenger_that_cannot_predict_held_out_rows_has_failed(row):
    new = points(900, seed=2).assign(when=np.arange(900))
    new.loc[row if row else 600, "c"] = 50.0
    past = points(400, seed=1)
    past.loc[0, "c"] = 60.0
    live = fitted(Forgetful(), past)
    if row:
        new.loc[600, "c"] = 0.0
    outcome = incumbent.update(
        live, new, target="label", time="when", anchor=points(400, seed=10).assign(when=-1), strategies="Window(500)"
    )
    assert outcome.decision == "inconclusive" and outcome.model is live and outcome.chosen is None
    assert "cannot predict held-out rows (ValueError: beyond what was seen)" in outcome.challengers[0].error


def test_a_champion_that_cannot_predict_the_new_rows_is_named_with_its_reason():
    new = points(900, seed=2)
    new.loc[3, "b"] = np.nan
    with pytest.raises(DataError, match=r"LogisticRegression cannot predict the new rows \(ValueError: .*NaN"):
        incumbent.update(steady(), new, target="label")


def test_a_metric_that_cannot_be_computed_on_the_select_rows_chooses_nobody():
    new = points(900, seed=2).query("label == 1")
    outcome = incumbent.update(steady(), new, target="label", data=points(400, seed=1), metric="auc")
    assert outcome.decision == "inconclusive" and outcome.chosen is None
    assert "auc cannot be computed" in outcome.verdict.guarantee
    assert "budget" not in outcome.verdict.advice[0]


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"strategies": []}, UsageError, "strategies='auto'"),
        ({"strategies": "retrian"}, UsageError, "Did you mean Retrain"),
        ({"strategies": "AppendTrees(10)"}, AbilityError, "add_trees"),
        ({"metric": "acuracy"}, UsageError, "accuracy"),
        ({"metric": "rmse"}, UsageError, "classification"),
        ({"budget": "soon"}, UsageError, "'soon'"),
        ({"budget": -1}, UsageError, "-1"),
        ({"target": "labels"}, DataError, "label"),
        ({"target": None}, DataError, "target="),
        ({"time": "when"}, DataError, "when"),
        ({"group": "who"}, DataError, "who"),
    ],
)
def test_a_mistake_is_told_before_anything_is_trained(options, kind, said, monkeypatch):
    live = fitted(Once(), points(100, seed=1))
    monkeypatch.setattr(Once, "may", False)
    with pytest.raises(kind, match=said):
        incumbent.update(live, points(200, seed=2), **{"target": "label", **options})


def test_the_same_rows_given_twice_are_told_apart_from_too_few():
    past, old = points(300, seed=1), points(100, seed=10)
    with pytest.raises(DataError, match="300 of the 310 rows are not new: 300 were learned from before and 0"):
        incumbent.update(steady(), pd.concat([past, points(10, seed=5)]), target="label", data=past)
    with pytest.raises(DataError, match="100 of the 100 rows are not new: 0 .* 100 are in the anchor set"):
        incumbent.update(steady(), old, target="label", anchor=old)


def test_too_few_rows_say_how_many_are_needed():
    with pytest.raises(DataError, match="12 of the 12 new rows qualify"):
        incumbent.update(steady(), points(12, seed=2), target="label")


# ------------------------------------------------------------------------------------ classes and values


@pytest.mark.parametrize("strategy", ["retrain", "incremental"])
def test_a_new_class_in_the_batch_is_learned(strategy):
    past, new = points(300, seed=1), points(900, seed=2)
    new.loc[new.c > 0.8, "label"] = 2
    live = fitted(LogisticRegression(), past)
    outcome = incumbent.update(live, new, target="label", data=past, strategies=strategy, gate=Gate(tolerance=None))
    assert outcome.decision == "promote"
    assert outcome.model.classes_.tolist() == [0, 1, 2]
    champion, challenger, rows = outcome.comparisons["new"].per_class["2"]
    assert champion == 0 and challenger > 0.2 and rows > 20


@pytest.mark.parametrize("metric", [None, "mae"])
def test_a_regression_is_promoted_by_rmse_or_mae(metric):
    live = fitted(Ridge(), values(8, seed=3, noise=1.0))
    outcome = incumbent.update(
        live, values(900, seed=2), target="label", anchor=values(600, seed=10), metric=metric, strategies="retrain"
    )
    assert (outcome.decision, outcome.metric) == ("promote", metric or "rmse")
    assert isinstance(outcome.model, Ridge)
    new = outcome.comparisons["new"]
    assert new.challenger[outcome.metric] < new.champion[outcome.metric]
    assert new.per_class == {}


def test_the_clip_of_a_loss_without_bound_is_fixed_on_the_select_rows_of_the_champion():
    live = fitted(Ridge(), values(100, seed=3))
    ready = inputs(live, values(900, seed=2), anchor=values(300, seed=10), strategies="retrain")
    outcome = run(ready)
    select = ready.select.rows
    expected = np.quantile((live.predict(select.x) - select.y) ** 2, 0.99)
    assert outcome.comparisons["new"].paired.clip == pytest.approx(expected)
    assert outcome.comparisons["anchor"].paired.clip == pytest.approx(expected)


def test_one_absurd_value_in_the_gate_rows_does_not_decide():
    past, new = values(600, seed=1), values(900, seed=2)
    live = fitted(Ridge(), past)
    tested = inputs(live, new, data=past).test.rows.x
    new.loc[tested.index[0], "label"] = 1e6
    outcome = incumbent.update(live, new, target="label", data=past, strategies="retrain")
    assert outcome.decision != "promote"
    assert abs(outcome.comparisons["new"].interval.value) < 1.0
