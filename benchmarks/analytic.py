"""Exact updates of a linear layer on frozen random features: one pass over new rows, none over old ones, rows deleted.

Three questions. Does it keep up with training where classes arrive over time (MNIST in five sessions of two digits,
and the part of Fashion-MNIST that is at hand), where the domain moves (MNIST, then 500 rows of USPS), and what does it
cost to delete 100 of 10,000 rows at a width of 2,000, beside solving again? Each method starts from the same frozen
steps; "ridge on all rows" and "logistic regression on all rows" learn every row that there was at each session.

    OMP_NUM_THREADS=1 python benchmarks/analytic.py [--only SUBSTRING] [--quick] [--seeds N] [--json]
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from _common import Column, Options, Table, cpu_seconds, data_folder, line, options, print_lines, skip
from incumbent.core import Array, Batch, Memory, Model, Recipe, has_features
from incumbent.memory import nbytes
from incumbent.models import fit_challenger, forget, wrap
from incumbent.models.exact import solve
from incumbent.models.exact._inputs import compute_statistics
from incumbent.strategies import Analytic

WIDTHS = (500, 1000, 1700, 2000)
SESSIONS = 5
REFERENCE = "logistic regression on all rows"


def as_rows(images: Array) -> Array:
    """Return each image as a row of numbers from 0 to 1."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255.0)


