"""Prequential models: one model per strategy that predicts each batch before it learns the batch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from incumbent._deprecated import renamed_members
from incumbent.core import Array, Challenger, Floats, Metric, Model, Prediction, PrequentialEvidence, Strategy
from incumbent.errors import UsageError
from incumbent.evidence.live import PrequentialMonitor


def kind_of(strategy: str | Strategy) -> str:
    """Return the classes of a strategy without their settings, which may change from batch to batch.

    Examples
    --------
    >>> kind_of("chain(Replay(2000), Incremental('adam', epochs=3))"), kind_of("Window(1488)")
    ('chain(Replay, Incremental)', 'Window')
    """
    names = re.findall(r"([A-Za-z_]\w*)\(", strategy if isinstance(strategy, str) else repr(strategy))
    return f"chain({', '.join(names[1:])})" if names[:1] == ["chain"] else "+".join(names)


@renamed_members({"start": "starting_model", "after": "add_batch", "learned": "with_challengers"})
@dataclass(frozen=True, eq=False)
class PrequentialModels:
    """The prequential models, and the evidence about each since the present champion went live.

    Parameters
    ----------
    models : mapping of str to Model
        The present model of each kind of strategy.
    monitor : PrequentialMonitor, optional
        The evidence; None before the first batch was predicted.
    """

    models: Mapping[str, Model] = field(default_factory=dict)
    monitor: PrequentialMonitor | None = None

    def starting_model(self, strategy: str | Strategy, champion: Model) -> Model:
        """Return the model that training starts from: the strategy's own, or the champion if it has none."""
        return self.models.get(kind_of(strategy), champion)

    def add_batch(
        self, champion: Floats, challengers: Mapping[str, Floats], *, alpha: float, min_gain: float, bound: float
    ) -> PrequentialModels:
        """Return the models with the evidence of one more batch. If the set of models changed, the evidence restarts.

        Parameters
        ----------
        champion : (n,) array
            Losses of the champion.
        challengers : mapping of str to (n,) array
            Losses of the models that could predict the batch.
        alpha, min_gain, bound : float
            Settings of a new monitor; a running one keeps its own.
        """
        if not self.models or not len(champion):
            return self
        monitor = self.monitor
        if monitor is None or set(monitor.names) != set(self.models) or monitor.alpha != alpha:
            monitor = PrequentialMonitor(tuple(self.models), alpha=alpha, min_gain=min_gain, bound=bound)
        return replace(self, monitor=monitor.update(champion, challengers))

    def evidence(self, name: str) -> PrequentialEvidence | None:
        """Return the evidence about one model; None before its first batch."""
        if self.monitor is None or name not in self.monitor.names:
            return None
        batches = self.monitor.evidence[self.monitor.names.index(name)].batches
        if not batches:
            return None
        shown = name in self.monitor.promoted
        e_value, needed = self.monitor.e_values[name], 1.0 / self.monitor.alpha
        return PrequentialEvidence(self.monitor.intervals[name], e_value, needed, shown, batches)

    def strongest(self, challengers: Sequence[Challenger]) -> Challenger | None:
        """Return the challenger with the strongest evidence; None if there is no evidence yet."""
        known = [c for c in challengers if c.model is not None and self.evidence(kind_of(c.strategy)) is not None]
        if not known or self.monitor is None:
            return None
        log_e = self.monitor.log_e
        return max(known, key=lambda c: log_e[kind_of(c.strategy)])

    def with_challengers(self, challengers: Sequence[Challenger], *, promoted: bool) -> PrequentialModels:
        """Return the models after they learned the batch. A new champion restarts the evidence."""
        made = {kind_of(c.strategy): c.model for c in challengers if c.model is not None and c.recipe is not None}
        return PrequentialModels({**self.models, **made}, None if promoted else self.monitor)


def losses_of(metric: Metric, y: Array, predictions: Prediction) -> Floats:
    """Return the loss of each row.

    Raises
    ------
    UsageError
        The metric has none.
    """
    found = metric.losses(y, predictions)
    if found is None:
        raise UsageError(
            f"{metric.name} has no loss for a single row, and evidence that adds up over batches needs a loss for each "
            "row: use accuracy, log_loss, brier, mae or rmse, or source='holdout'."
        )
    return found
