"""What changes in a net before it is trained: frozen parts, a new or wider head, wider tables, another architecture."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incumbent.core import Batch, FreshHead, LowRank, NewClasses, Perturb, Recipe
from incumbent.errors import ModelError, UsageError
from incumbent.models._training import new_classes, note_new_classes, training_rows
from incumbent.models.nets._head import draw_head, widen_head
from incumbent.models.nets._net import Net
from incumbent.models.nets._output_spec import OutputSpec


@dataclass(eq=False)
class NetToTrain:
    """A net that is about to be trained. It is a copy: the champion's does not change."""

    net: Net
    spec: OutputSpec
    old_rows: dict[str, int] = field(default_factory=dict)  # of widened weights, the rows that the champion has too
    new: set[str] = field(default_factory=set)  # weights that the champion does not have
    notes: list[str] = field(default_factory=list)


def prepare_net(champion: Net, spec: OutputSpec, recipe: Recipe) -> NetToTrain:
    """Return a copy of the champion's net, changed as the recipe's structure says."""
    structure, rows = recipe.structure, training_rows(recipe)
    made = NetToTrain(_start(champion, recipe), spec)
    if structure.architecture is not None:
        _copy_matching_weights(made, champion)
    if structure.perturb is not None:
        _perturb(made.net, structure.perturb, recipe.seed)
    _fit_tables(made, recipe)
    _fit_outputs(made, recipe)
    if structure.lora is not None:
        _fit_lora(made, recipe, structure.lora)
    patterns = [pattern for pattern in structure.freeze if pattern != "preprocess"]
    if patterns:
        _freeze(made.net, patterns, rows.x)
    made.net = made.net.moved()
    return made


def _start(champion: Net, recipe: Recipe) -> Net:
    structure = recipe.structure
    if structure.architecture is not None:
        return champion.rebuilt(structure.architecture.factory, dict(structure.architecture.arguments), recipe.seed)
    if structure.start == "scratch":
        return champion.redrawn(recipe.seed)
    own = champion.copy()
    if structure.lora is not None:
        own.merge_lora()  # one layer of updates at a time
    return own


def _copy_matching_weights(made: NetToTrain, champion: Net) -> None:
    """Copy into a new architecture what agrees with the champion in name and shape."""
    fresh = made.net.state()
    agree = {name: v for name, v in champion.state().items() if name in fresh and fresh[name].shape == v.shape}
    made.net.load_state(agree)
    made.notes.append(f"{len(agree)} of {len(fresh)} tensors taken over from the champion")


def _perturb(net: Net, perturb: Perturb, seed: int) -> None:
    """Shrink and perturb in place: ``w = keep * w + N(0, noise**2)`` (Ash and Adams 2020, section 4)."""
    rng, names, fresh = np.random.default_rng(seed), set(net.weight_names), {}
    for name, value in net.weights().items():
        if name in names:
            drawn = perturb.keep * value + perturb.noise * rng.standard_normal(value.shape)
            fresh[name] = drawn.astype(value.dtype)
    net.load_weights(fresh)


def _fit_tables(made: NetToTrain, recipe: Recipe) -> None:
    x = training_rows(recipe).x
    if recipe.select is not None and len(recipe.select):
        x = Batch.join([Batch(x), Batch(recipe.select.x)]).x
    grown = made.net.widen_tables(x)
    made.old_rows |= grown
    if grown:
        made.notes.append(f"grew rows for new ids in {', '.join(grown)}")


def _fit_outputs(made: NetToTrain, recipe: Recipe) -> None:
    """Let the last layer have an output for every class, old and new."""
    structure, rows = recipe.structure, training_rows(recipe)
    unseen = new_classes(recipe, made.spec.classes if made.spec.kind in ("softmax", "binary") else None)
    new_head = isinstance(structure.head, FreshHead)
    if len(unseen):
        note = note_new_classes(unseen)
        if structure.start == "scratch" or structure.architecture is not None or new_head:
            note = note.replace("grew by", "took in")
        else:
            imprint = structure.classes == NewClasses("imprint")
            made.old_rows |= widen_head(made.net, made.spec, rows, unseen, imprint=imprint)
        made.spec = made.spec.extended(unseen)
        made.notes.append(note)
    width = made.spec.width
    if new_head or (width is not None and made.net.output_layer.width not in (None, width)):
        values = 1 if np.ndim(rows.labels) == 1 else np.shape(rows.labels)[1]
        made.new |= draw_head(made.net, rows.x, values if width is None else width, recipe.seed)


def _fit_lora(made: NetToTrain, recipe: Recipe, lora: LowRank) -> None:
    if recipe.loss.pull is not None:
        raise UsageError(
            "LoRA does not change the champion's weights, so a pull to them does nothing; leave one of the two out."
        )
    try:
        head: str | None = made.net.head(training_rows(recipe).x).name
    except ModelError:
        head = None  # no layer makes the outputs directly, so all are adapted
    with made.net.seeded(recipe.seed):
        chosen = made.net.add_lora(lora.rank, lora.layers, head)
    weights, frozen = made.net.weights(), made.net.frozen
    free = sum(weights[name].size for name in made.net.weight_names if name not in frozen)
    made.notes.append(f"low-rank updates in {len(chosen)} layers: {free:,} numbers learned")


# ------------------------------------------------------------------------------------------------ freeze


def _freeze(net: Net, patterns: Sequence[str], x: Any) -> None:
    """Freeze parts of a net in place: neither their weights nor their batch statistics change."""
    names = set(net.weight_names)
    matched = {name for pattern in patterns for name in _matching(net, pattern, x)}
    parts = frozenset(matched - names)
    weights = {name for name in names if name in matched or any(_lies_in(name, part) for part in parts)}
    if weights | net.frozen >= names:
        raise UsageError(f"Freeze({', '.join(map(repr, patterns))}) leaves nothing to learn; freeze less.")
    net.freeze(net.frozen | weights, parts)


def _lies_in(name: str, part: str) -> bool:
    return not part or name == part or name.startswith(f"{part}.")


def _matching(net: Net, pattern: str, x: Any) -> Sequence[str]:
    """Return the parts and weights that a pattern names, or raise an error that lists the parts there are."""
    everything = (*net.parts, *net.weight_names)
    if pattern in ("head", "backbone"):
        head = net.head(x).name
        others = [name for name in everything if not _lies_in(head, name) and not _lies_in(name, head)]
        return [head] if pattern == "head" else others
    blocks = net.blocks
    if pattern.startswith("first:"):
        count = int(pattern.removeprefix("first:"))
        if count >= len(blocks):
            raise UsageError(f"Freeze(first={count}) would freeze all {len(blocks)} blocks: {', '.join(blocks)}.")
        return blocks[:count]
    found = [name for name in everything if fnmatch.fnmatchcase(name, pattern)]
    if not found:
        shown = [part for part in net.parts if any(_lies_in(name, part) for name in net.weight_names)]
        raise UsageError(
            f"Freeze({pattern!r}) matches no part of {type(net.native).__name__}; it has {', '.join(shown[:20])}"
            f"{' and more' if len(shown) > 20 else ''}. 'backbone' and 'head' work for every net."
        )
    return found
