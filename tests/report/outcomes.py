"""Realistic outcomes for the report's tests: the predictions of two models are simulated, everything else follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from incumbent.core import (
    AnchorSet,
    Challenger,
    Comparison,
    Interval,
    Memory,
    Outcome,
    PairedPredictions,
    Prediction,
    Reason,
    Recipe,
    ReplayRows,
    Verdict,
)
from incumbent.report import ReportRenderer


@dataclass(frozen=True)
class Champion:
    """Stands in for an adapter: a report asks it only what it predicts."""

    task: str = "classification"
    classes: Any = None
    native: Any = "the live model"


@dataclass(frozen=True)
class Finding:
    level: str
    column: str
    text: str


@dataclass(frozen=True)
class Check:
    findings: tuple[Finding, ...] = ()
    rows: int = 0
    columns: int = 0
    digest: str = ""
    source: str = ""


CHECK = Check(
    findings=(
        Finding(
            "warning",
            "nswdemand",
            "11 values of 'nswdemand' lie outside the range seen in training (0 to 1): the largest is 1.31.",
        ),
        Finding("note", "day", "'day' is read as a category, as in training."),
        Finding("note", "", "27 rows repeat earlier rows; they train but never judge."),
    ),
    rows=5000,
    columns=8,
    digest="sha256:5bb1a1d2a0f0a7b9c4b43e5f0e8ff2c1d0a39b1c",
    source="elec2_batch_07.parquet",
)
ROWS = {
    "read": 5000, "train": 2984, "select": 746, "gate": 1243, "anchor": 2000, "memory": 5000,
    "duplicate": 27, "contradictory": 4, "known": 12, "leaked": 0,
}  # fmt: skip
COST = {"read": 0.031, "check": 0.062, "prequential": 0.21, "fit": 8.43, "compare": 0.52, "gate": 0.08, "total": 9.34}


def probabilities(y: np.ndarray, k: int, skill: float, seed: int) -> np.ndarray:
    """Class probabilities of a model that leans towards the truth by `skill`."""
    noise = np.random.default_rng(seed).normal(size=(len(y), k))
    noise[np.arange(len(y)), y] += skill
    raised = np.exp(noise - noise.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _predict(y: np.ndarray, classes: np.ndarray, skill: float, seed: int) -> Prediction:
    proba = probabilities(y, len(classes), skill, seed)
    return Prediction(classes[proba.argmax(axis=1)], proba, classes)


def _scores(y: np.ndarray, predicted: Prediction) -> dict[str, float]:
    right = predicted.label == y
    at = np.searchsorted(predicted.classes, y)
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[y == c].mean() for c in np.unique(y)])),
        "log_loss": float(-np.log(predicted.proba[np.arange(len(y)), at]).mean()),
        "calibration_error": float(abs(predicted.proba.max(axis=1).mean() - right.mean())),
    }


def _interval(gain: np.ndarray, alpha: float = 0.05, test: str = "paired t") -> Interval:
    mean, error = float(gain.mean()), float(gain.std() / math.sqrt(len(gain)))
    return Interval(mean, mean - 1.645 * error, mean + 1.645 * error, alpha, test, len(gain))


def classified(name: str, n: int, classes: np.ndarray, skills: tuple[float, float], seed: int) -> Comparison:
    """Champion and challenger on `n` rows, of these two skills."""
    at = np.random.default_rng(seed).choice(len(classes), n, p=_shares(len(classes)))
    y = classes[at]
    old, new = (_predict(at, classes, skill, seed + i + 1) for i, skill in enumerate(skills))
    gain = (new.label == y).astype(float) - (old.label == y).astype(float)
    per_class = {
        str(c): (float((old.label[y == c] == c).mean()), float((new.label[y == c] == c).mean()), int((y == c).sum()))
        for c in classes
        if (y == c).any()
    }
    source = "holdout" if name == "new" else "anchor"
    return Comparison(
        name,
        _scores(y, old),
        _scores(y, new),
        _interval(gain, test="McNemar, exact"),
        per_class,
        PairedPredictions(y, old, new, source),
    )


def _shares(k: int) -> np.ndarray:
    share = 1.0 / (2.0 + np.arange(k))
    return share / share.sum()


def reasons(new: Interval, old: Interval | None, tolerance: float = 0.01) -> tuple[Reason, ...]:
    """What a gate would say of these two intervals, and of the time that a prediction takes."""
    found = [
        Reason(
            "better on the new rows", new.lower, 0.0, new.lower > 0, new.upper < 0,
            f"The gain on the new rows is at least {new.lower:+.4f}; it has to be above 0.", new,
        )
    ]  # fmt: skip
    if old is not None:
        found.append(
            Reason(
                "not worse on the old rows", old.lower, -tolerance, old.lower > -tolerance, old.upper < -tolerance,
                f"The change on the old rows is at least {old.lower:+.4f}; it has to be above {-tolerance}.", old,
            )
        )  # fmt: skip
    found.append(Reason("latency", 3.1, 5.0, True, False, "A prediction takes 3.1 us per row; the limit is 5."))
    return tuple(found)


def challengers() -> tuple[Challenger, ...]:
    """Five tries: the one chosen, two that were worse, one that failed, one with a note."""
    return (
        Challenger(
            "chain(Replay(2000), Incremental(optimizer='adagrad'))",
            Recipe().replace(replay=ReplayRows(2000), optimizer="adagrad", epochs=3),
            object(), 1.42, 4984, 0.0301, 0.871, True,
        ),
        Challenger(
            "Retrain()", Recipe().replace(start="scratch", replay=ReplayRows()), object(), 5.2, 7984, 0.0212, 0.862
        ),
        Challenger(
            "Recency(2000)", Recipe().replace(start="scratch", half_life=2000), object(), 1.4, 7984, 0.0051, 0.846
        ),
        Challenger(
            "Window(1000)", Recipe().replace(start="scratch", window=1000), object(), 0.31, 1000, -0.0142, 0.829,
            notes=("The window holds no row of class 'UP' before Tuesday.",),
        ),
        Challenger("EWC(10.0)", error="RandomForestClassifier lacks ['gradient'], which EWC(10.0) needs."),
    )  # fmt: skip


def lineage() -> tuple[dict[str, Any], ...]:
    """Four earlier events, newest first."""
    now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    events = (
        ("update", "reject", "Retrain()", 3, 3, -0.0021, ""),
        ("rollback", "", "", 4, 3, None, "Complaints from the night shift"),
        ("update", "promote", "AppendTrees(rounds=50)", 3, 4, 0.0104, ""),
        ("init", "", "", 0, 1, None, "First version"),
    )
    names = ("kind", "decision", "strategy", "version_before", "version_after", "gain", "why")
    return tuple(
        {"time": now - timedelta(days=9 * i), "user": "maria", **dict(zip(names, event, strict=True))}
        for i, event in enumerate(events)
    )


PREQUENTIAL = {
    "champion": {"accuracy": 0.8412, "kappa": 0.662, "temporal_kappa": -0.031},
    "Window(1000)": {"accuracy": 0.8327, "kappa": 0.651, "temporal_kappa": -0.084},
    "no change": {"accuracy": 0.8460, "kappa": 0.684, "temporal_kappa": 0.0},
}


def _outcome(verdict: Verdict, comparisons: dict[str, Comparison], metric: str, **changes: Any) -> Outcome:
    whole = Outcome(
        decision=verdict.decision, model="the live model", verdict=verdict, challengers=challengers(),
        champion=Champion(), metric=metric, comparisons=comparisons, prequential=PREQUENTIAL, check=CHECK, rows=ROWS,
        cost=COST, memory=Memory(), anchor=AnchorSet(), seed=7, name="electricity", version_before=3, version_after=4,
        update="3f9ac2d1", lineage=lineage(), renderer=ReportRenderer(),
    )  # fmt: skip
    return whole.replace(**changes)


PROMISE = "Shown better on unseen new rows and not worse on old ones, each wrongly at most 5 times in 100."


def binary(**changes: Any) -> Outcome:
    """A promotion: two classes, better on the new rows and no worse on the old."""
    classes = np.array(["DOWN", "UP"])
    new = classified("new", 1243, classes, (1.9, 2.8), 1)
    old = classified("anchor", 2000, classes, (2.4, 2.45), 9)
    verdict = Verdict("promote", reasons(new.interval, old.interval, 0.02), PROMISE, "anchor", 0.0182, 310)
    return _outcome(verdict, {"new": new, "anchor": old}, "accuracy").replace(**changes)


def multiclass(k: int = 5, **changes: Any) -> Outcome:
    """A rejection: the challenger learned the new rows and forgot the old."""
    classes = np.array([f"species {i:02d}" for i in range(k)])
    new = classified("new", 900, classes, (2.2, 3.0), 3)
    old = classified("anchor", 3000, classes, (3.0, 2.3), 5)
    advice = (
        "Learn with more memory: Replay(5000) keeps old classes in sight.",
        "Look at the labels of the 41 rows of 'species 02' that only the champion gets right.",
    )
    verdict = Verdict("reject", reasons(new.interval, old.interval), PROMISE, "anchor", 0.0341, 240, advice)
    return _outcome(verdict, {"new": new, "anchor": old}, "accuracy", version_after=3).replace(**changes)


def regressed(name: str, n: int, spreads: tuple[float, float], seed: int) -> Comparison:
    """Champion and challenger on `n` rows of a target, with errors of these two spreads."""
    random = np.random.default_rng(seed)
    y = random.gamma(2.0, 90.0, n)
    old, new = (Prediction(y + random.normal(0, spread, n) * (0.3 + y / 250)) for spread in spreads)
    loss = [np.abs(y - predicted.label) for predicted in (old, new)]

    def scores(predicted: Prediction) -> dict[str, float]:
        error = y - predicted.label
        return {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
            "r2": float(1 - (error**2).sum() / ((y - y.mean()) ** 2).sum()),
        }

    source = "holdout" if name == "new" else "crossfit"
    return Comparison(
        name, scores(old), scores(new), _interval(loss[0] - loss[1]), {}, PairedPredictions(y, old, new, source)
    )


def regression(**changes: Any) -> Outcome:
    """Inconclusive: a small gain on few rows."""
    new, old = regressed("new", 400, (40.0, 39.5), 12), regressed("anchor", 2600, (38.0, 38.2), 8)
    advice = ("Wait for about 5,400 gate rows: they would show the gain that was seen.", "Try Tune(20): no search yet.")
    verdict = Verdict("inconclusive", reasons(new.interval, old.interval, 2.0), PROMISE, "crossfit", 2.91, 5400, advice)
    plain = {"champion": Champion("regression"), "version_after": 3, "prequential": {}}
    return _outcome(verdict, {"new": new, "anchor": old}, "mae", **plain).replace(**changes)


def without_anchor(**changes: Any) -> Outcome:
    """An update in memory that had no old rows to be judged on."""
    whole = binary(name="", version_before=0, version_after=0, update="", lineage=())
    new = whole.comparisons["new"]
    verdict = Verdict("promote", reasons(new.interval, None), PROMISE, "", 0.0182, None)
    return whole.replace(verdict=verdict, comparisons={"new": new}).replace(**changes)


def failed(**changes: Any) -> Outcome:
    """Every try failed: no challenger, no comparison, no number."""
    tries = (
        Challenger("EWC(10.0)", error="RandomForestClassifier lacks ['gradient'], which EWC(10.0) needs."),
        Challenger("Retrain()", Recipe().replace(start="scratch"), None, 0.2, 2984, error="Input X contains NaN."),
    )
    verdict = Verdict("inconclusive", (), "", "", math.nan, None)
    return _outcome(verdict, {}, "accuracy", challengers=tries, prequential={}, lineage=(), version_after=3).replace(
        **changes
    )


def hostile(**changes: Any) -> Outcome:
    """Data that would like to be markup: every text from outside carries a script."""
    script = "<script>alert('x')</script>\"'><img src=http://evil.example/x onerror=alert(1)>"
    whole = multiclass(3)
    classes = np.array([f"{script}{i}" for i in range(3)])
    new, old = (classified(name, 300, classes, (2.0, 2.4), 2) for name in ("new", "anchor"))
    reason = Reason(script, 0.01, 0.0, True, False, script, new.interval)
    tries = (
        Challenger(script, Recipe().replace(window=script), None, 1.0, 10, 0.1, 0.5, True, (script,), ""),
        Challenger(script, None, None, error=script),
    )
    return whole.replace(
        verdict=Verdict("reject", (reason,), script, script, 0.01, 5, (script,)), challengers=tries, metric=script,
        comparisons={
            "new": Comparison("new", {script: 0.5}, {script: 0.6}, new.interval, new.per_class, new.paired),
            "anchor": Comparison("anchor", {script: 0.5}, {script: 0.6}, old.interval, old.per_class, old.paired),
        },
        prequential={script: {script: 0.5}}, name=script, update=script, cost={script: 1.0},
        check=Check((Finding("warning", script, script),), 3, 1, script, script),
        lineage=({"kind": script, "why": script, "user": script, "strategy": script, "decision": script},),
    ).replace(**changes)  # fmt: skip


EVERY = {
    "binary": binary,
    "multiclass": multiclass,
    "forty classes": lambda: multiclass(40),
    "regression": regression,
    "without anchor": without_anchor,
    "failed": failed,
    "hostile": hostile,
}
__all__ = ["EVERY", "binary", "failed", "hostile", "multiclass", "regression", "without_anchor"]
