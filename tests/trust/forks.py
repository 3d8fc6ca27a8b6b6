"""Processes that share nothing but the store: copies of this one, which saves them the imports."""

from __future__ import annotations

import os
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from incumbent import Registry
from rows import fitted, points


def ended_well(*children: int) -> bool:
    """Wait for processes, and say whether all of them ended by themselves without an error."""
    return [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def warm(folder: Path) -> None:
    """Do once in a store of its own what the copies will do: they then need no imports and no tables of SQLAlchemy."""
    if folder.exists():
        return
    past = points(100, seed=3)
    registry = Registry(folder)
    registry.init("warm", fitted(LogisticRegression(), past), past, target="label")
    registry.update("warm", points(60, seed=4), strategies="retrain")
    registry.predict("warm", past)
