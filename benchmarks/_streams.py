"""The public streams that updates are measured on, each as a table in its own order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from incumbent.core import Task


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in the order in which they came.

    Parameters
    ----------
    name : str
        As the data set is known.
    frame : data frame
        Features and target; text columns are categorical.
    target : str
        The column to predict.
    metric : str
        What decides about a promotion.
    shown : tuple of str
        The metrics to report, the most telling first.
    task : {"classification", "regression"}
        What is predicted.
    """

    name: str
    frame: pd.DataFrame
    target: str
    metric: str = "accuracy"
    shown: tuple[str, ...] = ("accuracy", "log_loss")
    task: Task = "classification"

    def parts(self, batches: int, first: float = 0.1) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
        """Return the rows the champion is fitted on, and what comes after in equal batches."""
        rows = len(self.frame)
        cuts = np.linspace(round(first * rows), rows, batches + 1).astype(int)
        cut = [self.frame.iloc[a:b].reset_index(drop=True) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
        return self.frame.iloc[: cuts[0]].reset_index(drop=True), cut


def _read(folder: Path, name: str, drop: tuple[str, ...] = ()) -> pd.DataFrame:
    return pd.read_parquet(folder / name / "data.parquet").drop(columns=list(drop))


def _elec2(folder: Path) -> Stream:
    return Stream("elec2", _read(folder, "elec2", ("date",)), "class")


def _bank(folder: Path) -> Stream:
    frame = _read(folder, "bank_marketing", ("duration",))  # how long the call took is known only after it
    texts = [name for name in frame.columns if frame[name].dtype.kind not in "if" and name != "y"]
    # nearly all say "no" for most of the stream: accuracy rewards a model that never finds a customer
    frame = frame.astype(dict.fromkeys(texts, "category"))
    return Stream("bank_marketing", frame, "y", "log_loss", ("auc", "log_loss", "accuracy"))


def _abrupt(folder: Path) -> Stream:
    return Stream("insects_2016_abrupt", _read(folder, "insects_2016_abrupt"), "class")


def _incremental(folder: Path) -> Stream:
    return Stream("insects_2016_incremental", _read(folder, "insects_2016_incremental"), "class")


def _rialto(folder: Path) -> Stream:
    return Stream("rialto", _read(folder, "rialto"), "class")


def _bike(folder: Path) -> Stream:
    # casual and registered add up to the target; the date and the row number only tell where in the stream a row is
    frame = _read(folder, "bike_sharing_hourly", ("casual", "registered", "instant", "dteday"))
    return Stream("bike_sharing_hourly", frame, "cnt", "mae", ("mae", "rmse"), "regression")


STREAMS: dict[str, Callable[[Path], Stream]] = {
    "elec2": _elec2,
    "bank_marketing": _bank,
    "insects_2016_abrupt": _abrupt,
    "insects_2016_incremental": _incremental,
    "rialto": _rialto,
    "bike_sharing_hourly": _bike,
}
