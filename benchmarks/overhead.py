"""The share of an update's wall time that is not the estimator's own work, at 50,000 rows of 20 columns; at most 15 %.

Every call of the estimator's `fit`, `partial_fit`, `predict`, `predict_proba` and `transform` is timed, and so are
the gradient steps that take the place of `fit` where a linear model is moved from where it stands. What is left is
ours: reading and checking rows, splitting, comparing, judging, remembering; with a registry, storing and reporting too.

    python benchmarks/overhead.py [--only SUBSTRING] [--quick] [--seeds N] [--json]
"""

from __future__ import annotations

import functools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

import incumbent
from _common import Column, Options, Table, cpu_seconds, line, options, print_lines

ROWS, COLUMNS, OLD = 50_000, 20, 10_000
LIMIT = 0.15
WORK = ("fit", "partial_fit", "fit_transform", "transform", "predict", "predict_proba", "decision_function")


# --------------------------------------------------------------------------------------------- timing


class Stopwatch:
    """Adds up the wall time of calls; a call within a call is counted once."""

    def __init__(self) -> None:
        self.seconds, self.depth = 0.0, 0

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same callable, timed."""

        @functools.wraps(call)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.depth += 1
            begun = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - begun

        return wrapper


@contextmanager
def recorded(native: Any) -> Iterator[Stopwatch]:
    """Time the work of an estimator and of its steps while the block runs."""
    watch, undo = Stopwatch(), []
    for owner, name in _work_of(native):
        had, before = name in vars(owner), getattr(owner, name)
        setattr(owner, name, watch.timed(before))
        undo.append((owner, name, had, before))
    try:
        yield watch
    finally:
        for owner, name, had, before in reversed(undo):
            setattr(owner, name, before) if had else delattr(owner, name)


def _work_of(native: Any) -> Iterator[tuple[Any, str]]:
    """Yield where each piece of work is looked up: the estimators' classes, LightGBM's own, our gradient steps."""
    from incumbent.models.tables import _linear

    parts = [native, *(step for _, step in getattr(native, "steps", ()))]
    for kind in dict.fromkeys(type(part) for part in parts):
        yield from ((kind, name) for name in WORK if hasattr(kind, name))
    if type(native).__module__.startswith("lightgbm"):
        import lightgbm

        yield lightgbm, "train"
        yield from ((lightgbm.Booster, name) for name in ("predict", "refit", "update"))
    yield from ((_linear, name) for name in ("descend", "choose_rate"))


# -------------------------------------------------------------------------------------------- subjects


def champions(seed: int) -> dict[str, Any]:
    """Return unfitted estimators of several speeds, each with its usual settings."""
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "lightgbm": LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed),
        "hist gradient boosting": HistGradientBoostingClassifier(max_iter=50, random_state=seed),
        "random forest": RandomForestClassifier(random_state=seed),
    }


def rows(count: int, *, turn: float, seed: int) -> pd.DataFrame:
    """Return generated rows: a linear rule with one product of columns, and noise; `turn` moves it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, COLUMNS))
    score = x @ np.linspace(-1.0, 1.0, COLUMNS) + 2.0 * x[:, 0] * x[:, 1] + turn * x[:, 2] + rng.normal(size=count)
    frame = pd.DataFrame(x, columns=[f"c{i}" for i in range(COLUMNS)])
    return frame.assign(target=(score > 0).astype(int))


@dataclass(frozen=True)
class Measured:
    """One update: its wall and CPU seconds, those inside the estimator, and those of one retraining."""

    wall: float
    cpu: float
    inside: float
    retrain: float
    decision: str

    @property
    def overhead(self) -> float:
        """The share of the wall time that is not the estimator's."""
        return 1.0 - self.inside / self.wall


def in_memory(native: Any, old: pd.DataFrame, new: pd.DataFrame, strategies: str) -> Callable[[], Any]:
    """Return an update without a registry, ready to run."""
    return lambda: incumbent.update(native, new, target="target", data=old, strategies=strategies, budget=None)


