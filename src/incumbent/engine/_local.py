"""Train challengers one after the other in this process, within a deadline."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from incumbent.core import Batch, Challenger, Memory, Model, Recipe, Strategy
from incumbent.data import assemble
from incumbent.engine._budget import interrupted_at
from incumbent.errors import IncumbentError
from incumbent.models import follow


def bound(recipe: Recipe, train_rows: Batch, select: Batch, memory: Memory, *, seed: int, deadline: float) -> Recipe:
    """Return the recipe with the rows that its data element asks for."""
    rows = assemble(recipe.data, train_rows, memory, seed=seed)
    return recipe.bind(train=rows, select=select, memory=memory, seed=seed, deadline=deadline)


def train(
    champion: Model,
    plans: Sequence[tuple[Strategy, Recipe]],
    rows: Batch,
    select: Batch,
    memory: Memory,
    *,
    seed: int,
    deadline: float,
    checkpoints: Path | None = None,
) -> Iterator[Challenger]:
    """Yield a challenger for each plan, in order; one that fails says why and the next is tried.

    Parameters
    ----------
    champion : Model
        Where they start; it does not change.
    plans : sequence of (Strategy, Recipe)
        What to try, settled for this model.
    rows : Batch
        The new rows to learn from.
    select : Batch
        New rows held out of training, for choices along the way.
    memory : Memory
        What is remembered of the old rows.
    seed : int
        The same for all, so that they differ by their strategy only.
    deadline : float
        In seconds of `time.monotonic`; plans that it cuts off are yielded with that as their error.
    checkpoints : Path, optional
        A folder in which trainings that take long are kept while they last, and from which they go on.
    """
    for strategy, planned in plans:
        name = repr(strategy)
        if time.monotonic() >= deadline:
            yield Challenger(name, planned, error="not tried: the budget was spent")
            continue
        start = time.monotonic()
        try:
            with interrupted_at(deadline), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an estimator's convergence chatter; what matters is in the evidence
                recipe = bound(planned, rows, select, memory, seed=seed, deadline=deadline)
                made = follow(champion, recipe.bind(checkpoint=_checkpoint(checkpoints, name)))
        except IncumbentError as error:
            yield Challenger(name, planned, seconds=time.monotonic() - start, error=str(error))
        except Exception as error:  # an estimator may raise anything, and one failed try must not end the update
            text = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            yield Challenger(name, planned, seconds=time.monotonic() - start, error=text)
        else:
            assert recipe.train is not None, "it was bound above"
            spent = time.monotonic() - start
            yield Challenger(name, planned, made, spent, len(recipe.train), notes=made.notes)


def _checkpoint(folder: Path | None, strategy: str) -> Path | None:
    return None if folder is None else folder / f"{hashlib.sha256(strategy.encode()).hexdigest()[:16]}.pt"
