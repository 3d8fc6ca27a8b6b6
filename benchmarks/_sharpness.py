"""What the gate sees where there is something to see, the same tests by others, and how long it takes."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from _cells import Cell, distance, rate
from _draws import counted, outcomes, ranked
from _nulls import NEW, TOLD, hits, promoted
from incumbent import Evidence, Gate, Monitor, Slice
from incumbent.core import Floats, PairedPredictions
from incumbent.evidence import clopper_pearson_lower, clopper_pearson_upper, gain
from incumbent.gate.slices import GivenLoss, pairs_with_gains
from incumbent.metrics import AUC, F1, Accuracy, Brier, LogLoss

Work = tuple[str, Callable[[], Cell | list[Cell]]]
ALPHA = 0.05
POWER, PEERS, SPEED = "power beside the best there is", "the same test by others", "speed"
NEAR = 0.03
ROOM = 0.06
"""What the room for a row that did not turn up costs at a margin, which Tango's score does not leave."""
STATSMODELS = importlib.util.find_spec("statsmodels") is not None
"""It is no dependency of ours: without it, its cells are left out."""


def _beside(name: str, through: str, value: float) -> Cell:
    return Cell(POWER, name, through, "power", value, value, value, math.nan, "beside", 1)


# --------------------------------------------------------------------------------------------- power


