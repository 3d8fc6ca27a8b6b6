from __future__ import annotations

import math
import os
import signal
import threading
import time

import pytest

from incumbent.engine import interrupted_at, seconds
from incumbent.errors import BudgetSpent, UsageError

posix = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1.5h", 5400),
        ("1d", 86400),
        (" 2 min ", 120),
        ("7", 7),
        (0.5, 0.5),
        (1e-9, 1e-9),
        (3, 3),
    ],
)
def test_a_budget_is_a_number_or_a_text_with_a_unit(budget, expected):
    assert seconds(budget) == expected


def test_no_budget_is_endless():
    assert seconds(None) == math.inf


@pytest.mark.parametrize("budget", ["soon", "", "5 weeks", "-3s", "0", 0, -1, math.nan])
def test_what_is_no_time_above_zero_is_refused(budget):
    with pytest.raises(UsageError, match="A budget is a time above 0"):
        seconds(budget)


def stubborn_work(turns=500):
    """Catch every Exception and KeyboardInterrupt of an inner step and go on, as some estimators do."""
    for _ in range(turns):
        try:
            time.sleep(0.01)
        except (Exception, KeyboardInterrupt):
            continue


@posix
def test_the_deadline_ends_work_that_catches_every_exception():
    began = time.monotonic()
    with pytest.raises(BudgetSpent), interrupted_at(began + 0.1):
        stubborn_work()
    assert time.monotonic() - began < 4
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@posix
def test_ctrl_c_ends_work_that_catches_keyboard_interrupt():
    began = time.monotonic()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), interrupted_at(math.inf):
        stubborn_work()
    assert time.monotonic() - began < 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@posix
def test_whoever_handles_ctrl_c_otherwise_keeps_doing_so(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with interrupted_at(math.inf):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_in_another_thread_the_block_runs_undisturbed():
    done = []

    def work():
        with interrupted_at(time.monotonic() - 1):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
