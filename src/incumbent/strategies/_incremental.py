"""Continue to train the champion."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import OPTIMIZERS, Memory, Recipe
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Incremental(Edit):
    """Learn the new rows in mini-batches, starting from the champion; preprocessing does not change.

    Cheap, but it forgets fastest: chain it with `Replay`, `EWC` or `Interpolate`.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}, optional
        None, the default, is the model's own rule (`partial_fit`), or Adam if it has none.
    lr : float, optional
        Learning rate; None picks one by a short trial.
    epochs : int, optional
        Passes over the rows. None is one; a net stops once the loss on the select rows no longer falls.
    batch_size : int, optional
        Rows per step; None is 256, and 64 for a net.

    Examples
    --------
    >>> Incremental(optimizer="adagrad", epochs=3)
    Incremental('adagrad', epochs=3)
    """

    optimizer: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        self._check_one_of("optimizer", OPTIMIZERS)
        self._check_positive("lr")
        self._check_positive("epochs", "batch_size", whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(
            start="champion", optimizer=self.optimizer, lr=self.lr, epochs=self.epochs, batch_size=self.batch_size
        )


@dataclass(frozen=True, repr=False)
class Online(Edit):
    """Learn the new rows one by one, each once, in their own order, starting from the champion.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"}, optional
        None, the default, is the model's own rule (`partial_fit`), or Adam if it has none.
    lr : float, optional
        Learning rate; None picks one by a short trial.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Online("sgd").prepare(Recipe(), Memory()).optimizer
    Optimizer('sgd', epochs=1, batch_size=1)
    """

    optimizer: str | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        self._check_one_of("optimizer", OPTIMIZERS)
        self._check_positive("lr")

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(
            start="champion", optimizer=self.optimizer, lr=self.lr, epochs=1, batch_size=1, ordered=True
        )
