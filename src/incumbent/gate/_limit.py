"""Limits: what was measured of the challenger is within what the user allows."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from incumbent.core import Reason, Value
from incumbent.errors import UsageError


@dataclass(frozen=True, repr=False)
class Limit(Value):
    """A bound on something measured: latency, size, calibration, or any metric.

    Parameters
    ----------
    name : str
        What is measured.
    most, least : float, optional
        The challenger's value is at most, at least this.
    ratio : float, optional
        The challenger's value is at most this many times the champion's.

    Raises
    ------
    UsageError
        If no bound is given, or one is not a number.

    Examples
    --------
    >>> Limit("bytes", ratio=2.0)
    Limit('bytes', ratio=2.0)
    """

    name: str
    most: float | None = None
    least: float | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        given = [x for x in (self.most, self.least, self.ratio) if x is not None]
        if not given or any(math.isnan(x) for x in given):
            raise UsageError(f"{self!r} limits nothing; give it a number as most=, least= or ratio=.")


def judge(limits: Sequence[Limit], measured: Mapping[str, tuple[float, float]]) -> list[Reason]:
    """Return a reason for each bound of each limit.

    Raises
    ------
    UsageError
        If a limit names something that was not measured.
    """
    return [reason for limit in limits for reason in _judge(limit, measured)]


def _judge(limit: Limit, measured: Mapping[str, tuple[float, float]]) -> Iterator[Reason]:
    if limit.name not in measured:
        near = difflib.get_close_matches(limit.name, list(measured), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        known = ", ".join(sorted(measured)) or "nothing"
        raise UsageError(f"{limit!r} limits something that was not measured.{hint} Measured: {known}.")
    champion, challenger = measured[limit.name]
    if limit.most is not None:
        yield _reason(limit.name, challenger, limit.most, f"at most {limit.most:,.6g}", challenger <= limit.most)
    if limit.least is not None:
        yield _reason(limit.name, challenger, limit.least, f"at least {limit.least:,.6g}", challenger >= limit.least)
    if limit.ratio is not None:
        most = limit.ratio * champion
        words = f"at most {limit.ratio:g} times the champion's {champion:,.6g}"
        yield _reason(limit.name, challenger, most, words, challenger <= most)


def _reason(name: str, value: float, limit: float, words: str, holds: bool) -> Reason:
    known = not math.isnan(value) and not math.isnan(limit)
    text = f"{name}: {value:,.6g} (limit: {words})" if known else f"{name} was not measured (limit: {words})"
    return Reason(name, value, limit, bool(known and holds), bool(known and not holds), text)
