"""Updates on public streams: a champion on the first 10 % of the rows, then 20 batches, test-then-update.

Each batch is first predicted by the model that is live, then given to the update. A promotion hurt where the promoted
model did worse on the next batch than the champion it replaced, a refusal hurt where the chosen challenger would have
done better on it than the champion that stayed; both by more than 1.645 standard errors of the paired difference of the
deciding loss, so that of harmless ones one in twenty counts. Seconds are CPU seconds of the updates, predictions of the
next batch not included; the share is that of refitting on all rows after every batch.

    python benchmarks/streams.py [--only SUBSTRING] [--quick] [--seeds N] [--json]
"""

from __future__ import annotations

import importlib.util
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from _common import Column, Options, Table, cpu_seconds, data_folder, line, options, print_lines, skip
from _methods import Made, Method, NoChange, Ours, PartialFit, Predictor, Refit, RiverForest, Start, Static
from _streams import STREAMS, Stream
from incumbent import Gate, metrics
from incumbent.core import Floats, Metric

BATCHES = 20
WINDOW = 2  # batches that a window holds, as in `auto`
NOISE = 1.645
REFERENCE = "retrain on all"
QUICK = ("insects_2016_abrupt linear", "bike_sharing_hourly lightgbm")  # the cheapest, one of each kind
QUICK_BATCHES = 4


@dataclass(frozen=True)
class Way:
    """A method by name: how to set it up, and for which kinds of champion; a peer names its package."""

    name: str
    make: Callable[[Start], Method]
    kinds: tuple[str, ...] = ("lightgbm", "linear")
    peer: str = ""


def _window(rows: int) -> str:
    return f"Window({max(500, WINDOW * rows)})"


def ways(task: str) -> list[Way]:
    """Return every method of the benchmark."""
    boosted = ("lightgbm",)
    return [
        Way("static", Static),
        Way("no change", NoChange, boosted),
        Way(REFERENCE, Refit),
        Way("window, no gate", partial(Refit, batches=WINDOW)),
        Way("partial_fit, no gate", PartialFit, ("linear",)),
        Way("Window", partial(Ours, strategies=_window)),
        Way("AppendTrees", partial(Ours, strategies="chain(Replay(2000), AppendTrees(20))"), boosted),
        Way("Weighted", partial(Ours, strategies="Weighted(5)"), boosted),
        Way("Incremental", partial(Ours, strategies="chain(Replay(2000), Incremental())"), ("linear",)),
        Way("Retrain", partial(Ours, strategies="Retrain()")),
        Way("auto", partial(Ours, strategies="auto")),
        Way("Retrain, refresh", partial(Ours, strategies="Retrain()", gate=Gate.refresh())),
        Way("auto, refresh", partial(Ours, strategies="auto", gate=Gate.refresh())),
        Way("auto, crossfit", partial(Ours, strategies="auto", gate=Gate(source="crossfit"))),
        Way("auto, prequential", partial(Ours, strategies="auto", gate=Gate(source="prequential"))),
        Way("adaptive random forest", partial(RiverForest, regression=task == "regression"), boosted, "river"),
    ]


def champion(kind: str, stream: Stream, seed: int) -> Any:
    """Return an unfitted model: small and fixed, so that what differs is how it is updated."""
    if kind == "lightgbm":
        from lightgbm import LGBMClassifier, LGBMRegressor

        made = LGBMRegressor if stream.task == "regression" else LGBMClassifier
        return made(n_estimators=30, learning_rate=0.15, num_leaves=15, n_jobs=1, random_state=seed, verbose=-1)
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts, numbers = make_column_selector(dtype_include="category"), make_column_selector(dtype_exclude="category")
    columns = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts)
    )
    return make_pipeline(columns, SGDClassifier("log_loss", alpha=1e-4, average=True, random_state=seed))


# the kinds of champion that make sense on each stream: rialto's ten classes and bike's hours are not linear
LINEAR = ("elec2", "bank_marketing", "insects_2016_abrupt", "insects_2016_incremental")


# ------------------------------------------------------------------------------------------ one stream


