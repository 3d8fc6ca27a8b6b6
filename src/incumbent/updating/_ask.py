"""Ask a model what it says of some rows; whatever it raises becomes one sentence."""

from __future__ import annotations

from typing import Any

from incumbent.core import Model, Prediction
from incumbent.errors import DataError, IncumbentError


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
    try:
        return model.predict(x)
    except IncumbentError:
        raise
    except Exception as error:  # an estimator may raise anything; what it said is the best hint there is
        raise DataError(
            f"{type(model.native).__name__} cannot predict {rows} ({in_short(error)}). Give the rows as the model was "
            "trained on them; what prepares them, such as filling gaps, belongs in the model (a Pipeline)."
        ) from error


def in_short(error: Exception) -> str:
    """Return what an error is and the first line of what it says."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0].rstrip('. ')}" if said else type(error).__name__
