"""Which predicted later batches better: the gain on today's rows, or on a sample of all history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incumbent.core import Challenger, Floats

_KEPT = 0.9  # of what earlier batches said, so that about the last ten count
_CLEAR = 1.0  # standard errors: a difference below this is taken for chance


@dataclass(frozen=True)
class Followed:
    """How often each of the two advisers was right, and what they say of the models that stand.

    The choice among challengers weighs their gain on new rows and on rows of the past. Which of the two is the better
    guide differs: after a change it is today, in a burst it is history. So both are held to what they said: each
    would have chosen one model among the champion and those that stand, and the next batch shows which choice was
    better. The weight of today is the mean of a Beta(1, 1) prior after those batches, with exponential forgetting.

    Parameters
    ----------
    today, history : float
        Batches won by each, those of long ago counting less.
    said : mapping of str to (float, float)
        The gain over the champion on new and on old rows that each model which stands had when it was made.
    """

    today: float = 0.0
    history: float = 0.0
    said: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """The weight of today in the choice, in (0, 1); a half before anything is known."""
        return (self.today + 1.0) / (self.today + self.history + 2.0)

    def after(self, champion: Floats, challengers: Mapping[str, Floats]) -> Followed:
        """Return the tally after a batch that nobody had learned from.

        Parameters
        ----------
        champion : (n,) array
            Losses of the champion.
        challengers : mapping of str to (n,) array
            Losses of the models that stand.

        Examples
        --------
        >>> told = Followed(said={"window": (0.02, -0.03)})  # today speaks for it, history against
        >>> better, worse = np.zeros(100), np.tile([0.0, 1.0], 50)
        >>> told.after(worse, {"window": better}).weight, told.after(better, {"window": worse}).weight
        (0.6666666666666666, 0.3333333333333333)
        """
        known = {name: gains for name, gains in self.said.items() if name in challengers}
        losses = {"": champion, **{name: challengers[name] for name in known}}
        picks = [max(losses, key=lambda name: known[name][k] if name else 0.0) for k in (0, 1)]
        difference = losses[picks[1]] - losses[picks[0]]
        error = float(np.std(difference)) / np.sqrt(max(1, len(difference)))
        mean = float(np.mean(difference)) if len(difference) else 0.0
        if picks[0] == picks[1] or abs(mean) <= _CLEAR * error:
            return self
        return Followed(self.today * _KEPT + (mean > 0.0), self.history * _KEPT + (mean < 0.0), self.said)

    def saying(self, challengers: Mapping[str, Challenger]) -> Followed:
        """Return the same tally with what is now said of the challengers that will stand."""
        said = {
            name: (c.gains["new"], c.gains["old"])
            for name, c in challengers.items()
            if {"new", "old"} <= c.gains.keys() and np.isfinite(list(c.gains.values())).all()
        }
        return Followed(self.today, self.history, said)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {"today": self.today, "history": self.history, "said": {k: list(v) for k, v in self.said.items()}}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> Followed:
        """Return what `to_dict` wrote; nothing is a tally at its beginning."""
        if not stored:
            return Followed()
        said = {name: (float(new), float(old)) for name, (new, old) in stored["said"].items()}
        return Followed(float(stored["today"]), float(stored["history"]), said)
