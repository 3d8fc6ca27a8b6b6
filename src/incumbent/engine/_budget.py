"""A time budget that holds even inside code that does not look at the clock."""

from __future__ import annotations

import contextlib
import math
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from incumbent.errors import BudgetSpent, UsageError

_OURS = {__file__, contextlib.__file__}
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(budget: str | float | None) -> float:
    """Return a budget in seconds; None is none at all.

    Raises
    ------
    UsageError
        It is not a positive number or a text such as "90s", "5m" or "1.5h".

    Examples
    --------
    >>> seconds("5m"), seconds(30), seconds(None)
    (300.0, 30.0, inf)
    """
    if budget is None:
        return math.inf
    if isinstance(budget, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d|)\s*", budget)
        found = float(match[1]) * _UNITS[match[2]] if match else 0.0
    else:
        found = float(budget)
    if not found > 0:
        raise UsageError(f"A budget is a time above 0 such as '90s', '5m' or '1.5h'; it was given {budget!r}.")
    return found


class _Stop(BaseException):
    """What the timer raises: estimators that search or stack catch every `Exception` of an inner fit and go on."""


class _Leave(BaseException):
    """What Ctrl-C raises in training: some estimators (MLPClassifier) catch KeyboardInterrupt and go on."""


@contextmanager
def interrupted_at(deadline: float) -> Iterator[None]:
    """Raise `BudgetSpent` in the block when the deadline comes, where a timer signal can be had (the main thread).

    Estimators whose loops run in Python between trees, rounds or epochs stop there; elsewhere the deadline is only seen
    by code that looks at it. Ctrl-C ends the block even in estimators that would only end their fit by it.
    """
    with _heeding_ctrl_c(), _timed(deadline):
        yield


@contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    if not _in_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # somebody else takes care of it
        return

    def leave(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename in _OURS:
            raise KeyboardInterrupt  # entering or leaving the block, where nobody catches it
        raise _Leave

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    except _Leave:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _timed(deadline: float) -> Iterator[None]:
    left = deadline - time.monotonic()
    if not (hasattr(signal, "setitimer") and _in_main_thread()) or not math.isfinite(left):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename in _OURS:
            signal.setitimer(signal.ITIMER_REAL, 1e-3)  # entering or leaving the block: an error here would miss it
            return
        raise _Stop

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(left, 1e-3))
    try:
        yield
    except _Stop:
        raise BudgetSpent("the budget ended while it was trained") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
