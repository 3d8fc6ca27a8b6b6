"""The rows of an update in their parts, and what the champion says of each, asked once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from incumbent.core import Array, Batch, Metric, Paired, Prediction
from incumbent.data import Quality, Split, examine, split
from incumbent.data.rows._split import FEWEST
from incumbent.errors import DataError
from incumbent.memory import anchor_split
from incumbent.updating._ask import ask_first
from incumbent.updating._case import Case


@dataclass(frozen=True, eq=False)
class Holdouts:
    """New rows split into learn, select and gate; old rows into select and gate; the champion's word on all of them.

    Parameters
    ----------
    case : Case
        What the update starts from.
    quality : Quality
        Which of the new rows are duplicate, contradictory, known or leaked.
    rows : Batch
        The new rows without leaked ones: those that stand in the anchor set, which must stay unseen.
    parts : Split
        Positions in `rows`.
    holdable : (n,) array of bool
        Which of `rows` may serve as evidence: not those of which a copy was, or is, learned from.
    old_select, old_gate : (n,) arrays
        Positions in the anchor set: some serve the choice among challengers, the others the gate, never both.
    said : Prediction
        The champion on every new row.
    """

    case: Case
    quality: Quality
    rows: Batch
    parts: Split
    holdable: Array
    old_select: Array
    old_gate: Array
    said: Prediction

    @staticmethod
    def of(case: Case) -> Holdouts:
        """Sort out the rows of a case and set holdouts aside."""
        quality = examine(case.batch, memory=case.memory, anchor=case.anchor, task=case.champion.task)
        _check_new(quality)
        kept = ~quality.leaked
        rows, said = ask_first(case.champion, case.batch.take(kept) if quality.leaked.any() else case.batch)
        parts = split(rows, task=case.champion.task, holdable=quality.holdable[kept], seed=case.seed)
        old_select, old_gate = anchor_split(case.anchor)
        return Holdouts(case, quality, rows, parts, quality.holdable[kept], old_select, old_gate, said)

    @cached_property
    def learn(self) -> Batch:
        """New rows to learn from."""
        return self.rows.take(self.parts.train)

    @cached_property
    def select(self) -> Batch:
        """New rows that the choice among challengers is made on."""
        return self.rows.take(self.parts.select)

    @cached_property
    def gate(self) -> Batch:
        """New rows that only the chosen challenger meets."""
        return self.rows.take(self.parts.gate)

    @property
    def said_old(self) -> Prediction | None:
        """The champion on every row of the anchor set."""
        return None if self._old is None else self._old[1]

    def old(self, at: Array) -> Batch:
        """Return anchor rows."""
        assert self._old is not None, "positions come from an anchor set that has rows"
        return self._old[0].take(at)

    @cached_property
    def _old(self) -> tuple[Batch, Prediction] | None:
        old = self.case.anchor.rows
        return None if old is None or not len(old) else ask_first(self.case.champion, old, "the anchor rows")

    def clip(self, metric: Metric) -> float:
        """Return where losses that know no bound, or none near, are cut off: the champion's 99th percentile on select.

        It is fixed on rows and a model that the gate rows have no part in, so the cut cannot favour either side there.
        """
        losses = metric.losses(self.select.labels, self.said.take(self.parts.select))
        unbounded = np.isinf(metric.bound) or metric.name == "log_loss"
        cut = float(np.quantile(losses, 0.99)) if losses is not None and unbounded else 0.0
        return cut or float("inf")

    def select_paired(self) -> Paired:
        """Return the champion beside itself on the select rows: what the size of its loss is read from."""
        said = self.said.take(self.parts.select)
        return Paired(self.select.labels, said, said, weight=self.select.weight)

    def paired(self, challenger: Prediction, metric: Metric) -> Paired:
        """Return champion and challenger on the gate rows."""
        rows = self.gate
        return Paired(
            rows.labels,
            self.said.take(self.parts.gate),
            challenger,
            weight=rows.weight,
            block=None if rows.group is None else np.unique(rows.group, return_inverse=True)[1],
            ordered=rows.time is not None,
            clip=self.clip(metric),
            x=rows.x,
        )


def _check_new(quality: Quality) -> None:
    """Say so where the rows are not new: the same file given twice is an easy mistake."""
    rows, seen = len(quality.known), int(np.count_nonzero(quality.known | quality.leaked))
    if seen and rows - seen < FEWEST:
        raise DataError(
            f"{seen:,} of the {rows:,} rows are not new: {quality.counts['known']:,} were learned from before and "
            f"{quality.counts['leaked']:,} stand in the anchor set. An update needs at least {FEWEST} rows that are "
            "new to judge on; were the same rows given twice?"
        )