def in_registry(native: Any, old: pd.DataFrame, new: pd.DataFrame, strategies: str, folder: str) -> Callable[[], Any]:
    """Return an update of a registered model, ready to run."""
    registry = incumbent.Registry(folder)
    name = f"model-{time.monotonic_ns()}"
    registry.init(name, native, old, target="target")
    return lambda: registry.update(name, new, strategies=strategies, budget=None)


def measure(model: str, way: str, strategies: str, *, count: int, seed: int, folder: str) -> Measured:
    """Run one update under the stopwatch, after a small one that pays for imports and first uses."""
    old, new = rows(OLD, turn=0.0, seed=seed), rows(count, turn=1.0, seed=seed + 1)
    native = champions(seed)[model]
    native.fit(old.drop(columns="target"), old["target"])
    for rehearsal in (True, False):
        given = new.head(1_000) if rehearsal else new
        ready = (
            in_memory(native, old, given, strategies)
            if way == "in memory"
            else in_registry(native, old, given, strategies, folder)
        )
        with recorded(native) as watch:
            begun, cpu = time.perf_counter(), cpu_seconds()
            outcome = ready()
            wall, cpu = time.perf_counter() - begun, cpu_seconds() - cpu
    everything = pd.concat([old, new], ignore_index=True)
    begun = cpu_seconds()
    clone(native).fit(everything.drop(columns="target"), everything["target"])
    return Measured(wall, cpu, watch.seconds, cpu_seconds() - begun, outcome.decision)


# --------------------------------------------------------------------------------------------- results


def results(chosen: Options) -> Iterator[dict[str, object]]:
    """Yield a line for every model, way and choice of strategies."""
    count = ROWS // 10 if chosen.quick else ROWS
    names = ("logistic regression", "lightgbm") if chosen.quick else tuple(champions(0))
    with tempfile.TemporaryDirectory() as folder:
        for model in names:
            for way in ("in memory",) if chosen.quick else ("in memory", "registry"):
                for strategies in ("retrain", "auto"):
                    if chosen.wants(f"{model} {way} {strategies}"):
                        yield from _lines(model, way, strategies, count, chosen, folder)


def _lines(
    model: str, way: str, strategies: str, count: int, chosen: Options, folder: str
) -> Iterator[dict[str, object]]:
    for seed in range(chosen.seeds):
        found = measure(model, way, strategies, count=count, seed=seed, folder=folder)
        chosen.say(f"  {model}, {way}, {strategies}: {found.overhead:.0%} of {found.wall:.1f} s")
        yield line(
            "overhead",
            f"generated {count}x{COLUMNS}",
            f"{model}, {way}, {strategies}",
            "overhead_share",
            found.overhead,
            seconds=found.cpu,
            share=found.cpu / found.retrain,
            model=model,
            way=way,
            strategies=strategies,
            seed=seed,
            wall=found.wall,
            ours=found.wall - found.inside,
            inside=found.inside,
            decision=found.decision,
            limit=LIMIT,
            holds=found.overhead <= LIMIT,
        )


COLUMNS_SHOWN = [
    Column("model", "model", justify="left"),
    Column("where", "way", justify="left"),
    Column("strategies", "strategies", justify="left"),
    Column("wall s", "wall", "{:.2f}"),
    Column("not the estimator's s", "ours", "{:.2f}"),
    Column("share of wall", "value", "{:.1%}"),
    Column("within 15 %", "kept"),
    Column("CPU s", "seconds", "{:.2f}"),
    Column("of one retraining", "share", "{:.0%}"),
]


def table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of the results."""
    told = [{**each, "kept": "yes" if each["holds"] else "no"} for each in lines]
    return Table("Overhead of an update", COLUMNS_SHOWN, told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    chosen = options(__doc__.splitlines()[0], arguments)
    warnings.simplefilter("ignore")  # estimators' chatter about convergence and feature names
    if chosen.json:
        print_lines(results(chosen))
    else:
        table(list(results(chosen))).show()


if __name__ == "__main__":
    main()
