"""Incumbent on nets, as a benchmark drives it: one session after the other through whole updates, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from _nets import Steps, trained
from incumbent.core import AnchorSet, Array, Batch, Memory, Model, Recipe
from incumbent.data import Schema, read
from incumbent.gate import Gate
from incumbent.memory import nbytes, update_memory
from incumbent.models import fit_challenger, wrap
from incumbent.policy import Choice
from incumbent.strategies import parse
from incumbent.updating import LiveModel, prepare_update, run, with_classes

STRICT, NEVER_REFUSED = Gate(tolerance=0.05), Gate(tolerance=None)


def smallest(memory: Memory, rows: int) -> Memory:
    """Return the memory cut to so many rows, those with the smallest keys: as uniform a sample as it was."""
    if memory.rows is None or memory.key is None or len(memory) <= rows:
        return memory
    at = np.sort(np.argsort(memory.key, kind="stable")[:rows])
    kept = memory.key[at]
    return memory.replace(rows=memory.rows.take(at), key=kept, threshold=float(kept.max()))


@dataclass(frozen=True)
class How:
    """What is tried, judged by which gate, and what may be kept.

    Parameters
    ----------
    strategies : "auto", str, or a sequence of str
        What to try.
    gate : Gate
        The rule of promotion.
    rows : int, optional
        How many old rows may be kept to learn from; None is as many as Incumbent keeps by itself.
    first : str
        What the model that is brought in is made over with, if anything: its memory is then made by it too.
    """

    strategies: Choice
    gate: Gate = NEVER_REFUSED
    rows: int | None = None
    first: str = ""

    def kept(self, memory: Memory) -> Memory:
        """Return what may be kept of a memory; a stand-in of no rows where there may be none."""
        if self.rows == 0:
            return memory.replace(rows=None, key=None)
        return memory if self.rows is None else smallest(memory, self.rows)


@dataclass(eq=False)
class Ours:
    """Incumbent with its gate; memory and anchor set go on from session to session."""

    live: Model
    schema: Schema
    how: How
    seed: int
    memory: Memory = field(default_factory=Memory)
    anchor: AnchorSet = field(default_factory=AnchorSet)
    promoted: int = 0
    updates: int = 0
    said_of: str = ""

    @staticmethod
    def bring_in(
        native: nn.Module, learned: Batch, held: Batch, how: How, *, classes: Sequence[int], seed: int
    ) -> Ours:
        """Take in a net with the rows that it learned, and rows that it did not learn as the anchor set."""
        live: Model = wrap(native, classes=list(classes))
        told = Schema.of(read((learned.x, learned.labels), tensors=True), target="target", task="classification")
        memory = update_memory(Memory(), learned, seed=seed)
        if how.first:
            strategy = parse(how.first)
            recipe = strategy.prepare(Recipe(), Memory()).resolve_start(live.abilities)
            live = fit_challenger(live, recipe.bind(train=learned, select=held, seed=seed))
            memory = strategy.remember(memory, live, learned)
        elif isinstance(how.strategies, str) and how.strategies != "auto":
            memory = parse(how.strategies).remember(how.kept(memory), live, learned)
        anchor = AnchorSet(held, np.zeros(len(held), dtype=np.int64), len(held))
        return Ours(live, with_classes(told, live), how, seed, how.kept(memory), anchor)

    @property
    def carried(self) -> int:
        """Bytes of memory and anchor set."""
        rows = self.anchor.rows
        return nbytes(self.memory) + (0 if rows is None else rows.x.nbytes + rows.labels.nbytes)

    def learn(self, rows: Batch) -> None:
        """Run an update as the registry does it, in memory."""
        batch, check = self.schema.check(read((rows.x, rows.labels), tensors=True))
        live = LiveModel(self.live, self.schema, self.memory, self.anchor, self.how.gate)
        outcome = run(
            prepare_update(live, batch, check, strategies=self.how.strategies, budget=float("inf"), seed=self.seed)
        )
        self.live, self.anchor, self.memory = outcome.winner, outcome.anchor, self.how.kept(outcome.memory)
        self.updates += 1
        self.promoted += outcome.decision == "promote"
        failed = [f"{c.strategy} failed: {c.error}" for c in outcome.challengers if c.error]
        chosen = outcome.chosen.strategy if outcome.chosen is not None else "nothing"
        broken = [reason.text for reason in outcome.verdict.reasons if not reason.holds]
        self.said_of = "; ".join([f"{outcome.decision} {chosen}", *broken, *failed])

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        return self.live.predict(x).label


class FromFirst:
    """Incumbent where the first session trains the net: 85 % of its rows, the others are the anchor set."""

    def __init__(self, net: nn.Module, steps: Steps, how: How, seed: int, *, classes: int = 10) -> None:
        self.net, self.steps, self.how, self.seed, self.classes = net, steps, how, seed, classes
        self.ours: Ours | None = None

    def learn(self, rows: Batch) -> None:
        """Train on the first session, update on every other."""
        if self.ours is not None:
            self.ours.learn(rows)
            return
        order = np.random.default_rng(self.seed).permutation(len(rows))
        cut = len(rows) * 85 // 100
        learned, held = rows.take(np.sort(order[:cut])), rows.take(np.sort(order[cut:]))
        net = trained(self.net, learned, self.steps, self.seed)
        self.ours = Ours.bring_in(net, learned, held, self.how, classes=range(self.classes), seed=self.seed)

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        assert self.ours is not None, "asked after the first session"
        return self.ours.said(x)

    @property
    def carried(self) -> int:
        """Bytes of memory and anchor set."""
        assert self.ours is not None, "asked after the first session"
        return self.ours.carried
