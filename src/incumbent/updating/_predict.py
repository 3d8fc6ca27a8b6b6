"""Predict, and turn every error that a model raises into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from incumbent.core import Model, Prediction
from incumbent.errors import DataError, IncumbentError


def safe_predict(model: Model, x: Any, rows: str = "the new rows") -> Prediction:
    """Return what the model predicts.

    Parameters
    ----------
    model : Model
        The model.
    x : (n, d) frame
        The rows.
    rows : str
        What an error calls the rows.

    Raises
    ------
    DataError
        The model cannot predict these rows, for example because of a missing value.
    """
    with as_data_error(model, rows):
        return model.predict(x)


@contextmanager
def as_data_error(model: Model, named: str) -> Iterator[None]:
    """Raise any error of a prediction as a `DataError` that names the rows."""
    try:
        yield
    except IncumbentError:
        raise
    except Exception as error:  # an estimator may raise anything; its own text is the best hint
        raise DataError(
            f"{type(model.native).__name__} cannot predict {named} ({in_short(error)}). Give the rows as the model was "
            "trained on them. Preparation, such as filling gaps, belongs in the model (a Pipeline)."
        ) from error


def in_short(error: Exception) -> str:
    """Return the type of an error and the first line of its text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('. ')}" if lines else type(error).__name__
