"""A budget is read plainly, and holds inside code that does not look at the clock."""

import math
import signal
import threading
import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV

from incumbent.engine import parse_budget, time_limit
from incumbent.errors import BudgetSpent, UsageError


class Slow(RegressorMixin, BaseEstimator):
    """Takes ten seconds for a fit, in Python, and catches every exception on the way if it is told to."""

    def __init__(self, stubborn=False):
        self.stubborn = stubborn

    def fit(self, x, y):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                time.sleep(0.01)
            except Exception:
                if not self.stubborn:
                    raise
        self.fitted_ = True
        return self

    def predict(self, x):
        return np.zeros(len(x))


X, Y = np.zeros((12, 1)), np.zeros(12)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("90s", 90),
        ("5m", 300),
        ("5min", 300),
        ("1.5h", 5400),
        (" 2 d ", 172_800),
        ("7", 7),
        (0.5, 0.5),
        (None, math.inf),
    ],
)
def test_a_budget_is_read_as_it_is_written(given, expected):
    assert parse_budget(given) == expected


@pytest.mark.parametrize("given", ["", "soon", "-5m", "0", 0, -1, "5 weeks", "1e3", "nan", "5m5s", True and "inf"])
def test_what_is_no_time_is_refused_and_shown(given):
    with pytest.raises(UsageError, match="such as '90s', '5m' or '1.5h'") as caught:
        parse_budget(given)
    assert repr(given) in str(caught.value)


@pytest.mark.parametrize(
    "estimator",
    [Slow(), Slow(stubborn=True), GridSearchCV(Slow(), {"stubborn": [False, False]}, cv=2, error_score=0.0)],
    ids=["plain", "catches every exception", "a search that goes on after errors"],
)
def test_the_timer_interrupts_a_slow_estimator(estimator):
    begun = time.monotonic()
    with pytest.raises(BudgetSpent, match="the budget ended"), time_limit(begun + 0.2):
        estimator.fit(X, Y)
    assert time.monotonic() - begun < 3


def test_a_deadline_that_has_passed_interrupts_at_once():
    with pytest.raises(BudgetSpent), time_limit(time.monotonic() - 5):
        time.sleep(5)


def test_work_that_ends_in_time_is_left_alone_and_so_is_what_follows():
    with time_limit(time.monotonic() + 0.2):
        done = True
    time.sleep(0.4)
    assert done


def test_an_error_inside_passes_through():
    with pytest.raises(ZeroDivisionError), time_limit(time.monotonic() + 5):
        1 / 0  # noqa: B018  # it is there to raise
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_the_handler_that_was_there_is_put_back():
    def own(number, frame):
        """Belong to somebody else."""

    before = signal.signal(signal.SIGALRM, own)
    try:
        with pytest.raises(BudgetSpent), time_limit(time.monotonic() + 0.05):
            time.sleep(5)
        assert signal.getsignal(signal.SIGALRM) is own
    finally:
        signal.signal(signal.SIGALRM, before)


def test_many_short_budgets_never_leak_past_their_block():
    """The signal may come while the block is entered or left; it must end as a BudgetSpent, or not at all."""
    spent = 0
    for i in range(300):
        try:
            with time_limit(time.monotonic() + 1e-3 + i * 1e-6):
                end = time.monotonic() + 1e-3
                while time.monotonic() < end:
                    pass
        except BudgetSpent:
            spent += 1
    time.sleep(0.01)
    assert 0 < spent <= 300
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_another_thread_gets_no_timer_and_no_error():
    seen = []

    def work():
        with time_limit(time.monotonic() + 0.05):
            time.sleep(0.2)
            seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["done"]
