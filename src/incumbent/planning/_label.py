"""Which rows to label, so that a budget of labels tells as much as it can of two models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent._deprecated import renamed_members
from incumbent.core import Floats, Metric, Prediction
from incumbent.errors import DataError, UsageError
from incumbent.planning._allocate import FLOOR, allocate
from incumbent.planning._strata import Forecast, cut, forecast

UNIFORM = 0.5
"""Half of the labels are spread over all rows: then the file serves an update too, whose challengers are others, and no
row weighs more than twice what it would in a random sample."""


@renamed_members({"spread": "std"})
@dataclass(frozen=True)
class Stratum:
    """Rows whose labels tell about as much: how many there are, how many to label, and what each then weighs."""

    rows: int
    labelled: int
    std: float

    @property
    def weight(self) -> float:
        """One over the probability that a row of it is chosen; infinite where none is."""
        return self.rows / self.labelled if self.labelled else math.inf


@renamed_members({"worth": "equivalent_random", "saves": "labels_saved"})
@dataclass(frozen=True, eq=False)
class Labels:
    """The rows to label.

    Parameters
    ----------
    at : (n,) array of int
        Their positions, in the order of the rows.
    weight : (n,) array
        One over the probability with which each was chosen.
    strata : tuple of Stratum
        From the rows that tell least to those that tell most.
    rows : int
        How many there were to choose from.
    differing : int
        How many of them could tell anything: the models' losses differ for at least one label.
    equivalent_random : int
        How many labels of rows drawn at random would tell as much about the gain, in the models' own view.
    uniform : float
        The share of the labels that was spread over all rows.
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
        """How many labels this saves beside rows drawn at random."""
        return max(0, self.equivalent_random - len(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and the strata as plain numbers, ready for JSON."""
        strata = [
            {"rows": s.rows, "labelled": s.labelled, "weight": s.weight if s.labelled else None, "spread": s.std}
            for s in self.strata
        ]
        counts = {"rows": self.rows, "labels": len(self), "differing": self.differing}
        return {
            **counts,
            "worth": self.equivalent_random,
            "saves": self.labels_saved,
            "uniform": self.uniform,
            "strata": strata,
        }

    def __str__(self) -> str:
        lines = [
            f"{len(self):,} of {self.rows:,} rows are worth labelling first. The models can differ on "
            f"{self.differing:,} of them ({100.0 * self.differing / self.rows:.3g} %).",
            f"Their labels tell as much about the gain as {self.equivalent_random:,} of random rows: "
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
    """Choose rows to label: stratified by how much a label could tell, with weights that keep means unbiased.

    Parameters
    ----------
    champion, challenger : Prediction
        What each says of the same N rows without labels.
    metric : Metric
        Whose difference is to be told; one with a loss per row.
    rows : int
        The budget of labels.
    uniform : float
        The share of it that is spread over all rows, in [0, 1]: half, so that the labels serve other challengers too
        (see `incumbent.planning._allocate`). With 0, all of it goes where these two differ: the most for these two,
        and of no use for anything else.
    seed : int
        Where randomness enters.

    Raises
    ------
    UsageError
        If the budget or the share means nothing, or the metric has no loss for a single row.
    DataError
        If no label could tell the two apart.

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
    guess = forecast(champion, challenger, metric)
    differing = int(np.count_nonzero(guess.square > 0.0))
    if not differing:
        raise DataError(
            f"Champion and challenger say the same of all {total:,} rows, so no label can tell them apart by "
            f"{metric.name}; give other rows, or compare by probabilities (--metric brier)."
        )
    stratum = cut(guess.size, most=max(1, min(6, rows // (4 * FLOOR))))
    sizes = np.bincount(stratum)
    spreads = _spreads(guess, stratum, sizes)
    counts = allocate(sizes, spreads, rows, uniform=uniform)
    at = _drawn(stratum, counts, seed)
    told = tuple(Stratum(*each) for each in zip(sizes.tolist(), counts.tolist(), spreads.tolist(), strict=True))
    weight = (sizes / np.maximum(counts, 1))[stratum[at]]
    return Labels(at, weight, told, total, differing, _worth(guess, sizes, spreads, counts), uniform)


def _check(rows: int, uniform: float, total: int) -> None:
    if not 0.0 <= uniform <= 1.0:
        raise UsageError(f"uniform is a share of the labels, in [0, 1], such as 0.5; {uniform} was given.")
    if rows < 1:
        raise UsageError(f"rows is how many labels there are to spend, 1 or more; {rows} was given.")
    if rows > total:
        raise UsageError(f"There are {total:,} rows to choose from, so {rows:,} labels cannot be spent on them.")


def _spreads(guess: Forecast, stratum: NDArray[np.intp], sizes: NDArray[np.int64]) -> Floats:
    """Return the standard deviation of the differences in each stratum; never 0 where a label could tell anything."""
    square, mean = (np.bincount(stratum, column) / sizes for column in (guess.square, guess.mean))
    # where both models are wrong about the same thing, what they expect says little: half of the square is kept
    return np.sqrt(np.maximum(square - np.square(mean), 0.5 * square))


def _drawn(stratum: NDArray[np.intp], counts: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Draw so many rows of each stratum without replacement."""
    shuffled = np.random.default_rng(seed).permutation(len(stratum))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    sizes = np.bincount(stratum)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < np.repeat(counts, sizes)])


def _worth(guess: Forecast, sizes: NDArray[np.int64], spreads: Floats, counts: NDArray[np.int64]) -> int:
    """Return how many random rows have as small a variance: ``S**2 / n (1 - n / N)`` solved for n."""
    total = int(sizes.sum())
    asked = counts > 0
    each = np.square(sizes / total * spreads)[asked] / counts[asked] * (1.0 - counts[asked] / sizes[asked])
    variance, spread = float(each.sum()), float(guess.square.mean() - guess.mean.mean() ** 2)
    return round(1.0 / (variance / spread + 1.0 / total)) if spread > 0.0 else int(counts.sum())
