"""Learn on from where the champion stands."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import OPTIMIZERS, Memory, Recipe
from incumbent.strategies._check import one_of, positive
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class Incremental(Edit):
    """Learn the new rows in mini-batches, starting from the champion; preprocessing stays as it is.

    Cheap, and the first to forget: chain it with `Replay`, `EWC` or `Interpolate`.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}, optional
        None, the default, is the model's own rule (`partial_fit`), or Adam for a linear model that has none.
    lr : float, optional
        Learning rate; None picks one by a short trial on rows held out of training.
    epochs : int
        Passes over the rows.
    batch_size : int
        Rows per step.

    Examples
    --------
    >>> Incremental(optimizer="adagrad", epochs=3)
    Incremental('adagrad', epochs=3)
    """

    optimizer: str | None = None
    lr: float | None = None
    epochs: int = 1
    batch_size: int = 256

    def __post_init__(self) -> None:
        if self.optimizer is not None:
            one_of(self, "optimizer", self.optimizer, OPTIMIZERS)
        if self.lr is not None:
            positive(self, "lr", self.lr)
        positive(self, "epochs", self.epochs, whole=True)
        positive(self, "batch_size", self.batch_size, whole=True)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion, with this optimiser."""
        return recipe.but(
            start="champion",
            optimizer=self.optimizer,
            lr=self.lr,
            epochs=self.epochs,
            batch_size=self.batch_size,
        )


@dataclass(frozen=True, repr=False)
class Online(Edit):
    """Learn the new rows one by one, each once, in their own order, starting from the champion.

    Parameters
    ----------
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}, optional
        None, the default, is the model's own rule (`partial_fit`), or Adam for a linear model that has none.
    lr : float, optional
        Learning rate; None picks one by a short trial on rows held out of training.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> Online("sgd").prepare(Recipe(), Memory()).optimiser
    Optimiser('sgd', batch_size=1)
    """

    optimizer: str | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        if self.optimizer is not None:
            one_of(self, "optimizer", self.optimizer, OPTIMIZERS)
        if self.lr is not None:
            positive(self, "lr", self.lr)

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        """Start from the champion, one row a step, in order."""
        return recipe.but(start="champion", optimizer=self.optimizer, lr=self.lr, batch_size=1, ordered=True)
