"""The line monitor: evidence about challengers that keep learning, added up over batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from incumbent._deprecated import renamed_members
from incumbent.core import Interval, Value
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live._line import PrequentialTally
from incumbent.evidence.live._losses import check_settings, paired
from incumbent.evidence.live._several import adjusted
from incumbent.evidence.live._stored import line_to_dict, read_line, settings


@renamed_members({"lines": "names"})
@dataclass(frozen=True, repr=False)
class PrequentialMonitor(Value):
    """Whether a *line* of challengers, kept learning in the shadow, should take the champion's place.

    Each batch is predicted by the champion and by every line before any of them learns from it, so all of its rows are
    evidence. What is shown is not that one fixed model is better but that the line has been, on average over the rows
    so far: the model behind it may change between batches, and so may the champion. The shares that are bet never
    depend on the rows, so this is as sound as for one model (see `incumbent.evidence.live._eprocess`).

    *Rows of a batch that cling together* count less: evidence is taken by row and by blocks of consecutive rows, and
    the less counts (see `PrequentialTally`). How long blocks are is seen from the batches so far (see
    `incumbent.evidence.live._units`) unless `block` fixes it. A block is bet on as if it could be as bad as its worst
    row, so blocks cost power where they are not needed. Spells that outlast a batch are not noise but what is measured:
    the line was better for a while.

    *Several lines* are several chances to be wrong. The chance that any line is ever promoted which has so far not been
    better is at most `alpha`: a line's e-value counts after an adjustment that costs at most the number of lines.

    Parameters
    ----------
    names : sequence of str
        Their names, fixed before the first batch; one that joins later joins a new monitor.
    alpha : float
        The chance of ever promoting wrongly, over all lines together.
    min_gain : float
        The gain in mean loss that must be exceeded.
    bound : float
        The largest loss of a row; losses above are cut off. Fixed before the first batch.
    block : int, optional
        Rows in a block; None sees it from the batches so far, 1 says that rows are independent.
    evidence : tuple of PrequentialTally
        The evidence so far, in the order of `names`.

    Raises
    ------
    UsageError
        If there is no line, two have the same name, or a setting means nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> monitor = PrequentialMonitor(["linear", "window"])
    >>> for _ in range(10):
    ...     champion, linear, window = (rng.random(500) < share for share in (0.12, 0.12, 0.07))
    ...     monitor = monitor.update(champion, {"linear": linear, "window": window})
    >>> monitor.decision, monitor.best
    ('promote', 'window')
    """

    names: Sequence[str]
    alpha: float = dataclasses.field(default=0.05, kw_only=True)
    min_gain: float = dataclasses.field(default=0.0, kw_only=True)
    bound: float = dataclasses.field(default=1.0, kw_only=True)
    block: int | None = dataclasses.field(default=None, kw_only=True)
    evidence: Sequence[PrequentialTally] = dataclasses.field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        check_settings(self.alpha, self.min_gain, self.bound)
        names, text = tuple(self.names), all(isinstance(name, str) for name in self.names)
        if isinstance(self.names, str) or not text or not names or len(set(names)) < len(names):
            raise UsageError(f'lines are one or more names, each once, such as ["linear"]; {self.names!r} was given.')
        if self.block is not None and self.block < 1:
            raise UsageError(f"block is a number of rows, 1 or more, or None; {self.block} was given.")
        evidence = tuple(self.evidence) or (PrequentialTally(),) * len(names)
        if len(evidence) != len(names):
            raise UsageError(f"There are {len(names)} lines but evidence about {len(evidence)}; leave it out at first.")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "evidence", evidence)

    def update(self, champion: ArrayLike, challengers: Mapping[str, ArrayLike]) -> Self:
        """Return the monitor after one whole batch.

        Parameters
        ----------
        champion : (n,) array
            Loss of the live model on each row, in the order in which the rows came.
        challengers : mapping of str to (n,) array
            Loss of each line's model on the same rows, before it learned from them. A line that is left out is not
            judged on this batch; leave one out for reasons that its losses have no part in.

        Raises
        ------
        UsageError
            If a line is not one of `names`.
        DataError
            If lengths differ, or a loss is negative or not a number.
        """
        unknown = [name for name in challengers if name not in self.names]
        if unknown:
            raise UsageError(f"There is no line {unknown[0]!r}; this monitor was made for {', '.join(self.names)}.")
        found = {name: paired(champion, losses, self.bound) for name, losses in challengers.items()}
        lines = zip(self.names, self.evidence, strict=True)
        return self.replace(evidence=tuple(x.add(found[name], self.block) if name in found else x for name, x in lines))

    def merge(self, other: Self) -> Self:
        """Return the evidence of both, which must share no batch of a line; exact, and the same in whatever order.

        Workers that score different lines, or different batches, each start from the same empty monitor.

        Raises
        ------
        UsageError
            If the two were made with different lines or settings.
        """
        ours, theirs = self.replace(evidence=()), other.replace(evidence=())
        if ours != theirs:
            raise UsageError(f"Only monitors of the same settings can be merged; these are {ours!r} and {theirs!r}.")
        return self.replace(evidence=tuple(a.merge(b) for a, b in zip(self.evidence, other.evidence, strict=True)))

    @property
    def log_e(self) -> dict[str, float]:
        """Logarithm of each line's own e-value, as if there were no other."""
        lines = zip(self.names, self.evidence, strict=True)
        return {name: line.log_e(self.min_gain / self.bound) for name, line in lines}

    @property
    def e_values(self) -> dict[str, float]:
        """The evidence about each line, valid for all of them together; one is promoted from ``1 / alpha`` on."""
        found = adjusted(np.array(list(self.log_e.values())))
        return {name: math.exp(min(log, 700.0)) for name, log in zip(self.names, found.tolist(), strict=True)}

    @property
    def intervals(self) -> dict[str, Interval]:
        """Each line's mean difference so far, with one-sided bounds at level alpha at all moments, line by line."""
        lines = zip(self.names, self.evidence, strict=True)
        return {name: line.interval(alpha=self.alpha, bound=self.bound) for name, line in lines}

    @property
    def promoted(self) -> tuple[str, ...]:
        """The lines that are shown to be better, the strongest evidence first."""
        log_e = self.log_e
        shown = [name for name, e in self.e_values.items() if e >= 1.0 / self.alpha]
        return tuple(sorted(shown, key=lambda name: -log_e[name]))

    @property
    def best(self) -> str | None:
        """The line with the strongest evidence among those shown to be better, if there is one."""
        return next(iter(self.promoted), None)

    @property
    def decision(self) -> Literal["promote", "undecided"]:
        """Whether any line is shown to be better, at the moment of looking."""
        return "promote" if self.promoted else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """Return settings and evidence as plain numbers and texts, ready for JSON."""
        made = {name: getattr(self, name) for name in ("alpha", "min_gain", "bound", "block")}
        lines = {name: line_to_dict(line) for name, line in zip(self.names, self.evidence, strict=True)}
        return {"format": 1, "kind": "line monitor", **made, "lines": lines}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the monitor that `to_dict` wrote.

        Raises
        ------
        DataError
            If this is not one, or of a later format.
        """
        made = settings(stored, "line monitor", ("alpha", "min_gain", "bound", "block", "lines"))
        lines = made.pop("lines")
        if not isinstance(lines, Mapping):
            raise DataError(f"lines of a stored line monitor are objects by name; {lines!r:.80} was given.")
        return cls(tuple(lines), evidence=tuple(read_line(line) for line in lines.values()), **made)

    def __str__(self) -> str:
        e_values, intervals = self.e_values, self.intervals
        told = [f"{self.decision.upper()} (decides at e = {1.0 / self.alpha:.6g})"]
        for name, line in zip(self.names, self.evidence, strict=True):
            found = intervals[name]
            seen = f"{line.batches:,} batch{'es' * (line.batches != 1)}, {found.rows:,} row{'s' * (found.rows != 1)}"
            gain = (
                f"gain {found.value:+.4g}, at least {found.lower:+.4g}, at most {found.upper:+.4g}; "
                if found.rows
                else ""
            )
            told.append(f"  {name}: e = {e_values[name]:.3g}; {gain}{seen}")
        return "\n".join(told)
