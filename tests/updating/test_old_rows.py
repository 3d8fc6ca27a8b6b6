"""Evidence on old rows: the anchor set, fold models that have not learned the rows, or training rows and their bias."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import incumbent
from incumbent import Gate
from incumbent.core import Evidence
from incumbent.data import row_keys
from incumbent.metrics import metric
from incumbent.updating import ENOUGH_OLD_ROWS, old_evidence, run
from rows import NEW, fitted, inputs, points, weak


def crossfitted(live, past, new=None, **options):
    new = points(600, seed=2) if new is None else new
    return incumbent.update(live, new, target="label", data=past, strategies="retrain", **options)


def test_without_an_anchor_fold_models_are_judged_on_rows_that_they_have_not_seen():
    past = points(300, seed=1)
    outcome = crossfitted(fitted(LogisticRegression(), past), past, points(600, NEW, seed=2))
    assert outcome.verdict.source == "crossfit"
    assert "other folds" in outcome.verdict.reasons[1].text and "fold models" in outcome.verdict.guarantee
    old = outcome.comparisons["anchor"].paired
    assert len(old) == 300


def test_a_champion_that_knows_its_training_rows_by_heart_is_not_flattered():
    past = points(400, seed=1, noise=0.4)
    live = fitted(DecisionTreeClassifier(random_state=0), past)
    assert live.score(past.drop(columns="label"), past.label) == 1.0
    outcome = crossfitted(live, past, points(1500, seed=2, noise=0.4))
    champion = outcome.comparisons["anchor"].champion["accuracy"]
    assert 0.55 < champion < 0.8  # as it is on rows that it has not seen
    assert not outcome.verdict.reasons[1].violated


def test_the_training_rows_serve_with_the_bias_said_where_the_budget_leaves_no_time_for_fold_models():
    past = points(400, seed=1, noise=0.4)
    live = fitted(DecisionTreeClassifier(random_state=0), past)
    ready = inputs(live, points(600, seed=2, noise=0.4), data=past, strategies="Window(360)")
    chosen = run(ready).chosen
    spent = dataclasses.replace(ready, deadline=0.0)
    old = old_evidence(spent, chosen.model, chosen.recipe, clip=math.inf)
    assert (old.source, len(old)) == ("train", 400)
    assert (old.champion.label == old.y).all()
    verdict = Gate()(Evidence(metric(None, task="classification"), old, old))
    assert verdict.source == "train"
    assert "biased" in verdict.reasons[1].text
    assert any("(anchor=...)" in advice for advice in verdict.advice)


def test_a_small_anchor_set_is_filled_up_by_fold_models():
    past = points(300, seed=1)
    new = points(600, NEW, seed=2)
    outcome = crossfitted(fitted(LogisticRegression(), past), past, new, anchor=points(200, seed=10))
    assert outcome.verdict.source == "anchor+crossfit"
    assert len(outcome.comparisons["anchor"].paired) == pytest.approx(300 + 0.75 * 200, abs=30)


def test_one_fold_is_judged_where_the_new_rows_show_no_gain_so_that_nothing_can_be_promoted():
    past = points(300, seed=1)
    outcome = crossfitted(fitted(LogisticRegression(), past), past, points(600, seed=2))
    assert not outcome.verdict.reasons[0].holds
    assert len(outcome.comparisons["anchor"].paired) == 100


def test_a_large_anchor_set_needs_no_fold_models():
    past = points(300, seed=1)
    outcome = crossfitted(fitted(LogisticRegression(), past), past, anchor=points(ENOUGH_OLD_ROWS * 3 // 2, seed=10))
    assert outcome.verdict.source == "anchor"
    assert len(outcome.comparisons["anchor"].paired) >= ENOUGH_OLD_ROWS


def test_fold_models_of_a_fold_without_a_class_do_not_end_the_update():
    past = points(60, seed=1).assign(label="often")
    past.loc[3, "label"] = "once"
    new = points(600, seed=2)
    new["label"] = new.label.map({0: "often", 1: "once"})
    live = fitted(LogisticRegression(), past)
    outcome = crossfitted(live, past, new)
    assert outcome.decision in ("reject", "inconclusive", "promote")
    assert outcome.verdict.source in ("crossfit", "train")


def test_forgetting_shows_on_the_old_rows():
    past = points(400, seed=1)
    outcome = crossfitted(fitted(LogisticRegression(), past), past, points(900, NEW, seed=2))
    better, not_worse = outcome.verdict.reasons
    assert better.holds and not_worse.violated
    old = outcome.comparisons["anchor"]
    assert old.challenger["accuracy"] < old.champion["accuracy"] - 0.05
    assert set(old.per_class) == {"0", "1"}


def test_the_level_falls_with_every_use_of_the_anchor_rows():
    live, anchor = weak(), points(1600, seed=10)
    ready = inputs(live, points(900, seed=2), anchor=anchor, strategies="retrain")
    levels = []
    for uses in (0, 1, 4):
        ready.live.anchor.use_counts[:] = uses
        verdict = run(ready).verdict
        levels.append(verdict.reasons[1].interval.alpha)
    assert np.allclose(levels, [6 * 0.05 / np.pi**2 / k**2 for k in (1, 2, 5)])
    assert "use 5 of these rows" in verdict.reasons[1].text


def test_anchor_rows_that_the_champion_learned_from_are_left_out():
    past, old = points(300, seed=1), points(200, seed=10)
    outcome = crossfitted(weak(), past, anchor=pd.concat([old, past[:50]]))
    assert any("50 of 250 old rows are also in the training data" in f.text for f in outcome.check.warnings)
    assert len(outcome.anchor) < 200 + 150
    assert not set(row_keys(outcome.anchor.rows)) & set(row_keys(outcome.memory.rows))
