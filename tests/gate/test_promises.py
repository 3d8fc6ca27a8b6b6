"""The two promises: what is shown better is promoted, or what is shown worse is not."""

from __future__ import annotations

import numpy as np
import pytest

from incumbent.core import Evidence, Interval, PairedPredictions, Prediction, PrequentialEvidence
from incumbent.errors import UsageError
from incumbent.gate import Gate
from incumbent.gate.slices import Slice
from incumbent.metrics import MAE, Accuracy

CLASSES = np.array([0, 1])
LIVE = "Retrain()"


def counted(rows, wins, losses, **more):
    y = np.zeros(rows, dtype=int)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return PairedPredictions(y, Prediction(champion, None, CLASSES), Prediction(challenger, None, CLASSES), **more)


EQUAL, WORSE, BETTER = counted(300, 6, 6), counted(300, 2, 40), counted(2000, 60, 20)


def judged(new, old=EQUAL, gate=None, routine=LIVE, **more):
    return (gate or Gate.refresh())(Evidence(Accuracy(), new, old, routine=routine, **more))


def test_a_refresh_promotes_what_is_not_shown_to_be_worse():
    verdict = judged(EQUAL)
    assert verdict.decision == "promote" and verdict.rule == "refresh"
    assert Gate.prove()(Evidence(Accuracy(), EQUAL, EQUAL, routine=LIVE)).decision == "inconclusive"


@pytest.mark.parametrize(("new", "old"), [(WORSE, EQUAL), (EQUAL, WORSE)], ids=["new", "old"])
def test_a_refresh_refuses_what_is_shown_to_be_worse_on_new_or_old(new, old):
    verdict = judged(new, old)
    assert verdict.decision == "reject" and [r.violated for r in verdict.reasons].count(True) == 1
    assert any("worse on the" in r.text for r in verdict.reasons) and verdict.advice


def test_what_is_worse_by_less_than_the_tolerance_is_refreshed_however_sure():
    slightly = counted(200_000, 1_000, 2_000)  # half a point worse beyond doubt
    assert judged(slightly).decision == "promote"
    assert judged(slightly, gate=Gate.refresh(tolerance=0.0)).decision == "reject"


def test_a_change_of_strategy_has_to_be_proven_under_a_refresh_too():
    verdict = judged(EQUAL, routine="")
    assert verdict.decision == "inconclusive" and verdict.rule == "prove"
    assert judged(BETTER, counted(4000, 40, 40), routine="").decision == "promote"


def test_every_refresh_looks_at_the_old_rows_with_all_of_alpha():
    for use in (1, 10):
        assert judged(EQUAL, WORSE, anchor_use=use).reasons[1].interval.alpha == 0.05


def test_a_refresh_says_what_it_promises_and_what_it_could_have_seen():
    promise = judged(EQUAL).guarantee
    assert "Retrain()" in promise and "shown to be worse by more than 1 point" in promise
    assert "Nothing is promised about a gain" in promise and "with probability at least 0.8" in promise


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_the_harm_that_a_refresh_says_it_would_have_seen_is_seen_that_often(loss):
    """A challenger worse by the tolerance and that much is refused with the probability that is stated."""
    rng, rows, rate = np.random.default_rng(0), 600, 0.04
    stated = judged(counted(rows, 24, 24)).smallest_gain + 0.01
    share = stated if loss else 0.0
    refused = 0
    for _ in range(400):
        draw = rng.random(rows)
        wins, losses = int((draw < rate).sum()), int(((draw >= rate) & (draw < 2 * rate + share)).sum())
        refused += judged(counted(rows, wins, losses)).decision == "reject"
    assert refused >= 0.7 * 400 if loss else refused <= 0.05 * 400


def test_a_refresh_without_old_rows_asks_nothing_of_them_and_says_so():
    verdict = judged(EQUAL, None)
    assert verdict.decision == "promote" and "no old rows were given" in verdict.reasons[1].text


def test_a_gain_that_cannot_be_told_is_no_refresh():
    y = np.arange(3.0)
    nothing = PairedPredictions(y, Prediction(y + np.nan), Prediction(y))
    verdict = Gate.refresh(tolerance=None)(Evidence(MAE(), nothing, routine=LIVE))
    assert verdict.decision != "promote"


def test_a_protected_slice_holds_in_a_refresh_unless_it_is_shown_to_be_worse():
    import pandas as pd

    region = pd.DataFrame({"region": ["north"] * 150 + ["south"] * 150})
    harmed = counted(300, 0, 60, x=region)  # all of them in the north
    gate = Gate.refresh(tolerance=0.5, slices=(Slice('region == "north"'), Slice('region == "south"')))
    verdict = judged(EQUAL, harmed, gate)
    north, south = verdict.reasons[-2:]
    assert north.violated and south.holds and verdict.decision == "reject"


def line(shown, lower, upper, value=0.02):
    return PrequentialEvidence(
        Interval(value, lower, upper, 0.05, "betting", 4000), 40.0 if shown else 2.0, 20.0, shown, 4
    )


def test_the_evidence_of_a_line_takes_the_place_of_one_batch():
    verdict = judged(counted(100, 0, 3), BETTER, Gate(), "", prequential=line(True, 0.01, 0.03))
    assert verdict.decision == "promote" and verdict.new_source == "prequential"
    assert "4 whole batches" in verdict.reasons[0].text and "e = 40 of 20 needed" in verdict.reasons[0].text
    assert "however many batches" in verdict.guarantee


def test_a_line_that_is_not_shown_to_be_better_is_not_promoted():
    assert judged(BETTER, BETTER, Gate(), "", prequential=line(False, -0.01, 0.03)).decision == "inconclusive"
    verdict = judged(BETTER, BETTER, Gate(), "", prequential=line(False, -0.03, -0.01, -0.02))
    assert verdict.decision == "reject" and verdict.reasons[0].violated


@pytest.mark.parametrize("wrong", [{"rule": "hope"}, {"source": "train"}])
def test_a_promise_or_source_that_there_is_not_is_refused_with_those_there_are(wrong):
    with pytest.raises(UsageError, match="is one of '"):
        Gate(**wrong)
