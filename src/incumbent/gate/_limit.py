"""Limits: what was measured of the challenger is within what the user allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from incumbent._deprecated import renamed_members
from incumbent.core import Reason, Value
from incumbent.errors import UsageError
from incumbent.words import hint


@renamed_members({"most": "max", "least": "min", "ratio": "max_ratio"})
@dataclass(frozen=True, repr=False)
class Limit(Value):
    """A bound on something measured: latency, size, calibration, or any metric.

    Parameters
    ----------
    name : str
        What is measured.
    max, min : float, optional
        The challenger's value is at most, at least this.
    max_ratio : float, optional
        The challenger's value is at most this many times the champion's.

    Raises
    ------
    UsageError
        If no bound is given, or one is not a number.

    Examples
    --------
    >>> Limit("bytes", max_ratio=2.0)
    Limit('bytes', max_ratio=2.0)
    """

    name: str
    max: float | None = None
    min: float | None = None
    max_ratio: float | None = None

    def __post_init__(self) -> None:
        given = [x for x in (self.max, self.min, self.max_ratio) if x is not None]
        if not given or any(math.isnan(x) for x in given):
            raise UsageError(f"{self!r} limits nothing; give it a number as max=, min= or max_ratio=.")


def check_limits(limits: Sequence[Limit], measured: Mapping[str, tuple[float, float]]) -> list[Reason]:
    """Return a reason for each bound of each limit.

    Raises
    ------
    UsageError
        If a limit names something that was not measured.
    """
    return [reason for limit in limits for reason in _judge(limit, measured)]


def _judge(limit: Limit, measured: Mapping[str, tuple[float, float]]) -> Iterator[Reason]:
    if limit.name not in measured:
        near, known = hint(limit.name, list(measured)), ", ".join(sorted(measured)) or "nothing"
        raise UsageError(f"{limit!r} limits something that was not measured.{near} Measured: {known}.")
    champion, challenger = measured[limit.name]
    if limit.max is not None:
        yield _reason(limit.name, challenger, limit.max, f"at most {limit.max:,.6g}", challenger <= limit.max)
    if limit.min is not None:
        yield _reason(limit.name, challenger, limit.min, f"at least {limit.min:,.6g}", challenger >= limit.min)
    if limit.max_ratio is not None:
        most = limit.max_ratio * champion
        words = f"at most {limit.max_ratio:g} times the champion's {champion:,.6g}"
        yield _reason(limit.name, challenger, most, words, challenger <= most)


def _reason(name: str, value: float, limit: float, words: str, holds: bool) -> Reason:
    known = not math.isnan(value) and not math.isnan(limit)
    text = f"{name}: {value:,.6g} (limit: {words})" if known else f"{name} was not measured (limit: {words})"
    return Reason(name, value, limit, bool(known and holds), bool(known and not holds), text)
