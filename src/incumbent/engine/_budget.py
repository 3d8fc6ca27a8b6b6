"""A time budget that stops even code that does not check the clock."""

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


def parse_budget(budget: str | float | None) -> float:
    """Return a budget in seconds. None means no limit.

    Raises
    ------
    UsageError
        It is not a positive number or a text such as "90s", "5m" or "1.5h".

    Examples
    --------
    >>> parse_budget("5m"), parse_budget(30), parse_budget(None)
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
        raise UsageError(f"A budget is a time above 0, such as '90s', '5m' or '1.5h'; {budget!r} was given.")
    return found


class _Stop(BaseException):
    """The timer raises this. It is no `Exception`: estimators that search or stack catch those and go on."""


class _Leave(BaseException):
    """Ctrl-C raises this in training. Some estimators (MLPClassifier) catch KeyboardInterrupt and go on."""


@contextmanager
def time_limit(deadline: float) -> Iterator[None]:
    """Raise `BudgetSpent` in the block at the deadline.

    The deadline is in seconds of `time.monotonic`. A timer signal stops Python code between trees, rounds or epochs.
    Signals reach the main thread only. In other threads, and in long calls of C code, only code that checks the
    deadline stops. Ctrl-C leaves the block at once, even if the estimator would only end its fit.
    """
    with _raise_on_ctrl_c(), _raise_at(deadline):
        yield


@contextmanager
def _raise_on_ctrl_c() -> Iterator[None]:
    if not _in_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the caller has a handler of its own
        return

    def leave(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename in _OURS:
            raise KeyboardInterrupt  # entering or leaving the block, where no estimator catches it
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
def _raise_at(deadline: float) -> Iterator[None]:
    left = deadline - time.monotonic()
    if not (hasattr(signal, "setitimer") and _in_main_thread()) or not math.isfinite(left):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename in _OURS:
            signal.setitimer(signal.ITIMER_REAL, 1e-3)  # entering or leaving the block: an error now would be missed
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
