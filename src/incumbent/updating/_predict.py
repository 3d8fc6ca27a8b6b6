"""Predict, and turn every error that a model raises into one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from incumbent.core import Batch, Model, Prediction
from incumbent.errors import DataError, IncumbentError
from incumbent.models import predict, predict_and_cache


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
    with _as_data_error(model, rows):
        return model.predict(x)


def predict_from_cache(model: Model, rows: Batch) -> Prediction:
    """Return predictions, computed from the cached features of the rows if the model shares the champion's layers.

    Raises
    ------
    DataError
        The model cannot predict these rows.
    """
    with _as_data_error(model, "the new rows"):
        return predict(model, rows)


def predict_champion(model: Model, rows: Batch, named: str = "the new rows") -> tuple[Batch, Prediction]:
    """Return the rows with the cached features of the champion's frozen layers, and the champion's predictions.

    Parameters
    ----------
    model : Model
        The champion.
    rows : Batch
        The rows.
    named : str
        What an error calls the rows.

    Raises
    ------
    DataError
        The model cannot predict these rows.
    """
    with _as_data_error(model, named):
        return predict_and_cache(model, rows)


@contextmanager
def _as_data_error(model: Model, named: str) -> Iterator[None]:
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
