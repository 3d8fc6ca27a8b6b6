"""Lines: standing challengers, one of each strategy, that predict every batch before they learn it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from incumbent.core import Array, Challenger, Floats, LineEvidence, Metric, Model, Prediction, Strategy
from incumbent.errors import DataError, UsageError
from incumbent.evidence.live import LineMonitor
from incumbent.updating._ask import ask_next

if TYPE_CHECKING:
    from incumbent.updating._holdouts import Holdouts


def idea(strategy: str | Strategy) -> str:
    """Return what a strategy does without its settings, which may change from batch to batch.

    Examples
    --------
    >>> idea("chain(Replay(2000), Incremental('adam', epochs=3))"), idea("Window(1488)")
    ('chain(Replay, Incremental)', 'Window')
    """
    names = re.findall(r"([A-Za-z_]\w*)\(", strategy if isinstance(strategy, str) else repr(strategy))
    return f"chain({', '.join(names[1:])})" if names[:1] == ["chain"] else "+".join(names)


@dataclass(frozen=True, eq=False)
class Lines:
    """Models by idea, and the evidence about each line since the present champion went live.

    Parameters
    ----------
    models : mapping of str to Model
        The model of each line as it is now.
    monitor : LineMonitor, optional
        The evidence; None before the first batch was predicted.
    """

    models: Mapping[str, Model] = field(default_factory=dict)
    monitor: LineMonitor | None = None

    def start(self, strategy: str | Strategy, champion: Model) -> Model:
        """Return what a strategy's next challenger starts from: its line, or the champion where it has none."""
        return self.models.get(idea(strategy), champion)

    def after(
        self, champion: Floats, challengers: Mapping[str, Floats], *, alpha: float, min_gain: float, bound: float
    ) -> Lines:
        """Return the lines with the evidence of one more batch; a new set of lines begins anew.

        Parameters
        ----------
        champion : (n,) array
            Losses of the champion.
        challengers : mapping of str to (n,) array
            Losses of the lines that could predict the batch.
        alpha, min_gain, bound : float
            What a new monitor is made with; one that runs keeps its own.
        """
        if not self.models or not len(champion):
            return self
        monitor = self.monitor
        if monitor is None or set(monitor.lines) != set(self.models) or monitor.alpha != alpha:
            monitor = LineMonitor(tuple(self.models), alpha=alpha, min_gain=min_gain, bound=bound)
        return replace(self, monitor=monitor.update(champion, challengers))

    def evidence(self, name: str) -> LineEvidence | None:
        """Return what is known of a line; None where it has predicted no batch yet."""
        if self.monitor is None or name not in self.monitor.lines:
            return None
        batches = self.monitor.evidence[self.monitor.lines.index(name)].batches
        if not batches:
            return None
        shown = name in self.monitor.promoted
        e_value, needed = self.monitor.e_values[name], 1.0 / self.monitor.alpha
        return LineEvidence(self.monitor.intervals[name], e_value, needed, shown, batches)

    def strongest(self, challengers: Sequence[Challenger]) -> Challenger | None:
        """Return the challenger whose line has the strongest evidence; None where no line has any."""
        known = [c for c in challengers if c.model is not None and self.evidence(idea(c.strategy)) is not None]
        if not known or self.monitor is None:
            return None
        log_e = self.monitor.log_e
        return max(known, key=lambda c: log_e[idea(c.strategy)])

    def learned(self, challengers: Sequence[Challenger], *, promoted: bool) -> Lines:
        """Return the lines after they learned the batch; with a new champion the evidence begins anew."""
        made = {idea(c.strategy): c.model for c in challengers if c.model is not None and c.recipe is not None}
        return Lines({**self.models, **made}, None if promoted else self.monitor)


def answers(models: Mapping[str, Model], holdouts: Holdouts) -> dict[str, Prediction]:
    """Return what each model says of the whole batch; one that cannot predict these rows is left out.

    Nothing in its losses decides that, so leaving it out keeps the evidence about a line sound.
    """
    found: dict[str, Prediction] = {}
    for name, model in models.items():
        with suppress(DataError):
            found[name] = ask_next(model, holdouts.rows)
    return found


def losses(holdouts: Holdouts, metric: Metric, said: Mapping[str, Prediction]) -> tuple[Floats, dict[str, Floats]]:
    """Return the losses of the champion and of the others on the new rows of which nobody knows a copy."""
    at = np.flatnonzero(holdouts.holdable)
    y = holdouts.rows.labels[at]
    found = {name: losses_of(metric, y, each.take(at)) for name, each in said.items()}
    return losses_of(metric, y, holdouts.said.take(at)), found


def losses_of(metric: Metric, y: Array, said: Prediction) -> Floats:
    """Return the loss of each row.

    Raises
    ------
    UsageError
        The metric has none.
    """
    found = metric.losses(y, said)
    if found is None:
        raise UsageError(
            f"{metric.name} belongs to rows as a whole, and evidence that adds up over batches needs a loss for each "
            "row: use accuracy, log_loss, brier, mae or rmse, or source='holdout'."
        )
    return found
