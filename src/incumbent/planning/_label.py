"""Which rows to label, so that a budget of labels shows as much as it can of the difference between two models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent._deprecated import renamed_members
from incumbent.core import Floats, Metric, Prediction
from incumbent.errors import DataError, UsageError
from incumbent.planning._allocate import FLOOR, Counts, allocate
from incumbent.planning._strata import MOST, Forecast, cut, forecast
from incumbent.words import percentage

UNIFORM = 0.5
"""Half of the labels are spread over all rows. Then the file also serves an update, whose challengers are others, and
no row weighs more than twice what it would in a random sample."""


@renamed_members({"spread": "std"})
@dataclass(frozen=True)
class Stratum:
    """Rows whose labels show about as much: their number, the number to label, and the expected difference."""

    rows: int
    labelled: int
    std: float

    @property
    def weight(self) -> float:
        """One over the probability that one of its rows is chosen; infinite if none is."""
        return self.rows / self.labelled if self.labelled else math.inf


@renamed_members({"worth": "equivalent_random", "saves": "labels_saved"})
@dataclass(frozen=True, eq=False)
class Labels:
    """The rows to label.

    Parameters
    ----------
    at : (n,) array of int
        Their positions, in order.
    weight : (n,) array
        One over the probability with which each was chosen.
    strata : tuple of Stratum
        From the least to the most informative rows.
    rows : int
        Number of rows to choose from.
    differing : int
        Number of informative rows: the models' losses differ for at least one label.
    equivalent_random : int
        Number of random labels that would show as much about the gain, by the models' own probabilities.
    uniform : float
        Fraction of the labels that was spread over all rows.
    """

    at: NDArray[np.intp]
    weight: Floats
    strata: tuple[Stratum, ...]
    rows: int
    differing: int
    equivalent_random: int
    uniform: float

    def __len__(self) -> int:
        return len(self.at)

    @property
    def labels_saved(self) -> int:
        """Number of labels saved, compared with random rows."""
        return max(0, self.equivalent_random - len(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and the strata as plain numbers, ready for JSON."""
        return {
            "rows": self.rows,
            "labels": len(self),
            "differing": self.differing,
            "worth": self.equivalent_random,
            "saves": self.labels_saved,
            "uniform": self.uniform,
            "strata": [
                {"rows": s.rows, "labelled": s.labelled, "weight": s.weight if s.labelled else None, "spread": s.std}
                for s in self.strata
            ],
        }

    def __str__(self) -> str:
        lines = [
            f"{len(self):,} of {self.rows:,} rows to label. The models can differ on {self.differing:,} of them "
            f"({percentage(self.differing / self.rows)}).",
            f"These labels show as much about the gain as {self.equivalent_random:,} random ones: "
            f"{self.labels_saved:,} saved.",
            "",
            f"{'rows':>10}  {'to label':>8}  {'weight of each':>14}  {'expected difference':>19}",
        ]
        for part in reversed(self.strata):
            weight = f"{part.weight:14,.2f}" if part.labelled else f"{'-':>14}"
            lines.append(f"{part.rows:10,}  {part.labelled:8,}  {weight}  {part.std:19.3g}")
        return "\n".join(lines)


def choose(
    champion: Prediction,
    challenger: Prediction,
    metric: Metric,
    *,
    rows: int,
    uniform: float = UNIFORM,
    seed: int = 0,
) -> Labels:
    """Choose rows to label, in strata of how much a label can show, with weights that keep means unbiased.

    Parameters
    ----------
    champion, challenger : Prediction
        Predictions of the same N unlabelled rows.
    metric : Metric
        Whose difference is to be estimated; it needs a loss per row.
    rows : int
        The number of labels.
    uniform : float in [0, 1]
        Fraction of the labels that is spread over all rows, so that they serve other challengers too. With 0 all of
        them go to rows on which these two differ: best for these two, and of no use for others.
    seed : int
        Seed of the draw.

    Raises
    ------
    UsageError
        `rows` or `uniform` is out of range, or the metric has no loss for a single row.
    DataError
        No label can show a difference.

    Examples
    --------
    >>> from incumbent.metrics import Accuracy
    >>> live = np.zeros(10_000, dtype=int)
    >>> shadow = np.where(np.arange(10_000) < 500, 1, 0)
    >>> plan = choose(Prediction(live), Prediction(shadow), Accuracy(), rows=200, uniform=0.0)
    >>> len(plan), plan.differing, plan.labels_saved, bool((plan.at < 500).all()), float(plan.weight[0])
    (200, 500, 3800, True, 2.5)
    """
    total = len(champion)
    _check(rows, uniform, total)
    if len(challenger) != total:
        raise DataError(f"The champion predicted {total:,} rows but the challenger {len(challenger):,}.")
    expected = forecast(champion, challenger, metric)
    differing = int(np.count_nonzero(expected.square > 0.0))
    if not differing:
        raise DataError(
            f"Champion and challenger predict the same for all {total:,} rows, so no label can show a difference in "
            f"{metric.name}; give other rows, or compare probabilities (--metric brier)."
        )
    stratum = cut(np.sqrt(expected.square), most=max(1, min(MOST, rows // (4 * FLOOR))))
    sizes = np.bincount(stratum)
    stds = _stds(expected, stratum, sizes)
    counts = allocate(sizes, stds, rows, uniform=uniform)
    at = _draw(stratum, sizes, counts, seed)
    strata = tuple(Stratum(*each) for each in zip(sizes.tolist(), counts.tolist(), stds.tolist(), strict=True))
    weight = (sizes / np.maximum(counts, 1))[stratum[at]]
    return Labels(at, weight, strata, total, differing, _equivalent_random(expected, sizes, stds, counts), uniform)


def _check(rows: int, uniform: float, total: int) -> None:
    if not 0.0 <= uniform <= 1.0:
        raise UsageError(f"uniform is a fraction of the labels, in [0, 1], such as 0.5; {uniform} was given.")
    if not 1 <= rows <= total:
        raise UsageError(f"rows is the number of labels, 1 or more, and there are {total:,} rows; {rows:,} was given.")


def _stds(expected: Forecast, stratum: NDArray[np.intp], sizes: Counts) -> Floats:
    """Return the standard deviation of the differences in each stratum; above 0 if a label is informative."""
    square, mean = (np.bincount(stratum, column) / sizes for column in (expected.square, expected.mean))
    # Both models can be wrong in the same way, so their expected variance can be too small. Keep half of the square.
    return np.sqrt(np.maximum(square - np.square(mean), 0.5 * square))


def _draw(stratum: NDArray[np.intp], sizes: Counts, counts: Counts, seed: int) -> NDArray[np.intp]:
    """Draw this number of rows of each stratum without replacement."""
    shuffled = np.random.default_rng(seed).permutation(len(stratum))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < np.repeat(counts, sizes)])


def _equivalent_random(expected: Forecast, sizes: Counts, stds: Floats, counts: Counts) -> int:
    """Return how many random rows have as small a variance: ``S**2 / n (1 - n / N)`` solved for n."""
    total, used = int(sizes.sum()), counts > 0
    each = np.square(sizes / total * stds)[used] / counts[used] * (1.0 - counts[used] / sizes[used])
    variance = float(expected.square.mean() - expected.mean.mean() ** 2)
    return round(1.0 / (float(each.sum()) / variance + 1.0 / total)) if variance > 0.0 else int(counts.sum())
