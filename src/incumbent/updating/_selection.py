"""Learn how much the gain on new rows and the gain on old rows should count in the choice among challengers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incumbent._deprecated import renamed_members
from incumbent.core import Challenger, Floats

_DECAY = 0.9  # of earlier batches, so that about the last ten count
_CLEAR = 1.0  # standard errors; a smaller difference counts as chance


@renamed_members({"today": "new", "history": "old", "said": "gains", "after": "add_batch", "saying": "with_gains"})
@dataclass(frozen=True)
class SelectionWeights:
    """How often the gain on new rows and the gain on old rows pointed to the better model.

    Challengers are ranked by a weighted mean of the two gains. Neither is always the better guide. In a short burst,
    the new rows favour a challenger that forgot everything else. After a lasting change, the old rows mislead. So the
    weights are learned. Each gain alone would have picked one of the models that are kept; the next batch shows which
    pick was better. The weight of new rows is the mean of a Beta(1, 1) prior after those batches, with exponential
    forgetting.

    Parameters
    ----------
    new, old : float
        Batches in which the pick by new rows, and by old rows, was better; recent batches count most.
    gains : mapping of str to (float, float)
        The gain of each kept model over the champion on new and on old rows, measured when it was trained.
    """

    new: float = 0.0
    old: float = 0.0
    gains: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """The weight of the gain on new rows, in (0, 1); 0.5 before the first batch."""
        return (self.new + 1.0) / (self.new + self.old + 2.0)

    def add_batch(self, champion: Floats, challengers: Mapping[str, Floats]) -> SelectionWeights:
        """Return the weights after a batch that no model has learned.

        Parameters
        ----------
        champion : (n,) array
            Losses of the champion.
        challengers : mapping of str to (n,) array
            Losses of the kept models.

        Examples
        --------
        >>> weights = SelectionWeights(gains={"window": (0.02, -0.03)})  # better on new rows, worse on old rows
        >>> better, worse = np.zeros(100), np.tile([0.0, 1.0], 50)
        >>> weights.add_batch(worse, {"window": better}).weight, weights.add_batch(better, {"window": worse}).weight
        (0.6666666666666666, 0.3333333333333333)
        """
        known = {name: gains for name, gains in self.gains.items() if name in challengers}
        losses = {"": champion, **{name: challengers[name] for name in known}}
        picks = [max(losses, key=lambda name: known[name][k] if name else 0.0) for k in (0, 1)]
        difference = losses[picks[1]] - losses[picks[0]]
        error = float(np.std(difference)) / np.sqrt(max(1, len(difference)))
        mean = float(np.mean(difference)) if len(difference) else 0.0
        if picks[0] == picks[1] or abs(mean) <= _CLEAR * error:
            return self
        return SelectionWeights(self.new * _DECAY + (mean > 0.0), self.old * _DECAY + (mean < 0.0), self.gains)

    def with_gains(self, challengers: Mapping[str, Challenger]) -> SelectionWeights:
        """Return the same weights with the gains of the challengers that are kept from now on."""
        gains = {
            name: (c.gains["new"], c.gains["old"])
            for name, c in challengers.items()
            if {"new", "old"} <= c.gains.keys() and np.isfinite(list(c.gains.values())).all()
        }
        return SelectionWeights(self.new, self.old, gains)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {"today": self.new, "history": self.old, "said": {k: list(v) for k, v in self.gains.items()}}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> SelectionWeights:
        """Return what `to_dict` wrote. An empty mapping gives the weights before the first batch."""
        if not stored:
            return SelectionWeights()
        gains = {name: (float(new), float(old)) for name, (new, old) in stored["said"].items()}
        return SelectionWeights(float(stored["today"]), float(stored["history"]), gains)
