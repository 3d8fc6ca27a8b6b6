"""Ask a model what it says of some rows; whatever it raises becomes one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from incumbent.core import Batch, Model, Prediction
from incumbent.errors import DataError, IncumbentError
from incumbent.models import passed, predict


def ask(model: Model, x: Any, rows: str = "the new rows") -> Prediction:
    """Return what the model predicts.

    Parameters
    ----------
    model : Model
        The one that is asked.
    x : (n, d) frame
        The rows.
    rows : str
        What they are called in the message.

    Raises
    ------
    DataError
        The model cannot predict them, such as a missing value where it takes none.
    """
    with _plainly(model, rows):
        return model.predict(x)


def ask_next(model: Model, rows: Batch) -> Prediction:
    """Return what another model predicts of new rows, without a second pass where it shares the champion's layers."""
    with _plainly(model, "the new rows"):
        return predict(model, rows)


def ask_first(model: Model, rows: Batch, named: str = "the new rows") -> tuple[Batch, Prediction]:
    """Return what the champion predicts, and the rows with what its frozen part made of them, for its challengers.

    Parameters
    ----------
    model : Model
        The champion.
    rows : Batch
        The rows.
    named : str
        What they are called in the message.

    Raises
    ------
    DataError
        The model cannot predict them.
    """
    with _plainly(model, named):
        return passed(model, rows)


@contextmanager
def _plainly(model: Model, named: str) -> Iterator[None]:
    try:
        yield
    except IncumbentError:
        raise
    except Exception as error:  # an estimator may raise anything; what it said is the best hint there is
        raise DataError(
            f"{type(model.native).__name__} cannot predict {named} ({in_short(error)}). Give the rows as the model was "
            "trained on them; what prepares them, such as filling gaps, belongs in the model (a Pipeline)."
        ) from error


def in_short(error: Exception) -> str:
    """Return what an error is and the first line of what it says."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0].rstrip('. ')}" if said else type(error).__name__
