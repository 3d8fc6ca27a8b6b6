"""Folders of images: which row is which file, and whether the net was trained with the given preparation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Batch, Model
from incumbent.data import Finding
from incumbent.data.reading._arrays import has_images
from incumbent.data.reading._images import image_files

_READY = ("incumbent.data:scale_0_1", "incumbent.data:scale_minus1_1", "incumbent.data:normalize_imagenet")
_ROWS = 100
_SURE = 2.5  # standard deviations: chance alone gives a warning in one of 160 inits


def files_of(rows: Any) -> list[str] | None:
    """Return the file of each row of a folder of images, relative to the folder; None for any other rows."""
    if isinstance(rows, tuple) or not has_images(rows):
        return None
    folder = Path(rows).expanduser()
    return [file.relative_to(folder).as_posix() for file in image_files(folder)]


def find_other_prepare(champion: Model, rows: Batch) -> tuple[Finding, ...]:
    """Return a warning if another ready-made preparation of images fits the training rows better than the given one.

    A wrong one raises no error: it only makes predictions worse. On its training rows, a net is best with the
    preparation that it was trained with.
    """
    given = champion.prepare
    if given not in _READY or champion.task != "classification":
        return ()
    ways = _READY if champion.image_channels == 3 else _READY[:2]  # the third gives three channels
    if given not in ways:
        return ()
    some = rows.take(np.linspace(0, len(rows) - 1, min(len(rows), _ROWS)).astype(int))
    right = {way: _right(champion.with_prepare(way), some) for way in ways}
    mine = right[given]
    best = max(ways, key=lambda way: int(right[way].sum()))
    won, lost = int((right[best] & ~mine).sum()), int((mine & ~right[best]).sum())
    if won - lost <= _SURE * np.sqrt(won + lost):
        return ()
    text = (
        f"Of {len(some)} of these rows the net is right in {right[best].mean():.0%} with --prepare {best}, and in "
        f"{mine.mean():.0%} with {given}, which was given. If it was trained with the former, bring it in "
        "again under another name."
    )
    return (Finding("warning", "", text),)


def _right(model: Model, rows: Batch) -> NDArray[np.bool_]:
    same = np.equal(model.predict(rows.x).label, rows.labels).reshape(len(rows), -1)
    return np.asarray(same.all(axis=1), dtype=bool)
