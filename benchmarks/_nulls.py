"""Updates in which nothing is to be gained, or too much is lost: how often the gate promotes all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from _cells import Cell, rate
from _draws import Field, classes, clinging, counted, disasters, in_order, outcomes, ranked, spells, values
from incumbent import Evidence, Gate, Slice
from incumbent.core import Challenger, Metric, PairedPredictions
from incumbent.gate.slices import GivenLoss
from incumbent.metrics import AUC, F1, MAE, RMSE, Accuracy, BalancedAccuracy, Brier, LogLoss
from incumbent.updating import choose

Work = tuple[str, Callable[[], Cell | list[Cell]]]
ALPHA = 0.05
EQUAL, MARGIN, REFRESH = "equal models", "worse by exactly the tolerance", "routine re-learning, promoted unless worse"
NEW = counted(4000, 200, 40)  # a gain beyond doubt, so that the condition on old rows decides
TOLD = Gate(tolerance=None)


def promoted(
    gate: Gate, metric: Metric, new: PairedPredictions, old: PairedPredictions | None = None, **more: Any
) -> bool:
    """Return whether the Gate itself promotes."""
    return gate(Evidence(metric, new, old, **more)).decision == "promote"


def hits(counts: Any, decide: Callable[[int, int], bool]) -> int:
    """Return how many updates are promoted, asking once for each pair of wins and losses."""
    seen, times = np.unique(counts, axis=0, return_counts=True)
    return int(sum(many for (b, c), many in zip(seen.tolist(), times.tolist(), strict=True) if decide(b, c)))


# --------------------------------------------------------------------------------------- equal models


def equal(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield cells with challengers that are exactly as good as the champion."""
    for differing in (0.05, 0.4) if quick else (0.01, 0.05, 0.2, 0.4):
        for rows in (200, 20_000) if quick else (200, 1000, 5000, 20_000):
            yield f"accuracy, {differing:.0%} differ, {rows:,} rows", _binary(runs, differing, rows, seed)
    for k in (1, 5, 20):
        for rows in (200,) if quick else (200, 5000):
            yield f"accuracy, best of {k} challengers, 10% differ, {rows:,} gate rows", _best_of(runs, k, rows, seed)
    yield from _scores(runs, quick, seed)
    yield from _dependent(runs, quick, seed)
    yield "a whole update of coin flips, three strategies", lambda: _coin_flips(runs, seed)


def _binary(runs: int, differing: float, rows: int, seed: int) -> Callable[[], Cell]:
    def run() -> Cell:
        counts = outcomes(np.random.default_rng([seed, rows]), runs, rows, differing / 2, differing / 2)
        false = hits(counts, lambda b, c: promoted(TOLD, Accuracy(), counted(rows, b, c)))
        return rate(EQUAL, f"accuracy, {differing:.0%} differ, {rows:,} rows", "Gate", false, runs, ALPHA)

    return run


def _best_of(runs: int, k: int, rows: int, seed: int) -> Callable[[], list[Cell]]:
    """Choose on select rows by the update's own choice; the chosen one meets other rows, and then the same ones."""

    def run() -> list[Cell]:
        rng, field, name = np.random.default_rng([seed, k]), Field(0.1), f"accuracy, best of {k} challengers"
        name += f", 10% differ, {rows:,} gate rows"
        select = field.draw(rng, runs, round(0.6 * rows), k)
        gains = (select[..., 0] - select[..., 1]) / round(0.6 * rows)
        best = np.array([_chosen(each) for each in gains.tolist()])
        at = np.arange(runs), best
        fresh, peek = field.draw(rng, runs, rows, k)[at], field.draw(rng, runs, rows, k)
        worst = peek[np.arange(runs), np.argmax(peek[..., 0] - peek[..., 1], axis=1)]

        def decide(b: int, c: int) -> bool:
            return promoted(TOLD, Accuracy(), counted(rows, b, c))

        cells = [rate(EQUAL, name, "choice, then Gate", hits(fresh, decide), runs, ALPHA)]
        if k > 1:
            told = f"{name}, chosen on the gate rows"
            cells.append(rate(EQUAL, told, "a wrong way", hits(worst, decide), runs, ALPHA, kind="beside"))
        naive = int((fresh[:, 0] >= fresh[:, 1]).sum())
        cells.append(rate(EQUAL, name, "new >= old", naive, runs, ALPHA, kind="beside"))
        return cells

    return run