@dataclass(frozen=True)
class Rows:
    """Rows of images to learn from and to be judged on."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array

    @staticmethod
    def read(folder: Path, name: str, *, train: str = "train", test: str = "test") -> Rows:
        """Read a data set of images; `train` and `test` are what its parts are called."""
        with np.load(folder / name / "data.npz") as held:
            parts = [held[f"{part}_{which}"] for which in (train, test) for part in ("x", "y")]
        return Rows(*(as_rows(part) if part.ndim > 1 else part.astype(np.int64) for part in parts))

    def cut(self, train: int, test: int) -> Rows:
        """Return the first rows only."""
        return Rows(self.x[:train], self.y[:train], self.x_test[:test], self.y_test[:test])


def accuracy(model: Model, x: Array, y: Array) -> float:
    """Return the share of rows that are right."""
    return float(np.mean(model.predict(x).label == y))


# ------------------------------------------------------------------------------------ classes that arrive over time


def class_sessions(rows: Rows) -> list[Batch]:
    """Return five batches of two classes each."""
    return [Batch(rows.x[at], rows.y[at]) for at in (np.flatnonzero(rows.y // 2 == k) for k in range(SESSIONS))]


def analytic(strategy: Analytic, sessions: Sequence[Batch], seed: int) -> tuple[Model, Memory]:
    """Start from a champion that knows a few rows of the first session, and learn every session once, exactly."""
    first = sessions[0]
    native = make_pipeline("passthrough", SGDClassifier(loss="log_loss", random_state=seed))
    model: Model = wrap(native.fit(first.x[:200], first.y[:200]))  # type: ignore[index]  # labelled
    memory = Memory()
    for batch in sessions:
        order = np.random.default_rng(seed).permutation(len(batch))
        held, learned = batch.take(order[:200]), batch
        recipe = strategy.prepare(Recipe(), memory).bind(train=learned, select=held, memory=memory, seed=seed)
        model = fit_challenger(model, recipe)
        memory = strategy.remember(memory, model, learned)
    return model, memory


def always_ridge(width: int, sessions: Sequence[Batch], seed: int) -> tuple[Model, Memory]:
    """Solve such a head anew at each session, on all rows so far, its projection fitted to all of them too."""
    model, memory = analytic(Analytic(width), sessions[:1], seed)
    for k in range(2, len(sessions) + 1):
        everything = Batch.join(sessions[:k])
        recipe = Analytic(width).prepare(Recipe(), Memory()).bind(train=everything, seed=seed)
        model = fit_challenger(model, recipe)
    return model, Memory(Batch.join(sessions))


def always_logistic(sessions: Sequence[Batch], seed: int) -> tuple[Model, Memory]:
    """Fit a logistic regression on the pixels anew at each session, on all rows so far."""
    for k in range(1, len(sessions) + 1):
        everything = Batch.join(sessions[:k])
        native = LogisticRegression(max_iter=50).fit(everything.x, everything.y)
    return wrap(native), Memory(Batch.join(sessions))


def by_partial_fit(sessions: Sequence[Batch], seed: int) -> tuple[Model, Memory]:
    """Take one pass of stochastic gradients over each session: what forgets."""
    native, rng = SGDClassifier(loss="log_loss", random_state=seed), np.random.default_rng(seed)
    for batch in sessions:
        order = rng.permutation(len(batch))
        native.partial_fit(batch.x[order], batch.labels[order], classes=np.arange(10))
    return wrap(native), Memory()


def splits(name: str, rows: Rows, chosen: Options, seed: int) -> Iterator[dict[str, object]]:
    """Yield the lines of one data set whose classes arrive over time."""
    widths = WIDTHS[:1] if chosen.quick else WIDTHS
    methods: dict[str, Callable[[Sequence[Batch], int], tuple[Model, Memory]]] = {
        REFERENCE: always_logistic,
        "partial_fit": by_partial_fit,
        **{f"Analytic({m})": lambda sessions, seed, m=m: analytic(Analytic(m), sessions, seed) for m in widths},  # type: ignore[misc]  # its default
        f"ridge on all rows, width {widths[-1]}": lambda sessions, seed: always_ridge(widths[-1], sessions, seed),
    }
    reference = float("nan")
    for method, learn in methods.items():
        if chosen.wants(f"{name} {method}") or (method == REFERENCE and chosen.wants(name)):
            begun = cpu_seconds()
            model, memory = learn(class_sessions(rows), seed)
            spent = cpu_seconds() - begun
            reference = spent if method == REFERENCE else reference
            score = accuracy(model, rows.x_test, rows.y_test)
            chosen.say(f"  {name}, {method}: {score:.4f} in {spent:.1f} s")
            cost = {"seconds": spent, "share": spent / reference}
            yield line("analytic", name, method, "accuracy", score, **cost, carried=nbytes(memory), seed=seed)


# ------------------------------------------------------------------------------------------- a domain that moves


def resized(images: Array) -> Array:
    """Return USPS images of 16 x 16 as MNIST has them: 20 x 20 by linear interpolation, within a border of 4."""
    from scipy.ndimage import zoom

    whole = np.zeros((len(images), 28, 28), dtype=np.float32)
    whole[:, 4:24, 4:24] = zoom(images.reshape(-1, 16, 16), (1, 20 / 16, 20 / 16), order=1)
    return whole.reshape(len(images), -1)


class Hidden(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """What the last layer of a fitted MLPClassifier reads."""

    def __init__(self, net: Any) -> None:
        self.net = net

    def fit(self, x: Array, y: Array | None = None) -> Hidden:
        """Learn nothing: the net is fitted."""
        return self

    def transform(self, x: Array) -> Array:
        """Return the activations of the last hidden layer."""
        for weights, bias in zip(self.net.coefs_[:-1], self.net.intercepts_[:-1], strict=True):
            x = np.maximum(x @ weights + bias, 0)
        return x


def moves(mnist: Rows, usps: Rows, chosen: Options, seed: int) -> Iterator[dict[str, object]]:
    """Yield the lines of a net that knows MNIST and meets 500 rows of USPS: accuracy on both, cost of the update."""
    name, width = "mnist to usps, 500 rows", 1000
    if not chosen.wants(name):
        return
    at = np.random.default_rng(seed).permutation(len(usps.x))[:500]
    old, new = Batch(mnist.x, mnist.y), Batch(resized(usps.x[at]), usps.y[at])
    tests = {"new": (resized(usps.x_test), usps.y_test), "old": (mnist.x_test, mnist.y_test)}

    def trained(rows: Batch) -> Any:
        net = MLPClassifier((400, 400), batch_size=128, max_iter=1 if chosen.quick else 5, random_state=seed)
        return net.fit(rows.x, rows.y)

    net, strategy = trained(old), Analytic(width)
    native = make_pipeline(Hidden(net), SGDClassifier(loss="log_loss", random_state=seed)).fit(
        old.x[:200], mnist.y[:200]
    )
    before = fit_challenger(wrap(native), strategy.prepare(Recipe(), Memory()).bind(train=old, seed=seed))
    memory = strategy.remember(Memory(), before, old)

    def solved(rows: Batch) -> Model:
        made = fit_challenger(before, strategy.prepare(Recipe(), memory).bind(train=rows, memory=memory, seed=seed))
        strategy.remember(memory, made, rows)
        return made

    methods: dict[str, Callable[[], Model]] = {
        "retrain the net on all rows": lambda: wrap(trained(Batch.join([old, new]))),
        "the live net": lambda: wrap(net),
        f"Analytic({width})": lambda: solved(new),
        f"Analytic({width}), new rows weigh 16": lambda: solved(new.replace(weight=np.full(len(new), 16.0))),
    }
    reference = float("nan")
    for method, make in methods.items():
        begun = cpu_seconds()
        made = make()
        spent = cpu_seconds() - begun
        reference = spent if method.startswith("retrain") else reference
        found = {which: accuracy(made, *test) for which, test in tests.items()}
        chosen.say(f"  {name}, {method}: new {found['new']:.4f}, old {found['old']:.4f} in {spent:.2f} s")
        for which, score in found.items():
            cost = {"seconds": spent, "share": spent / reference}
            yield line("analytic", name, method, f"accuracy on the {which}", score, **cost, seed=seed)


# --------------------------------------------------------------------------------------------------- deletion


def away(one: Array, two: Array) -> float:
    """Return the relative distance of two arrays."""
    return float(np.linalg.norm(one - two) / np.linalg.norm(two))


def timed(make: Callable[[], Any], repeats: int = 5) -> tuple[Any, float]:
    """Return what `make` makes, and the median of its CPU seconds: one run of a tenth of a second says little."""
    spent = []
    for _ in range(repeats):
        begun = cpu_seconds()
        made = make()
        spent.append(cpu_seconds() - begun)
    return made, float(np.median(spent))


def deletions(mnist: Rows, chosen: Options, seed: int) -> Iterator[dict[str, object]]:
    """Yield the lines of deleting 100 of 10,000 rows, and of solving again."""
    width, count = (500, 2_000) if chosen.quick else (2_000, 10_000)
    name = f"delete 100 of {count:,} rows, width {width}"
    rng = np.random.default_rng(seed)
    at = rng.permutation(len(mnist.x))[:count]
    rows = Batch(mnist.x[at], mnist.y[at])
    if not chosen.wants(name):
        return
    gone, kept = np.arange(100), np.arange(100, count)
    model, memory = analytic(Analytic(width), [rows], seed)
    out, rest = rows.take(gone), rows.take(kept)
    assert has_features(model) and model.head is not None, "it was just given one"
    start, head = model, model.head
    never, anew = timed(lambda: solve(compute_statistics(start, head.lift, rest), head.ridge))
    (left, _), forgotten = timed(lambda: forget(model, memory, out))
    effect = away(head.coef, never.coef.T)
    told = (
        ("solve again on 9,900 rows" if not chosen.quick else "solve again", anew, 0.0),
        ("forget: sums subtracted, solved again", forgotten, away(left.head.coef, never.coef.T)),
    )
    for method, spent, distance in told:
        chosen.say(f"  {name}, {method}: {distance:.1e} away in {spent:.3f} s")
        cost = {"seconds": spent, "share": spent / anew, "effect": effect}
        yield line("analytic", name, method, "relative distance", distance, **cost, seed=seed)


# ---------------------------------------------------------------------------------------------------- results


def results(chosen: Options) -> Iterator[dict[str, object]]:
    """Yield a line for every data set, method and metric."""
    folder = data_folder()
    if folder is None or not (folder / "mnist" / "data.npz").is_file():
        skip("MNIST is not at hand; set INCUMBENT_DATA to the folder that holds mnist/data.npz.")
    size = (4_000, 1_000) if chosen.quick else (60_000, 10_000)
    mnist = Rows.read(folder, "mnist").cut(*size)
    for seed in range(chosen.seeds):
        yield from splits("split mnist", mnist, chosen, seed)
        if (folder / "fashion_mnist_part" / "data.npz").is_file() and not chosen.quick:
            # more of the test file than of the training file is at hand, so the two change places
            part = Rows.read(folder, "fashion_mnist_part", train="t10k", test="train")
            yield from splits("split fashion part", part, chosen, seed)
        if (folder / "usps" / "data.npz").is_file():
            yield from moves(mnist, Rows.read(folder, "usps"), chosen, seed)
        yield from deletions(mnist, chosen, seed)


COLUMNS_SHOWN = [
    Column("data", "data", justify="left"),
    Column("method", "method", justify="left"),
    Column("metric", "metric", justify="left"),
    Column("value", "shown"),
    Column("CPU s", "seconds", "{:.2f}"),
    Column("share", "share", "{:.0%}"),
    Column("carried MB", "megabytes", "{:.1f}"),
]


def table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of the results."""
    told = []
    for each in lines:
        small = each["metric"] == "relative distance"
        shown = f"{each['value']:.1e}" if small else f"{each['value']:.4f}"
        carried = each.get("carried")
        told.append({**each, "shown": shown, "megabytes": None if carried is None else carried / 1e6})
    return Table("Exact updates", COLUMNS_SHOWN, told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    chosen = options(__doc__.splitlines()[0], arguments)
    warnings.simplefilter("ignore")  # fifty iterations of a logistic regression are few, and its reference here
    if chosen.json:
        print_lines(results(chosen))
    else:
        table(list(results(chosen))).show()


if __name__ == "__main__":
    main()
