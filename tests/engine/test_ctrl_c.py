"""Ctrl-C while a challenger is trained."""

from __future__ import annotations

import math
import os
import signal
import threading
import time

import pytest

from incumbent.engine import time_limit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")


def stubborn_work(turns=500):
    """Catch every Exception and KeyboardInterrupt of an inner step and go on, as some estimators do."""
    for _ in range(turns):
        try:
            time.sleep(0.01)
        except (Exception, KeyboardInterrupt):
            continue


@pytest.fixture
def _as_in_a_terminal():
    """Have Python's own handler, which a shell takes from what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_as_in_a_terminal")
def test_ctrl_c_ends_work_that_catches_keyboard_interrupt():
    began = time.monotonic()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), time_limit(math.inf):
        stubborn_work()
    assert time.monotonic() - began < 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_handles_ctrl_c_otherwise_keeps_doing_so(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with time_limit(math.inf):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
