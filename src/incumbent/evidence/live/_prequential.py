"""Evidence about prequential models, accumulated over batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from incumbent._deprecated import renamed_members
from incumbent.core import Floats, Interval, Value
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live._losses import check_settings, paired
from incumbent.evidence.live._stored import prequential_to_dict, read_prequential, settings
from incumbent.evidence.live._tally import PrequentialTally


@renamed_members({"lines": "names"})
@dataclass(frozen=True, repr=False)
class PrequentialMonitor(Value):
    """Test whether the prequential model of a strategy should replace the champion.

    The champion and every prequential model predict each batch before they learn it, so all of its rows are evidence.
    The evidence is about strategies, not about fixed models: a strategy has been better on average over the rows so
    far. Its model may change between batches, and so may the champion. The stakes of the bets never depend on the
    rows, so this is as valid as for one model (see `incumbent.evidence.live._eprocess`).

    *Dependent rows of a batch* count less. Evidence is computed by row and by blocks of consecutive rows, and the
    smaller counts (see `PrequentialTally`). The batches so far determine the length of blocks, unless `block` fixes it.
    Blocks cost power if they are not needed, since each may be as bad as its worst row. Dependence beyond one batch is
    not corrected: that the strategy was better for a while is what the evidence measures.

    *Several strategies* are several chances to be wrong. The probability of ever promoting a strategy that has so far
    not been better is at most `alpha`. Each e-value is adjusted, which costs at most a factor of their number.

    Parameters
    ----------
    names : sequence of str
        Names of the strategies, fixed before the first batch. One that joins later needs a new monitor.
    alpha : float
        The probability of ever promoting wrongly, over all strategies together.
    min_gain : float
        The gain in mean loss that must be exceeded.
    bound : float
        The largest loss of a row; larger losses are clipped. Fixed before the first batch.
    block : int, optional
        Rows in a block. None derives it from the batches so far; 1 means that rows are independent.
    evidence : tuple of PrequentialTally
        The evidence so far, in the order of `names`.

    Raises
    ------
    UsageError
        If there is no name, two names are equal, or a setting is out of range.

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
            raise UsageError(f'names are one or more, each once, such as ["linear"]; got {self.names!r}.')
        if self.block is not None and self.block < 1:
            raise UsageError(f"block is a number of rows, 1 or more, or None; got {self.block}.")
        evidence = tuple(self.evidence) or (PrequentialTally(),) * len(names)
        if len(evidence) != len(names):
            raise UsageError(
                f"There are {len(names)} names but evidence for {len(evidence)}; a new monitor needs none."
            )
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "evidence", evidence)

    def update(self, champion: ArrayLike, challengers: Mapping[str, ArrayLike]) -> Self:
        """Return the monitor after one whole batch.

        Parameters
        ----------
        champion : (n,) array
            Loss of the live model on each row, in the order in which the rows came.
        challengers : mapping of str to (n,) array
            Loss of each strategy's model on the same rows, before it learned from them. A strategy that is left out is
            not judged on this batch. The reason to leave it out must not depend on its losses.

        Raises
        ------
        UsageError
            If a strategy is not one of `names`.
        DataError
            If lengths differ, or a loss is negative or not a number.
        """
        unknown = [name for name in challengers if name not in self.names]
        if unknown:
            raise UsageError(f"There is no strategy {unknown[0]!r}; this monitor was made for {', '.join(self.names)}.")
        found = {name: paired(champion, losses, self.bound) for name, losses in challengers.items()}
        added = (
            tally.add(found[name], self.block) if name in found else tally
            for name, tally in zip(self.names, self.evidence, strict=True)
        )
        return self.replace(evidence=tuple(added))

    @property
    def log_e(self) -> dict[str, float]:
        """Logarithm of each strategy's own e-value, without adjustment for the others."""
        margin = self.min_gain / self.bound
        return {name: tally.log_e(margin) for name, tally in zip(self.names, self.evidence, strict=True)}

    @property
    def e_values(self) -> dict[str, float]:
        """The evidence for each strategy, adjusted for all of them; it is promoted from ``1 / alpha`` on."""
        found = _adjusted(np.array(list(self.log_e.values())))
        return {name: math.exp(min(log, 700.0)) for name, log in zip(self.names, found.tolist(), strict=True)}

    @property
    def intervals(self) -> dict[str, Interval]:
        """Each strategy's mean difference so far, with one-sided bounds at level alpha that hold at all moments."""
        pairs = zip(self.names, self.evidence, strict=True)
        return {name: tally.interval(alpha=self.alpha, bound=self.bound) for name, tally in pairs}

    @property
    def promoted(self) -> tuple[str, ...]:
        """The strategies that are shown to be better, strongest evidence first."""
        log_e = self.log_e
        shown = [name for name, e in self.e_values.items() if e >= 1.0 / self.alpha]
        return tuple(sorted(shown, key=lambda name: -log_e[name]))

    @property
    def best(self) -> str | None:
        """The strategy with the strongest evidence among those shown to be better, if there is one."""
        return next(iter(self.promoted), None)

    @property
    def decision(self) -> Literal["promote", "undecided"]:
        """Whether any strategy is shown to be better now."""
        return "promote" if self.promoted else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """Return settings and evidence as plain numbers and texts, ready for JSON."""
        made = {name: getattr(self, name) for name in ("alpha", "min_gain", "bound", "block")}
        evidence = {name: prequential_to_dict(tally) for name, tally in zip(self.names, self.evidence, strict=True)}
        return {"format": 1, "kind": "line monitor", **made, "lines": evidence}  # stored keys of 0.1

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the monitor that `to_dict` wrote.

        Raises
        ------
        DataError
            If `stored` is not such a monitor, or has a later format.
        """
        made = settings(stored, "line monitor", ("alpha", "min_gain", "bound", "block", "lines"))
        evidence = made.pop("lines")
        if not isinstance(evidence, Mapping):
            raise DataError(f"lines of a stored line monitor are objects by name; got {evidence!r:.80}.")
        return cls(tuple(evidence), evidence=tuple(map(read_prequential, evidence.values())), **made)

    def __str__(self) -> str:
        e_values, intervals = self.e_values, self.intervals
        lines = [f"{self.decision.upper()} (decides at e = {1.0 / self.alpha:.6g})"]
        for name, tally in zip(self.names, self.evidence, strict=True):
            found = intervals[name]
            seen = f"{tally.batches:,} batch{'es' * (tally.batches != 1)}, {found.rows:,} row{'s' * (found.rows != 1)}"
            gain = (
                f"gain {found.value:+.4g}, at least {found.lower:+.4g}, at most {found.upper:+.4g}; "
                if found.rows
                else ""
            )
            lines.append(f"  {name}: e = {e_values[name]:.3g}; {gain}{seen}")
        return "\n".join(lines)


def _adjusted(log_e: Floats) -> Floats:
    """Return the logarithms (k,) of k e-values, adjusted for the choice among them.

    This is closed testing: a strategy counts as better only if the null hypothesis of every set that contains it is
    rejected, and the e-value of a set is the mean of its e-values. The worst sets are those with the smallest others:
    adjusted_i = min over sets A of the others of  (e_i + sum_{j in A} e_j) / (1 + |A|).
    It is never less than e_i divided by the number of strategies (Bonferroni).

    Vovk, V. and Wang, R. (2021). E-values: calibration, combination and applications. Annals of Statistics 49.

    Examples
    --------
    >>> np.exp(_adjusted(np.log([60.0, 30.0, 0.0001]))).round(2).tolist()
    [30.0, 15.0, 0.0]
    """
    order, count = np.argsort(log_e, kind="stable"), len(log_e)
    sums = np.concatenate([[-np.inf], np.logaddexp.accumulate(log_e[order])])  # of the i smallest
    sizes, found = np.arange(count + 1), np.empty(count)
    for place, at in enumerate(order):
        few = np.logaddexp(log_e[at], sums[: place + 1]) - np.log1p(sizes[: place + 1])
        many = sums[place + 2 :] - np.log(sizes[place + 2 :])  # this one is among the smallest itself
        found[at] = np.append(few, many).min()
    return found
