"""Looking again and again: after every row of a live stream, and at every update of a long life."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from _cells import Cell, mean, rate
from incumbent import Monitor
from incumbent.core import Array, Floats
from incumbent.gate.budget import control

Work = tuple[str, Callable[[], Cell | list[Cell]]]
ALPHA = 0.05
PEEK, LIFE = "a look after every row", "a life of updates"
ROWS, UPDATES = 20_000, 200


# ------------------------------------------------------------------------------------------- peeking


def peeking(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield cells in which the evidence is looked at after each of 20,000 rows."""
    rows = ROWS // 10 if quick else ROWS
    for differing in (0.05,) if quick else (0.01, 0.05, 0.2):
        yield f"accuracy, {differing:.0%} differ, {rows:,} looks", _signs(runs, rows, differing, seed)
    few = max(100, runs // 10)
    yield f"bounded loss, {rows:,} looks", lambda: _levels(few, rows, seed)
    yield f"accuracy, the better model changes, {rows:,} looks", lambda: _swinging(few, rows, seed)


def _ever(differences: Floats, margin: float = 0.0) -> bool:
    """Whether a Monitor that is looked at after every row decides at any of them."""
    return bool(Monitor(alpha=ALPHA).tally.path(differences, margin).max(initial=-math.inf) >= -math.log(ALPHA))


def _signs(runs: int, rows: int, differing: float, seed: int) -> Callable[[], list[Cell]]:
    """Rows on which both are right or wrong change no evidence, so only the others are played."""

    def run() -> list[Cell]:
        rng, name, ever, naive = np.random.default_rng([seed, 21]), f"accuracy, {differing:.0%} differ, {rows:,}", 0, 0
        least = _fewest_wins(rows)
        for many in rng.binomial(rows, differing, runs).tolist():
            signs = rng.choice([-1.0, 1.0], many)
            ever += _ever(signs)
            wins = np.cumsum(signs > 0)
            naive += bool((wins >= least[1 : many + 1]).any())
        told = f"{name} looks"
        ours = rate(PEEK, told, "Monitor", ever, runs, ALPHA, of="ever decided wrongly")
        other = rate(PEEK, told, "exact McNemar", naive, runs, ALPHA, kind="beside", of="ever decided wrongly")
        return [ours, other]

    return run


def _fewest_wins(rows: int) -> Array:
    """Return the wins of n differing rows, n = 0, 1, ..., from which on McNemar's exact test rejects."""
    from scipy.stats import binom

    n = np.arange(rows + 1)
    return np.asarray(binom.isf(ALPHA, n, 0.5) + 1)


def _levels(runs: int, rows: int, seed: int) -> Cell:
    rng = np.random.default_rng([seed, 22])
    ever = sum(_ever(rng.beta(0.5, 4.0, rows) - rng.beta(0.5, 4.0, rows)) for _ in range(runs))
    return rate(PEEK, f"bounded loss, {rows:,} looks", "Monitor", ever, runs, ALPHA, of="ever decided wrongly")


def _swinging(runs: int, rows: int, seed: int) -> Cell:
    """Make the challenger worse first and then better by as much, so that at no time it was better so far."""
    rng, ever, at = np.random.default_rng([seed, 23]), 0, np.arange(rows)
    better = 0.5 - 0.2 * np.sign(np.sin(2 * np.pi * at / (rows / 4)) + 1e-9)
    for _ in range(runs):
        differ = rng.random(rows) < 0.2
        ever += _ever(np.where(rng.random(rows) < better, 1.0, -1.0)[differ])
    name = f"accuracy, the better model changes, {rows:,} looks"
    return rate(PEEK, name, "Monitor", ever, runs, ALPHA, of="ever decided wrongly")


# --------------------------------------------------------------------------------------- lifetimes

WAYS: dict[str, Callable[[], Any]] = {
    "fwer": lambda: control("fwer", ALPHA),
    "fdr": lambda: control("fdr", ALPHA),
    "update": lambda: control("update", ALPHA),
}


def lifetimes(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield cells of lives of 200 updates, of which some bring a real gain."""
    lives = max(60, runs // 10)
    for real in (0.3,) if quick else (0.0, 0.1, 0.3):
        for way in (*WAYS, "new >= old"):
            yield f"{way}, {real:.0%} real gains", _life(way, real, lives, seed)


def _life(way: str, real: float, lives: int, seed: int) -> Callable[[], list[Cell]]:
    """1,000 gate rows, 10 % differ; a real gain is 3 points. The level goes through the control, as in an update."""

    def run() -> list[Cell]:
        p, counts, true = _drawn(np.random.default_rng([seed, 31, round(100 * real)]), lives, real)
        made = counts[..., 0] >= counts[..., 1] if way == "new >= old" else _decided(WAYS[way], p)
        return list(_told(way, real, made, true))

    return run


def _drawn(rng: np.random.Generator, lives: int, real: float) -> tuple[Floats, Array, Array]:
    from scipy.special import bdtrc

    true = rng.random((lives, UPDATES)) < real
    wins, losses = (rng.binomial(1000, np.where(true, 0.05 + s * 0.015, 0.05)) for s in (1, -1))
    p = np.where(wins > 0, bdtrc(np.maximum(wins - 1, 0), wins + losses, 0.5), 1.0)
    return p, np.stack([wins, losses], axis=2), true


def _decided(make: Callable[[], Any], p: Floats) -> Array:
    """Return what is promoted (lives, updates): McNemar's p-value is at most the level of the moment."""
    made = np.zeros(p.shape, dtype=bool)
    for life, values in enumerate(p.tolist()):
        state = make()
        for at, value in enumerate(values):
            made[life, at] = passed = value <= state.level()
            state = state.record(passed)
    return made


def _told(way: str, real: float, made: Array, true: Array) -> Iterator[Cell]:
    lives, name = len(made), f"{way}, {real:.0%} real gains"
    through = "new >= old" if way == "new >= old" else "control, test"
    false = (made & ~true).sum(axis=1)
    ever, share = int((false > 0).sum()), false / np.maximum(made.sum(axis=1), 1)
    if way == "fdr":
        yield mean(LIFE, name, through, share, ALPHA, kind="at most", of="share of promotions that are false")
    elif way == "fwer":
        yield rate(LIFE, name, through, ever, lives, ALPHA, of="lives with a false promotion")
    else:
        yield mean(LIFE, name, through, share, ALPHA, kind="beside", of="share of promotions that are false")
    if way == "update":
        yield rate(LIFE, name, through, int(false.sum()), int((~true).sum()), ALPHA, of="false promotions per update")
    if real:
        power = (made & true).sum(axis=1) / np.maximum(true.sum(axis=1), 1)
        yield mean(LIFE, name, through, power, math.nan, kind="beside", of="power: real gains promoted")