def power(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield how often a real gain is promoted, beside the optimum of the test that is used."""
    settings = [(200, 0.12, 0.05), (1000, 0.06, 0.04), (5000, 0.012, 0.008), (20_000, 0.055, 0.05)]
    for rows, win, lose in settings[: 1 if quick else None]:
        name = f"accuracy, {win:.1%} won and {lose:.1%} lost of {rows:,} rows"
        yield name, _mcnemar(name, runs, rows, win, lose, seed)
    for rows, same in ((1000, 0.02),) if quick else ((1000, 0.02), (3000, 0.02), (5000, 0.08)):
        name = f"not worse by a point: {same:.0%} won and lost of {rows:,} old rows"
        yield name, _not_worse(name, runs, rows, same, seed)
    yield "AUC by DeLong, 2,000 rows", lambda: _delong(max(100, runs // 4), seed)
    yield "bounded loss, 300 rows", lambda: _mean(max(100, runs // 4), seed)
    yield "F1, 2,000 rows", lambda: _f1(max(40, runs // 10), seed)
    yield "live rows until a decision", lambda: _live(max(40, runs // 25), seed)


def _mcnemar(name: str, runs: int, rows: int, win: float, lose: float, seed: int) -> Callable[[], list[Cell]]:
    def run() -> list[Cell]:
        counts = outcomes(np.random.default_rng([seed, 41, rows]), runs, rows, win, lose)
        seen = hits(counts, lambda b, c: promoted(TOLD, Accuracy(), counted(rows, b, c)))
        best = _exact_power(rows, win, lose)
        ours = rate(POWER, name, "Gate", seen, runs, best - NEAR, kind="at least", of="power")
        return [ours, _beside(name, "McNemar, computed exactly", best)]

    return run


def _exact_power(rows: int, win: float, lose: float) -> float:
    """Return the power of McNemar's exact test: the sum over all numbers of differing rows."""
    from scipy.stats import binom

    n = np.arange(rows + 1)
    enough = binom.isf(ALPHA, n, 0.5) + 1  # the fewest wins that reject
    return float((binom.pmf(n, rows, win + lose) * binom.sf(enough - 1, n, win / (win + lose))).sum())


def _not_worse(name: str, runs: int, rows: int, same: float, seed: int) -> Callable[[], list[Cell]]:
    def run() -> list[Cell]:
        counts = outcomes(np.random.default_rng([seed, 42, rows]), runs, rows, same, same)
        gate = Gate()
        seen = hits(counts, lambda b, c: promoted(gate, Accuracy(), NEW, counted(rows, b, c)))
        best = _score_power(rows, same, gate.level(1))
        ours = rate(POWER, name, "Gate", seen, runs, best - ROOM, kind="at least", of="power")
        return [ours, _beside(name, "Tango's score, computed exactly", best)]

    return run


def _score_power(rows: int, same: float, alpha: float) -> float:
    """Return the power of the score test at a margin of one point, summed over all numbers of wins and losses."""
    from scipy.stats import binom, norm

    c = np.arange(rows + 1)
    c = c[binom.pmf(c, rows, same) > 1e-9]
    b = np.arange(math.ceil(3 * rows * same) + 30)
    mass = binom.pmf(c, rows, same) * binom.pmf(b[:, None], rows - c, same / (1 - same))
    return float((mass * (_tango(b[:, None], c, rows, -0.01) >= norm.isf(alpha))).sum())


def _tango(wins: Any, losses: Any, rows: int, margin: float) -> Any:
    """Return Tango's score statistic (1998) that the gain is `margin`; it is large if the gain is larger."""
    # 2 n q**2 - (b + c - (2 n - b + c) margin) q - c margin (1 - margin) = 0 has the restricted estimate as its root
    middle = wins + losses - (2 * rows - wins + losses) * margin
    inner = np.square(middle) + 8.0 * rows * losses * margin * (1.0 - margin)
    q = (middle + np.sqrt(np.maximum(inner, 0.0))) / (4.0 * rows)
    return (wins - losses - rows * margin) / np.sqrt(np.maximum(rows * (2.0 * q + margin * (1.0 - margin)), 1e-300))


def _delong(runs: int, seed: int) -> list[Cell]:
    from scipy.stats import norm

    rng, name = np.random.default_rng([seed, 43]), "AUC by DeLong, 2,000 rows"
    pairs = (ranked(rng, 2000, rate=0.4, gain=0.1) for _ in range(runs))
    found = [(gain(pair, AUC(), alpha=ALPHA).value, promoted(TOLD, AUC(), pair)) for pair in pairs]
    values = np.array([value for value, _ in found])
    best = float(norm.cdf(values.mean() / values.std() - norm.isf(ALPHA)))
    seen = sum(passed for _, passed in found)
    ours = rate(POWER, name, "Gate", seen, runs, best - NEAR, kind="at least", of="power")
    return [ours, _beside(name, "a z-test that knows the variance", best)]


def _mean(runs: int, seed: int) -> list[Cell]:
    """Compare with the bound's own definition, 4,000 random weightings of rows and worst row; and with Student's t."""
    from scipy.stats import ttest_1samp

    rng, name = np.random.default_rng([seed, 44]), "bounded loss, 300 rows"
    d = rng.beta(2, 6, (runs, 300)) - rng.beta(2, 6.6, (runs, 300))
    seen = sum(promoted(TOLD, GivenLoss(1.0), pairs_with_gains(each)) for each in d)
    weight = rng.standard_exponential((4000, 301))
    weight /= weight.sum(axis=1, keepdims=True)
    drawn = weight @ np.concatenate([d, np.full((runs, 1), -1.0)], axis=1).T
    best = float((np.quantile(drawn, ALPHA, axis=0) > 0).mean())
    student = float((ttest_1samp(d, 0.0, axis=1, alternative="greater").pvalue <= ALPHA).mean())
    return [
        rate(POWER, name, "Gate", seen, runs, best - NEAR, kind="at least", of="power"),
        _beside(name, "its bound, by simulation", best),
        _beside(name, "Student's t, no room for a worst row", student),
    ]


def _f1(runs: int, seed: int) -> list[Cell]:
    from scipy.stats import norm

    rng, name = np.random.default_rng([seed, 45]), "F1, 2,000 rows"
    pairs = (ranked(rng, 2000, rate=0.4, gain=0.25) for _ in range(runs))
    found = [(gain(pair, F1(), alpha=ALPHA).value, promoted(TOLD, F1(), pair)) for pair in pairs]
    values = np.array([value for value, _ in found])
    best = float(norm.cdf(values.mean() / values.std() - norm.isf(ALPHA)))
    seen = sum(passed for _, passed in found)
    ours = rate(POWER, name, "Gate", seen, runs, best - NEAR, kind="at least", of="power")
    return [ours, _beside(name, "a z-test that knows the variance", best)]


def _live(runs: int, seed: int) -> list[Cell]:
    """Rows until a Monitor decides, beside one gambler who knows the gain and may look as often."""
    rng, name, rows = np.random.default_rng([seed, 46]), "live rows until a decision: 6% won and 4% lost", 40_000
    enough, best = -math.log(ALPHA), 0.02 / 0.1
    ours, oracle = [], []
    for _ in range(runs):
        d = rng.choice([1.0, -1.0, 0.0], rows, p=[0.06, 0.04, 0.9])
        ours.append(_first(Monitor(alpha=ALPHA).tally.path(d, 0.0) >= enough))
        oracle.append(_first(np.cumsum(np.log1p(best * d)) >= enough))
    told = [("Monitor", float(np.median(ours))), ("a gambler who knows the gain", float(np.median(oracle)))]
    return [Cell(POWER, name, who, "rows, median", n, n, n, math.nan, "beside", runs) for who, n in told]


def _first(reached: Any) -> int:
    return int(reached.argmax()) + 1 if reached.any() else len(reached)


# --------------------------------------------------------------------------------------------- peers


def peers(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield how far our numbers are from those of scipy and statsmodels."""
    yield "exact McNemar", _peer_mcnemar
    if STATSMODELS:
        yield "Clopper and Pearson", _peer_share
    yield "paired mean", lambda: _peer_t(seed)
    yield "AUC", lambda: _peer_auc(seed)
    yield "bootstrap of F1", lambda: _peer_bootstrap(seed)


def _peer_mcnemar() -> Cell:
    from scipy.stats import binomtest

    apart = 0
    for b, c in _TABLES:
        ours = gain(counted(200, b, c), Accuracy(), alpha=ALPHA).lower > 0
        apart += ours != (binomtest(b, b + c, alternative="greater").pvalue <= ALPHA)
    return distance(PEERS, "exact McNemar", "scipy.stats.binomtest", apart, 0.5, of=_DIFFER, runs=len(_TABLES))


_TABLES = [(b, c) for b in range(0, 60, 3) for c in range(0, 60, 3) if b + c]
_DIFFER = "distance: decisions that differ"


def _peer_share() -> Cell:
    from statsmodels.stats.proportion import proportion_confint

    apart, cases = 0.0, [(k, n) for n in (1, 20, 300, 5000) for k in {0, 1, n // 7, n // 2, n}]
    for k, n in cases:
        low, high = proportion_confint(k, n, alpha=2 * ALPHA, method="beta")
        ours = clopper_pearson_lower(k, n, alpha=ALPHA), clopper_pearson_upper(k, n, alpha=ALPHA)
        apart = max(apart, abs(ours[0] - np.nan_to_num(low)), abs(ours[1] - np.nan_to_num(high, nan=1.0)))
    name, peer = "Clopper and Pearson, negative flips", "statsmodels proportion_confint"
    return distance(PEERS, name, peer, apart, 1e-9, of="distance of bounds", runs=len(cases))


def _peer_t(seed: int) -> Cell:
    from scipy.stats import ttest_1samp

    d = np.random.default_rng([seed, 52]).normal(0.0, 0.2, 200_000).clip(-1, 1)
    found = gain(pairs_with_gains(d), GivenLoss(1.0), alpha=ALPHA)
    low = float(ttest_1samp(d, 0.0, alternative="greater").confidence_interval(1 - ALPHA).low)
    apart = abs(found.lower - low) / (found.value - low)
    name = "paired mean of 200,000 rows, and one row more"
    return distance(PEERS, name, "scipy.stats.ttest_1samp", apart, 0.05, of="distance of bounds in half-widths")


def _peer_auc(seed: int) -> Cell:
    from scipy.stats import mannwhitneyu

    pair = ranked(np.random.default_rng([seed, 53]), 3000, rate=0.3)
    score = pair.champion.proba
    assert score is not None, "these models give probabilities"
    truth = pair.y == 1
    theirs = float(mannwhitneyu(score[truth, 1], score[~truth, 1]).statistic) / truth.sum() / (~truth).sum()
    apart = abs(AUC().score(pair.y, pair.champion) - theirs)
    return distance(PEERS, "AUC", "scipy.stats.mannwhitneyu", apart, 1e-9, of="distance of scores")


def _peer_bootstrap(seed: int) -> Cell:
    from scipy.stats import bootstrap

    pair = ranked(np.random.default_rng([seed, 54]), 3000, rate=0.4)
    y, first, second = (np.asarray(each) for each in (pair.y, pair.champion.label, pair.challenger.label))

    def f1(truth: Floats, label: Floats) -> Any:
        return 2.0 * (truth * label).sum(axis=-1) / (truth + label).sum(axis=-1)

    found = bootstrap(
        (y, first, second),
        lambda t, a, b, axis=-1: f1(t, b) - f1(t, a),
        paired=True,
        vectorized=True,
        n_resamples=5000,
        batch=250,
        confidence_level=1 - 2 * ALPHA,
        method="percentile",
        rng=np.random.default_rng([seed, 55]),
    ).confidence_interval
    ours = gain(pair, F1(), alpha=ALPHA)
    apart = max(abs(ours.lower - found.low), abs(ours.upper - found.high)) / (found.high - found.low) * 2
    name = "F1 of 3,000 rows, and one row more"
    return distance(PEERS, name, "scipy.stats.bootstrap", float(apart), 0.2, of="distance of bounds in half-widths")


# --------------------------------------------------------------------------------------------- speed


def speed(runs: int, quick: bool, seed: int) -> Iterator[Work]:
    """Yield the CPU seconds of a full gate: new rows, old rows and twenty slices."""
    rows = 20_000 if quick else 100_000
    for name, metric, texts in (
        ("F1 by bootstrap", F1(), False),
        ("F1 by bootstrap, labels are texts", F1(), True),
        ("accuracy", Accuracy(), False),
        ("log loss", LogLoss(), False),
        ("Brier", Brier(), False),
        ("AUC", AUC(), False),
    ):
        told = f"{name}, {rows:,} rows and 20 slices"
        yield told, _gate_speed(told, metric, rows, seed, texts=texts, promised=name.startswith("F1"))


def _gate_speed(
    name: str, metric: Any, rows: int, seed: int, *, texts: bool, promised: bool
) -> Callable[[], list[Cell]]:
    def run() -> list[Cell]:
        pair, gate = _sliced(rows, seed, texts=texts), Gate(slices=_SLICES, max_flips=0.5)
        gate(Evidence(metric, pair, pair))  # imports and first uses
        spent = []
        for _ in range(3):
            begun = time.process_time()
            verdict = gate(Evidence(metric, pair, pair))
            spent.append(time.process_time() - begun)
        assert len(verdict.reasons) == 23, "twenty slices and three conditions"
        best, of = min(spent), "seconds of CPU"
        kind, limit = ("within", 2.0) if promised else ("beside", math.nan)
        return [Cell(SPEED, name, "Gate", of, best, best, best, limit, kind, 3)]

    return run


_SLICES = (
    Slice("region"),
    Slice("plan"),
    Slice("amount"),
    Slice("age > 60"),
    Slice('region == "r0" and amount > 0'),
    Slice("age <= 30 or amount > 1"),
    Slice("visits > 3"),
)
"""Ten regions, two plans, quarters of an amount, and four conditions: twenty."""


def _sliced(rows: int, seed: int, *, texts: bool) -> PairedPredictions:
    import pandas as pd

    rng = np.random.default_rng([seed, 61])
    pair = ranked(rng, rows, rate=0.3)
    x = pd.DataFrame(
        {
            "region": rng.choice([f"r{i}" for i in range(10)], rows),
            "plan": rng.choice(["free", "pro"], rows),
            "amount": rng.normal(size=rows),
            "age": rng.integers(18, 90, rows),
            "visits": rng.poisson(2.0, rows),
        }
    )
    if texts:
        names = np.array(["no", "yes"], dtype=object)
        said = (
            dataclasses.replace(each, label=names[each.label], classes=names)
            for each in (pair.champion, pair.challenger)
        )
        pair = PairedPredictions(names[pair.y], *said)
    return dataclasses.replace(pair, x=x)