@dataclass(eq=False)
class Trace:
    """What happened to one method on one stream."""

    scores: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    ahead: list[float] = field(default_factory=list)  # of each made model over the one before it, in standard errors
    gains: list[float] = field(default_factory=list)  # the same in the unit of the loss


def follow(stream: Stream, way: Way, kind: str, *, batches: int, seed: int) -> Trace:
    """Run one method along one stream."""
    first, rest = stream.parts(batches)
    native = champion(kind, stream, seed).fit(first.drop(columns=stream.target), first[stream.target].to_numpy())
    method = way.make(Start(native, first, stream.target, seed, stream.metric))
    metric = metrics.metric(stream.metric, task=stream.task, classes=_classes(stream))
    trace, before, made = Trace(), method.live, Made()
    for frame in rest:
        y = frame[stream.target].to_numpy()
        x: Any = y if isinstance(method, NoChange) else frame.drop(columns=stream.target)
        _score(trace, stream, y, method.live, x)
        if made.model is not None:
            _look_back(trace, metric, y, before, made.model, x)
        before, begun = method.live, cpu_seconds()
        made = method.update(frame)
        trace.seconds.append(cpu_seconds() - begun)
        trace.made.append(made)
    return trace


def _classes(stream: Stream) -> Any:
    return None if stream.task == "regression" else np.unique(stream.frame[stream.target])


def _score(trace: Trace, stream: Stream, y: Any, live: Predictor, x: Any) -> None:
    found = metrics.scores(y, live.predict(x), task=stream.task)
    for name in stream.shown:
        trace.scores.setdefault(name, []).append(found.get(name, math.nan))


def _look_back(trace: Trace, metric: Metric, y: Any, before: Predictor, made: Predictor, x: Any) -> None:
    """Compare what an update made with what was live before it, on the batch that came next."""
    old, new = (metric.losses(y, model.predict(x)) for model in (before, made))
    assert old is not None and new is not None, "every deciding metric here has a loss per row"
    gains: Floats = old - new
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    trace.gains.append(float(gains.mean()))
    trace.ahead.append(float(gains.mean()) / error if error > 0 else 0.0)


# -------------------------------------------------------------------------------------------- results


def results(stream: Stream, way: Way, kind: str, seed: int, trace: Trace, reference: float) -> Iterator[dict[str, Any]]:
    """Yield a line for each metric of one run."""
    looked = [m for m in trace.made[:-1] if m.model is not None]
    pairs = list(zip(looked, trace.ahead, trace.gains, strict=True))
    seconds = sum(trace.seconds)
    told = {
        "model": kind,
        "seed": seed,
        "updates": len(trace.made),
        "promotions": sum(m.promoted for m in trace.made),
        "promotions_hurt": sum(ahead < -NOISE for m, ahead, _ in pairs if m.promoted),
        "refusals": sum(m.model is not None and not m.promoted for m in trace.made),
        "refusals_hurt": sum(ahead > NOISE for m, ahead, _ in pairs if not m.promoted),
        "refused_gain": float(np.mean([g for m, _, g in pairs if not m.promoted] or [0.0])),
        "second": trace.seconds[1],
        "last": trace.seconds[-1],
        **({"peer": way.peer} if way.peer else {}),
    }
    for metric in stream.shown:
        values = trace.scores[metric]
        worst = max if metric in ("log_loss", "mae", "rmse") else min
        share = seconds / reference if reference else math.nan
        yield line(
            "streams",
            stream.name,
            way.name,
            metric,
            float(np.mean(values)),
            seconds=seconds,
            share=share,
            worst=float(worst(values)),
            **told,
        )


def jobs(chosen: Options, folder: Path) -> list[tuple[Stream, Way, str, int]]:
    """Return what to run; the reference runs wherever anything else does, for the share."""
    found = []
    for name, load in STREAMS.items():
        if not (folder / name / "data.parquet").is_file():
            chosen.say(f"skipped {name}: {folder / name / 'data.parquet'} is absent")
            continue
        stream = load(folder)
        for kind in ("lightgbm", "linear") if name in LINEAR else ("lightgbm",):
            if chosen.quick and f"{name} {kind}" not in QUICK:
                continue
            able = [w for w in ways(stream.task) if kind in w.kinds and _installed(chosen, w)]
            wanted = [w for w in able if chosen.wants(f"{name} {kind} {w.name}")]
            named = [w for w in able if w in wanted or (wanted and w.name == REFERENCE)]
            found += [(stream, way, kind, seed) for way in named for seed in range(chosen.seeds)]
    return found


