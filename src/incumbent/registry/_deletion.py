"""The options of a deletion request: what can be done to a model that may have learned the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from incumbent.core import Memory, has_features
from incumbent.errors import AbilityError, ModelError, UsageError
from incumbent.policy import recipe_for
from incumbent.registry._folders import State, Version
from incumbent.registry._row_matches import RowMatches, is_complete
from incumbent.strategies import Retrain

How: TypeAlias = Literal["exact", "retrain", "keep", "unlearned"]
"""Solve the head without the rows; retrain the model; keep the model as it is; the model never learned the rows."""


@dataclass(frozen=True, eq=False)
class DeletionOptions:
    """What a deletion request can do to a live model."""

    name: str
    number: int  # of the live version
    version: Version
    state: State
    found: RowMatches
    has_hidden_weights: bool  # some version learned rows with a weight that memory lacks, as by Analytic(weight=8)

    @property
    def is_exact(self) -> bool:
        """Whether the rows can be subtracted from the statistics that the live head was solved from."""
        model, statistics = self.version.model, self.state.memory.statistics
        head = model.head if has_features(model) else None
        return head is not None and "token" in statistics and str(statistics["token"]) == head.token

    def choose(self, *, retrain: bool, keep_model: bool) -> How:
        """Return what to do; raise an error if an option is missing or does not fit these rows."""
        if not self.found.known_to_model:
            return "unlearned"
        if retrain:
            self._check_retrain()
            return "retrain"
        if not self.is_exact:
            if keep_model:
                return "keep"
            raise ModelError(self._not_exact())
        if keep_model:
            raise UsageError(
                f"Version {self.number} of {self.name!r} forgets exactly, without training; leave --keep-model out."
            )
        self._check_sums()
        return "exact"

    def _check_retrain(self) -> None:
        kept = int((~self.found.learned).sum())
        if not kept:
            raise ModelError(f"No row that {self.name!r} remembers would be left to train on; give fewer rows.")
        try:
            recipe_for(Retrain(), self.version.model, Memory())
        except AbilityError as error:
            raise AbilityError(f"{error} To remove the rows from memory and anchor set only: --keep-model") from None

    def _check_sums(self) -> None:
        """Raise an error if nothing shows any more how often the statistics contain the rows."""
        memory, loose = self.state.memory, len(self.found.unremembered)
        if is_complete(memory):
            return
        all_there = math.isclose(float(memory.statistics["rows"]), memory.seen, rel_tol=1e-9)
        assert memory.rows is not None, "a memory that has dropped rows has others"
        if self.has_hidden_weights or (loose and (not all_there or memory.rows.weight is not None)):
            why = "rows were learned with weights, and memory has dropped some of them"
            if not self.has_hidden_weights and not all_there:
                why = "they began with the rows remembered at that time, so they may lack rows dropped before"
            raise ModelError(
                f"Version {self.number} of {self.name!r} cannot forget these rows exactly: how often its statistics "
                f"contain them is not known, as {why}. {self._offers()}"
            )

    def _not_exact(self) -> str:
        kind = type(self.version.model.native).__name__
        rows = int(self.found.learned.sum()) + len(self.found.unremembered)
        return (
            f"Version {self.number} of {self.name!r} may have learned {rows:,} of these rows, and a {kind} cannot "
            "forget exactly: it has no statistics to subtract rows from, as a model made by Analytic() has. "
            f"Nothing was changed. {self._offers()}"
        )

    def _offers(self) -> str:
        memory, left = self.state.memory, int((~self.found.learned).sum())
        there = "all that it has seen" if is_complete(memory) else f"of {memory.seen:,} that it has seen"
        fits = (
            f"--retrain trains it again from scratch on the {left:,} other rows that are remembered ({there}); "
            if "retrain" in self.version.model.abilities
            else ""
        )
        return (
            f"Choose: {fits}--keep-model removes them from memory and anchor set, so that no later training uses "
            "them, and leaves the model as it is."
        )