class _Made:
    """Stands for a model that was trained: the choice only asks whether there is one."""


def _chosen(gains: list[float]) -> int:
    made: Any = _Made()
    tries = choose([Challenger(str(i), model=made, gain=gain) for i, gain in enumerate(gains)])
    return next(i for i, each in enumerate(tries) if each.chosen)


def _scores(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Other metrics, through the Gate for every update."""
    few = runs // 5 if quick else runs
    cells: list[tuple[str, Metric, Callable[[np.random.Generator], PairedPredictions], int]] = [
        ("Brier, binary, 200 rows", Brier(), lambda r: ranked(r, 200, rate=0.3), runs),
        ("Brier, binary, 2,000 rows", Brier(), lambda r: ranked(r, 2000, rate=0.3), runs),
        ("F1, binary, 400 rows", F1(), lambda r: ranked(r, 400, rate=0.2), few),
        ("AUC by DeLong, 2,000 rows", AUC(), lambda r: ranked(r, 2000, rate=0.4), few),
        ("AUC by bootstrap, 200 rows", AUC(), lambda r: ranked(r, 200, rate=0.4), few // 4),
        ("log loss, five classes, 500 rows", LogLoss(), lambda r: classes(r, 500), runs),
        ("accuracy, five classes, 1,500 rows", Accuracy(), lambda r: classes(r, 1500), runs),
        ("balanced accuracy, five classes, 500 rows", BalancedAccuracy(), lambda r: classes(r, 500), few // 4),
        ("squared error, Student's t with 3 degrees, 200 rows", RMSE(), lambda r: values(r, 200, tail=3), runs),
        ("squared error, Student's t with 3 degrees, 2,000 rows", RMSE(), lambda r: values(r, 2000, tail=3), runs),
        ("absolute error, Student's t with 1.5 degrees, 500 rows", MAE(), lambda r: values(r, 500, tail=1.5), runs),
        ("one row in 200 costs all, 200 rows", GivenLoss(1.0), lambda r: disasters(r, 200, chance=1 / 200), runs),
        ("one row in 200 costs all, 2,000 rows", GivenLoss(1.0), lambda r: disasters(r, 2000, chance=1 / 200), runs),
    ]
    for name, metric, draw, many in cells:
        yield name, _through_gate(name, metric, draw, many, seed)


def _through_gate(
    name: str, metric: Metric, draw: Callable[[np.random.Generator], PairedPredictions], runs: int, seed: int
) -> Callable[[], Cell]:
    def run() -> Cell:
        rng = np.random.default_rng([seed, len(name)])
        false = sum(promoted(TOLD, metric, draw(rng)) for _ in range(runs))
        return rate(EQUAL, name, "Gate", false, runs, ALPHA)

    return run


def _dependent(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Rows that resemble their neighbours, or those of their group; and what comes of not looking."""
    for rows, length in ((1000, 10),) if quick else ((1000, 3), (1000, 10), (1000, 30), (5000, 10), (5000, 100)):
        yield f"accuracy, spells of {length} rows, {rows:,} in time order", _spells(runs, rows, length, seed)
    name = "bounded loss, autoregression over 20 rows, 2,000 in time order"
    yield name, _through_gate(name, GivenLoss(1.0), lambda r: clinging(r, 2000, 20), runs, seed)
    yield "accuracy, groups of 10 rows, 1,000 rows", _groups(runs, seed)


def _spells(runs: int, rows: int, length: int, seed: int) -> Callable[[], list[Cell]]:
    def run() -> list[Cell]:
        rng, name = np.random.default_rng([seed, rows, length]), f"accuracy, spells of {length} rows, {rows:,} in time"
        false = blind = 0
        for _ in range(runs):
            pair = in_order(*spells(rng, rows, length))
            false += promoted(TOLD, Accuracy(), pair)
            blind += promoted(TOLD, Accuracy(), dataclasses.replace(pair, ordered=False))
        name += " order"
        ours = rate(EQUAL, name, "Gate", false, runs, ALPHA)
        return [ours, rate(EQUAL, name, "order not told", blind, runs, ALPHA, kind="beside")]

    return run


def _groups(runs: int, seed: int) -> Callable[[], list[Cell]]:
    def run() -> list[Cell]:
        rng, name, false, blind = np.random.default_rng([seed, 10]), "accuracy, groups of 10 rows, 1,000 rows", 0, 0
        for _ in range(runs):
            ours = np.repeat(rng.beta(0.5, 0.5, 100), 10)
            right, differ = rng.random(1000) < ours, rng.random(1000) < 0.3
            pair = in_order(differ & right, differ & ~right, block=np.repeat(np.arange(100), 10))
            false += promoted(TOLD, Accuracy(), pair)
            blind += promoted(TOLD, Accuracy(), dataclasses.replace(pair, block=None))
        return [
            rate(EQUAL, name, "Gate", false, runs, ALPHA),
            rate(EQUAL, name, "groups not told", blind, runs, ALPHA, kind="beside"),
        ]

    return run


def _coin_flips(runs: int, seed: int) -> Cell:
    """Labels are coin flips, so every model is right on half of the rows: champion, stand-ins and challengers alike."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    import incumbent

    def rows(at: int, many: int) -> pd.DataFrame:
        rng = np.random.default_rng([seed, at, many])
        return pd.DataFrame(rng.normal(size=(many, 4)), columns=list("abcd")).assign(label=rng.integers(0, 2, many))

    false, runs = 0, max(20, runs // 20)
    for at in range(runs):
        old = rows(at, 200)
        champion = LogisticRegression().fit(old.drop(columns="label"), old.label)
        given = {"data": old, "strategies": ["retrain", "window", "replay"], "gate": TOLD, "seed": at}
        found = incumbent.update(champion, rows(at, 401), target="label", budget=None, **given)
        false += found.decision == "promote"
    return rate(EQUAL, "a whole update of coin flips, three strategies", "incumbent.update", false, runs, ALPHA)


# ------------------------------------------------------------------------------------- at the margin


def margin(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield cells with challengers that lose exactly what is just not allowed on the old rows."""
    level = Gate().level(1)
    for losing in (0.03,) if quick else (0.011, 0.03, 0.15):
        for rows in (300, 1000) if quick else (300, 1000, 5000):
            name = f"accuracy, {2 * losing - 0.01:.1%} differ, {rows:,} old rows, first use"
            yield name, _at_margin(name, runs, losing, rows, level, seed)
    yield "absolute error, 1% worse, 2,000 old rows, first use", lambda: _relative(runs, level, seed)
    yield "accuracy of a protected slice, 500 rows of it", lambda: _slice(runs, level, seed)
    yield "equal on the new and worse on the old", lambda: _both(runs, seed)
    yield "ten uses of the same 1,000 old rows, any passed", lambda: _uses(runs // (10 if quick else 5), seed)


def refresh(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield how often routine re-learning is refused that is worse by no more than the tolerance, and by more."""
    for rows in (1000,) if quick else (300, 1000, 5000):
        for worse in (0.0, 0.01, 0.03):
            name = f"accuracy, worse by {100 * worse:.0f} points on {rows:,} new rows, 8% differ"
            yield name, _refused(name, runs, rows, worse, seed)


def _refused(name: str, runs: int, rows: int, worse: float, seed: int) -> Callable[[], Cell]:
    def run() -> Cell:
        win, lose = 0.04 - worse / 2, 0.04 + worse / 2
        counts = outcomes(np.random.default_rng([seed, 12, rows]), runs, rows, win, lose)
        gate, old = Gate.refresh(), counted(4000, 40, 40)

        def refuse(b: int, c: int) -> bool:
            return not promoted(gate, Accuracy(), counted(rows, b, c), old, routine="retrain")

        if worse > 0.01:
            return rate(REFRESH, name, "Gate", hits(counts, refuse), runs, ALPHA, kind="beside", of="refused, rightly")
        return rate(REFRESH, name, "Gate", hits(counts, refuse), runs, ALPHA, of="refused, wrongly")

    return run


def _at_margin(name: str, runs: int, losing: float, rows: int, level: float, seed: int) -> Callable[[], Cell]:
    def run() -> Cell:
        counts = outcomes(np.random.default_rng([seed, rows]), runs, rows, losing - 0.01, losing)
        false = hits(counts, lambda b, c: promoted(Gate(), Accuracy(), NEW, counted(rows, b, c)))
        return rate(MARGIN, name, "Gate", false, runs, level)

    return run


def _relative(runs: int, level: float, seed: int) -> Cell:
    """Hold errors against a margin that is a share of the champion's mean loss, which these rows only estimate."""
    rng, false = np.random.default_rng([seed, 7]), 0
    for _ in range(runs):
        shared, own = rng.random(2000), 0.2 * rng.random((2, 2000))
        old = paired_values(shared + own[0], 1.01 * (shared + own[1]))
        false += promoted(Gate(), MAE(), paired_values(np.full(400, 1.0), np.full(400, 0.5)), old)
    return rate(MARGIN, "absolute error, 1% worse, 2,000 old rows, first use", "Gate", false, runs, level)


def paired_values(first: Any, second: Any) -> PairedPredictions:
    """Return two regressions with these absolute errors."""
    from incumbent.core import Prediction

    return PairedPredictions(np.zeros(len(first)), Prediction(first), Prediction(second), clip=1.5)


def _slice(runs: int, level: float, seed: int) -> Cell:
    import pandas as pd

    x = pd.DataFrame({"region": np.repeat(["north", "south"], [500, 3500])})
    gate, counts = (
        Gate(slices=(Slice('region == "north"'),)),
        outcomes(np.random.default_rng([seed, 8]), runs, 500, 0.02, 0.03),
    )

    def decide(b: int, c: int) -> bool:
        y, at = np.zeros(4000, dtype=np.int8), np.arange(4000)
        won, lost = (at < b) | (at >= 3700), (at >= b) & (at < b + c)  # the other region gains
        pair = in_order(won, lost)
        return promoted(gate, Accuracy(), NEW, dataclasses.replace(pair, y=y, x=x, ordered=False))

    name = "accuracy of a protected slice, 500 rows of it"
    return rate(MARGIN, name, "Gate", hits(counts, decide), runs, level)


def _both(runs: int, seed: int) -> Cell:
    """No condition corrects for the other: that both are violated only makes a promotion rarer."""
    rng = np.random.default_rng([seed, 9])
    new, old = outcomes(rng, runs, 5000, 0.03, 0.03), outcomes(rng, runs, 3000, 0.05, 0.06)
    better = {tuple(each): promoted(TOLD, Accuracy(), counted(5000, *each)) for each in np.unique(new, axis=0).tolist()}
    gate, false = Gate(), 0
    for first, second in zip(new.tolist(), old.tolist(), strict=True):
        if better[tuple(first)]:
            false += promoted(gate, Accuracy(), counted(5000, *first), counted(3000, *second))
    return rate(MARGIN, "equal on the new and worse on the old", "Gate", false, runs, Gate().level(1))


def _uses(runs: int, seed: int) -> Cell:
    """Ten challengers in turn, each worse by the tolerance, on the same rows with what the champion said of them."""
    rng, gate, decided, false = np.random.default_rng([seed, 11]), Gate(), {}, 0
    wrong = rng.binomial(1000, 0.2, size=(runs, 1))
    wins, losses = rng.binomial(wrong, 0.02 / 0.2, (runs, 10)), rng.binomial(1000 - wrong, 0.03 / 0.8, (runs, 10))
    for at in range(runs):
        for use, (b, c) in enumerate(zip(wins[at].tolist(), losses[at].tolist(), strict=True), start=1):
            if b - c <= -10:
                continue  # below its margin no challenger can pass
            if (use, b, c) not in decided:
                pair = counted(1000, b, c)
                decided[use, b, c] = promoted(gate, Accuracy(), NEW, pair, anchor_use=use)
            if decided[use, b, c]:
                false += 1
                break
    return rate(MARGIN, "ten uses of the same 1,000 old rows, any passed", "Gate", false, runs, ALPHA)