def _installed(chosen: Options, way: Way) -> bool:
    if not way.peer:
        return True
    if chosen.quick or importlib.util.find_spec(way.peer) is None:
        chosen.say(f"skipped {way.name}: " + ("left out by --quick" if chosen.quick else f"no {way.peer} installed"))
        return False
    return True


def _run(stream: Stream, way: Way, kind: str, seed: int, batches: int) -> Trace:
    warnings.simplefilter("ignore")  # estimators' chatter about convergence and feature names
    return follow(stream, way, kind, batches=batches, seed=seed)


def measure(chosen: Options, folder: Path) -> list[dict[str, Any]]:
    """Run every method on every stream, several at a time, and return the lines."""
    from joblib import Parallel, delayed

    todo = jobs(chosen, folder)
    batches = QUICK_BATCHES if chosen.quick else BATCHES
    chosen.say(f"{len(todo)} runs of {batches} updates each")
    work = Parallel(n_jobs=min(len(todo), os.cpu_count() or 1) or 1, return_as="generator")
    traces = []
    for at, trace in enumerate(work(delayed(_run)(*job, batches) for job in todo)):
        stream, way, kind, seed = todo[at]
        chosen.say(f"  {at + 1}/{len(todo)} {stream.name} {kind} {way.name} seed {seed}: {sum(trace.seconds):.1f} s")
        traces.append(trace)
    key = [(stream.name, kind, seed) for stream, _, kind, seed in todo]
    reference = {k: sum(t.seconds) for k, job, t in zip(key, todo, traces, strict=True) if job[1].name == REFERENCE}
    lines = []
    for k, (stream, way, kind, seed), trace in zip(key, todo, traces, strict=True):
        lines += list(results(stream, way, kind, seed, trace, reference[k]))
    return lines


# --------------------------------------------------------------------------------------------- tables


def tables(lines: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield one table for each stream and kind of model; several seeds are averaged."""
    for (data, kind), group in groupby(lines, key=lambda each: (each["data"], each["model"])):
        found = list(group)
        rows = [
            _averaged([each for each in found if each["method"] == method])
            for method in dict.fromkeys(each["method"] for each in found)
        ]
        metrics = list(dict.fromkeys(each["metric"] for each in found))
        shown = [Column(metrics[0], metrics[0], "{:.4f}"), Column("worst batch", "worst", "{:.4f}")]
        shown += [Column(name, name, "{:.4f}") for name in metrics[1:]]
        yield Table(f"{data}, {kind}", [Column("method", "method", justify="left"), *shown, *COSTS], rows)


COSTS = [
    Column("CPU s", "seconds", "{:.1f}"),
    Column("share", "share", "{:.0%}"),
    Column("2nd s", "second", "{:.2f}"),
    Column("20th s", "last", "{:.2f}"),
    Column("promoted", "promotions", "{:.3g}"),
    Column("hurt", "promotions_hurt", "{:.3g}"),
    Column("refused", "refusals", "{:.3g}"),
    Column("hurt", "refusals_hurt", "{:.3g}"),
]


def _averaged(same: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = [each for each in same if each["metric"] == same[0]["metric"]]
    numbers = [name for name, value in same[0].items() if isinstance(value, int | float) and name != "seed"]
    row: dict[str, Any] = {"method": same[0]["method"]} | {n: float(np.mean([e[n] for e in first])) for n in numbers}
    for metric in dict.fromkeys(each["metric"] for each in same):
        row[metric] = float(np.mean([each["value"] for each in same if each["metric"] == metric]))
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    chosen = options(__doc__.splitlines()[0], arguments)
    folder = data_folder()
    if folder is None:
        skip("no data: set INCUMBENT_DATA to the folder of the public data sets")
    lines = measure(chosen, folder)
    if chosen.json:
        print_lines(lines)
    else:
        for table in tables(lines):
            table.show()


if __name__ == "__main__":
    main()
