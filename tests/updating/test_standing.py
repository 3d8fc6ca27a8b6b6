"""Scores taken before anybody learns, and challengers that stand from earlier updates."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss

import incumbent
from incumbent.models import wrap
from incumbent.updating import run
from rows import NAMES, NEW, fitted, inputs, points, values, weak


def good() -> LogisticRegression:
    return fitted(LogisticRegression(), points(2000, seed=50))


def test_the_champion_is_scored_on_the_whole_batch_before_anybody_learns():
    live, new = fitted(LogisticRegression(), points(200, seed=1)), points(500, NEW, seed=2)
    outcome = incumbent.update(live, new, target="label", strategies="retrain")
    found = outcome.prequential["champion"]
    assert found["accuracy"] == pytest.approx(accuracy_score(new.label, live.predict(new[NAMES])))
    assert found["log_loss"] == pytest.approx(log_loss(new.label, live.predict_proba(new[NAMES])))
    assert set(outcome.prequential) == {"champion"}
    assert "kappa" not in found


def test_the_score_comes_before_the_first_fit():
    stages = []
    live = fitted(LogisticRegression(), points(200, seed=1))
    incumbent.update(live, points(300, seed=2), target="label", progress=lambda event: stages.append(event.stage))
    assert stages.index("prequential") < stages.index("fit") < stages.index("fitted") < stages.index("done")


def test_with_time_saying_the_last_label_again_and_kappas_stand_beside_it():
    new = points(500, seed=2).assign(when=np.arange(500))
    new["label"] = np.repeat([0, 1, 0, 1, 0], 100)  # labels that hardly ever change
    shuffled = new.sample(frac=1, random_state=0)
    live = fitted(LogisticRegression(), points(200, seed=1))
    outcome = incumbent.update(live, shuffled, target="label", time="when", strategies="retrain")
    assert outcome.prequential["no change"]["accuracy"] == pytest.approx(496 / 500)
    champion = outcome.prequential["champion"]
    assert abs(champion["kappa"]) < 0.2
    assert champion["kappa_temporal"] < -10


def test_a_regression_has_a_no_change_baseline_and_no_kappa():
    new = values(300, seed=2).assign(when=np.arange(300))
    outcome = incumbent.update(
        fitted(Ridge(), values(100, seed=1)), new, target="label", time="when", strategies="retrain"
    )
    assert outcome.prequential["no change"]["rmse"] > outcome.prequential["champion"]["rmse"]
    assert "kappa" not in outcome.prequential["champion"]


def test_a_standing_challenger_is_scored_and_can_be_promoted_without_any_training():
    live, standing, new = weak(), good(), points(900, seed=2)
    start = inputs(live, new, anchor=points(1600, seed=10), runners_up={"standing v7": wrap(standing)}, budget=1e-9)
    outcome = run(start)
    assert outcome.decision == "promote" and outcome.model is standing
    assert outcome.chosen.strategy == "standing v7"
    assert outcome.prequential["standing v7"]["accuracy"] == pytest.approx(standing.score(new[NAMES], new.label))
    assert outcome.prequential["standing v7"]["accuracy"] > outcome.prequential["champion"]["accuracy"]


def test_a_standing_challenger_that_is_worse_is_not_chosen():
    standing = fitted(LogisticRegression(), points(500, NEW, seed=3))
    start = inputs(
        weak(), points(900, seed=2), anchor=points(1600, seed=10), runners_up={"standing v7": wrap(standing)}
    )
    outcome = run(start)
    assert outcome.decision == "promote" and outcome.chosen.strategy != "standing v7"


class Broken(LogisticRegression):
    """Stands, but can no longer predict."""

    def predict_proba(self, X):
        raise RuntimeError("gone")


def test_a_standing_challenger_that_cannot_predict_fails_with_its_reason():
    standing = fitted(Broken(), points(500, seed=3))
    start = inputs(
        weak(), points(900, seed=2), anchor=points(1600, seed=10), runners_up={"standing v7": wrap(standing)}
    )
    outcome = run(start)
    assert outcome.decision == "promote"
    assert "standing v7" not in outcome.prequential
    assert "RuntimeError: gone" in outcome.challengers[0].error


@pytest.mark.parametrize("anchor", [40, 4_000])
def test_a_few_old_rows_have_a_say_in_proportion_in_the_choice(anchor):
    live, standing, new = weak(), good(), points(600, seed=2)
    ready = inputs(live, new, anchor=points(anchor, seed=10), runners_up={"v7": wrap(standing)}, budget=1e-9)
    found = next(c for c in run(ready).challengers if c.strategy == "v7")
    old, share = found.gains["old"], min(1.0, len(ready.old_select) / len(ready.select))
    assert (share < 0.2) == (anchor == 40)
    assert found.gain == pytest.approx((found.gains["new"] + share * old) / (1.0 + share))
