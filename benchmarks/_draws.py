"""What two models say of the same rows, drawn directly: no model is fitted, and the truth about both is known."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Array, Floats, PairedPredictions, Prediction
from incumbent.gate.slices import pairs_with_gains

Counts = NDArray[np.int64]
CLASSES = np.array([0, 1])


@functools.lru_cache(maxsize=20_000)
def counted(rows: int, wins: int, losses: int, **more: Any) -> PairedPredictions:
    """Return two classifiers of which the challenger wins and loses this many rows."""
    y = np.zeros(rows, dtype=np.int8)
    champion, challenger = y.copy(), y.copy()
    champion[:wins] = 1
    challenger[wins : wins + losses] = 1
    return PairedPredictions(y, Prediction(champion, None, CLASSES), Prediction(challenger, None, CLASSES), **more)


def outcomes(rng: np.random.Generator, runs: int, rows: int, win: float, lose: float) -> Counts:
    """Draw wins and losses (runs, 2) of independent rows."""
    return rng.multinomial(rows, [win, lose, 1.0 - win - lose], size=runs)[:, :2]


@dataclass(frozen=True)
class Field:
    """Equal challengers (runs, k) beside one champion: they share its rows, so their outcomes depend on each other.

    The champion errs on a fifth of the rows. A challenger differs on a share of them, and is right as often.
    """

    differing: float

    def draw(self, rng: np.random.Generator, runs: int, rows: int, k: int) -> Counts:
        """Return wins and losses (runs, k, 2)."""
        wrong = rng.binomial(rows, 0.2, size=(runs, 1))
        wins = rng.binomial(wrong, self.differing / 2 / 0.2, size=(runs, k))
        losses = rng.binomial(rows - wrong, self.differing / 2 / 0.8, size=(runs, k))
        return np.stack([wins, losses], axis=2)


def ranked(rng: np.random.Generator, rows: int, *, rate: float, gain: float = 0.0) -> PairedPredictions:
    """Return two rankings with independent noise on what both know; `gain` moves the challenger's positives up."""
    y = (rng.random(rows) < rate).astype(np.int64)
    known = rng.normal(size=rows) + 1.2 * y
    return PairedPredictions(y, *(_logistic(known + rng.normal(size=rows) + lift * y - 1.0) for lift in (0.0, gain)))


def _logistic(score: Floats) -> Prediction:
    p = 1.0 / (1.0 + np.exp(-score))
    return Prediction((p > 0.5).astype(np.int64), np.column_stack([1.0 - p, p]), CLASSES)


def classes(rng: np.random.Generator, rows: int, many: int = 5) -> PairedPredictions:
    """Return two equal models of several classes of unequal size, with probabilities; the log loss is cut off at 5."""
    share = np.arange(1, many + 1) / (many * (many + 1) / 2)
    y = rng.choice(many, rows, p=share)
    known = rng.normal(size=(rows, many)) + 1.5 * (y[:, None] == np.arange(many)) + np.log(share)

    def one() -> Prediction:
        score = np.exp(known + 0.7 * rng.normal(size=(rows, many)))
        proba = score / score.sum(axis=1, keepdims=True)
        return Prediction(proba.argmax(axis=1), proba, np.arange(many))

    return PairedPredictions(y, one(), one(), clip=5.0)


def values(rng: np.random.Generator, rows: int, *, tail: float) -> PairedPredictions:
    """Return two equal regressions with errors of Student's t with `tail` degrees, part of them shared.

    Losses are cut off as in an update: at the champion's 99th percentile on as many select rows as 15 % are to 25 %.
    """
    before = rng.standard_t(tail, size=(2, max(20, round(0.6 * rows)))).sum(axis=0)
    errors = rng.standard_t(tail, size=(3, rows))
    first, second = errors[0] + errors[1], errors[0] + errors[2]
    clip = float(np.quantile(np.square(before), 0.99))
    return PairedPredictions(np.zeros(rows), Prediction(first), Prediction(second), clip=clip)


def disasters(rng: np.random.Generator, rows: int, *, chance: float) -> PairedPredictions:
    """Return a challenger that gains a little on every row, and one row in many costs it all: nothing is gained."""
    ruined = rng.random(rows) < chance
    return pairs_with_gains(np.where(ruined, -1.0, chance / (1.0 - chance)))


def spells(rng: np.random.Generator, rows: int, length: int, *, differing: float = 0.3) -> tuple[Array, Array]:
    """Return which rows (rows,) are won and lost in a stream where the same model is right for about `length` rows."""
    keep = np.exp(-1.0 / length)
    noise = rng.normal(size=rows + 10 * length) * np.sqrt(1.0 - keep * keep)
    mood = _smoothed(noise, keep)[10 * length :]
    ours = rng.random(rows) < 1.0 / (1.0 + np.exp(-3.0 * mood))
    differ = rng.random(rows) < differing
    return differ & ours, differ & ~ours


def _smoothed(noise: Floats, keep: float) -> Floats:
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -keep], noise))


def in_order(won: Array, lost: Array, *, block: Array | None = None) -> PairedPredictions:
    """Return two classifiers that win and lose these rows, in time order unless rows have blocks."""
    y = np.zeros(len(won), dtype=np.int8)
    said = (Prediction(each.astype(np.int8), None, CLASSES) for each in (won, lost))
    return PairedPredictions(y, *said, ordered=block is None, block=block)


def clinging(rng: np.random.Generator, rows: int, length: int) -> PairedPredictions:
    """Return two equal regressions whose differences follow an autoregression, in time order, with bounded losses."""
    keep = np.exp(-1.0 / length)
    d = _smoothed(rng.normal(size=rows + 10 * length) * np.sqrt(1.0 - keep * keep), keep)[10 * length :]
    return pairs_with_gains(np.clip(0.2 * d + 0.1 * rng.normal(size=rows), -1.0, 1.0), ordered=True)
