"""Follow a recipe with a net: put together what is to be learned, and learn it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from incumbent.core import Array, Batch, FreshHead, LowRank, Pull, Recipe
from incumbent.errors import ModelError, UsageError
from incumbent.memory import draw
from incumbent.memory._importance import carried, normalised
from incumbent.memory._stored_outputs import recalled
from incumbent.models.torch._checkpoint import key_of
from incumbent.models.torch._head import Speech, head_of
from incumbent.models.torch._input import Reader
from incumbent.models.torch._lora import adapt, is_adapted, merged
from incumbent.models.torch._losses import row_weights
from incumbent.models.torch._store import Blueprint, built, described
from incumbent.models.torch._structure import (
    Draft,
    freeze,
    fresh_head,
    outputs_of,
    perturbed,
    renewed,
    seeded,
    taken_over,
    widen,
    widen_tables,
)
from incumbent.models.torch._task import Material, Task
from incumbent.models.torch._train import Trained, train

if TYPE_CHECKING:
    from incumbent.models.torch._model import TorchModel


def learned(champion: TorchModel, recipe: Recipe, batch_size: int) -> tuple[Draft, Trained]:
    """Return the net that a bound recipe makes of the champion, on the champion's device, set to predict."""
    draft = drafted(champion, recipe)
    task = task_of(champion, draft, recipe)
    done = train(task, batch_size=batch_size)
    home = next((p.device for p in champion.native.parameters()), torch.device("cpu"))
    lora = recipe.structure.lora
    if lora is not None and lora.merge:
        merged(draft.module)
    flags = {name: p.requires_grad for name, p in champion.native.named_parameters()}
    for name, p in draft.module.named_parameters():
        p.requires_grad_(flags.get(name, True))  # what one recipe froze is free for the next
        p.grad = None
    draft.module.to(home).eval()
    return draft, done


# ------------------------------------------------------------------------------------------- the structure


def drafted(champion: TorchModel, recipe: Recipe) -> Draft:
    """Return the net that is about to learn: a copy of the champion, changed as the recipe's structure says."""
    structure, train_rows, seed = recipe.structure, rows_of(recipe), recipe.seed
    draft = Draft(_started(champion, recipe), champion.speech, champion.reader)
    unseen = unseen_classes(champion.speech, train_rows)
    if structure.architecture is not None:
        draft.reader = Reader.of(draft.module, champion.prepare)
        lost = taken_over(draft.module, champion.native)
        total = len(draft.module.state_dict())
        draft.notes.append(f"{total - len(lost)} of {total} tensors taken over from the champion")
    if structure.perturb is not None:
        perturbed(draft.module, structure.perturb.keep, structure.perturb.noise, seed)
    _fit_tables(draft, recipe)
    _fit_outputs(draft, recipe, unseen)
    if structure.lora is not None:
        _fit_updates(draft, recipe, structure.lora)
    patterns = [pattern for pattern in structure.freeze if pattern != "preprocess"]
    if patterns:
        freeze(draft, patterns, train_rows.x)
    draft.module.to(champion.place)
    return draft


def _started(champion: TorchModel, recipe: Recipe) -> nn.Module:
    structure = recipe.structure
    if structure.architecture is not None:
        return built(replacement(champion, recipe), seed=recipe.seed)
    if structure.start != "scratch":
        own = copy.deepcopy(champion.native).cpu()
        return merged(own) if structure.lora is not None and is_adapted(own) else own  # one layer of updates at a time
    if champion.factory is not None:
        return built(champion.factory, seed=recipe.seed)
    return renewed(champion.native, recipe.seed).cpu()


def replacement(champion: TorchModel, recipe: Recipe) -> Blueprint:
    """Return what builds another architecture: the factory named, or the champion's own with other arguments."""
    asked = recipe.structure.architecture
    assert asked is not None, "asked only of a recipe that replaces the architecture"
    if asked.factory is not None:
        return {"call": asked.factory, "with": dict(asked.arguments)}
    own = described(champion.native) if champion.factory is None else champion.factory
    return {"call": own["call"], "with": {**own["with"], **dict(asked.arguments)}}


def _fit_outputs(draft: Draft, recipe: Recipe, unseen: Array) -> None:
    """Let the last layer have an output for every class, old and new."""
    structure, rows = recipe.structure, rows_of(recipe)
    new_head = isinstance(structure.head, FreshHead)
    afresh = structure.start == "scratch" or structure.architecture is not None or new_head
    if len(unseen) and not afresh:
        widen(draft, unseen, recipe)
        return
    if len(unseen):
        draft.speech = draft.speech.grown(unseen)
        draft.notes.append(
            f"took in {len(unseen)} new class{'es' * (len(unseen) > 1)}: {', '.join(map(str, unseen[:5]))}"
        )
    width = draft.speech.width
    if new_head or (width is not None and outputs_of(draft.module) not in (None, width)):
        values = 1 if np.ndim(rows.labels) == 1 else np.shape(rows.labels)[1]
        fresh_head(draft, rows.x, values if width is None else width, recipe.seed)


def _fit_tables(draft: Draft, recipe: Recipe) -> None:
    x = rows_of(recipe).x
    if recipe.select is not None and len(recipe.select):
        x = Batch.join([Batch(x), Batch(recipe.select.x)]).x
    grown = widen_tables(draft.module, draft.reader, x)
    draft.old_rows |= grown
    if grown:
        draft.notes.append(f"grew rows for new ids in {', '.join(grown)}")


def _fit_updates(draft: Draft, recipe: Recipe, lora: LowRank) -> None:
    if recipe.loss.pull is not None:
        raise UsageError("LoRA leaves the champion's weights alone, so a pull to them does nothing; leave one of both.")
    try:
        head: str | None = head_of(draft.module, draft.reader, rows_of(recipe).x)[0]
    except ModelError:
        head = None  # nothing stands out as the layer that makes the outputs, so all are adapted alike
    with seeded(recipe.seed):
        chosen = adapt(draft.module, lora.rank, lora.layers, head)
    free = sum(p.numel() for p in draft.module.parameters() if p.requires_grad)
    draft.notes.append(f"low-rank updates in {len(chosen)} layers: {free:,} numbers learned")


def unseen_classes(speech: Speech, batch: Batch) -> Array:
    """Return the classes among the rows that a net does not know."""
    if speech.kind not in ("softmax", "binary") or speech.classes is None:
        return np.empty(0)
    return np.setdiff1d(np.unique(batch.labels), speech.classes)


def rows_of(recipe: Recipe) -> Batch:
    """Return the rows that a bound recipe trains on."""
    assert recipe.train is not None, "a recipe is bound to rows before an adapter follows it"
    return recipe.train


# --------------------------------------------------------------------------------------- what is learned


def task_of(champion: TorchModel, draft: Draft, recipe: Recipe) -> Task:
    """Return what a drafted net is to learn, with everything that its loss asks for."""
    train_rows, place = rows_of(recipe), champion.place
    learn = _material(draft, train_rows, recipe, place)
    if recipe.loss.distill is not None:
        learn = Material(
            learn.rows, learn.target, learn.weight, _teacher(champion, draft, train_rows.x, place), learn.classes
        )
    start, importance = (
        ({}, {}) if recipe.loss.pull is None else pulls(champion, draft, recipe, recipe.loss.pull, place)
    )
    key = ""
    if recipe.checkpoint is not None:
        some = learn.rows.at(torch.linspace(0, len(learn) - 1, 32, device=place).long())
        tensors = [*draft.module.state_dict().values(), learn.target, *some.values()]
        key = key_of(f"{recipe!r} {recipe.seed}", tensors)
    return Task(
        draft.module,
        draft.speech,
        learn,
        _beside(champion, draft, recipe, place),
        _select(draft, recipe, place),
        recipe,
        start,
        importance,
        frozenset(draft.fresh),
        frozenset(draft.resting),
        key,
    )


def _material(draft: Draft, batch: Batch, recipe: Recipe, place: torch.device) -> Material:
    speech = draft.speech
    target = speech.targets(batch.labels).to(place)
    weight = row_weights(recipe.loss, speech, batch)
    classes = None
    if recipe.data.balanced and speech.kind in ("softmax", "binary"):
        classes = torch.from_numpy(np.unique(batch.labels, return_inverse=True)[1].reshape(-1))
    rows = draft.reader.rows(batch.x, place)
    return Material(rows, target, None if weight is None else weight.to(place), None, classes)


def _select(draft: Draft, recipe: Recipe, place: torch.device) -> Material | None:
    """Return the rows to judge on: the select rows, and as many remembered ones where the recipe cares for the old."""
    rows, old, loss = recipe.select, recipe.memory.rows, recipe.loss
    if rows is None or not len(rows):
        return None
    cares = recipe.data.replay is not None or loss.pull is not None or loss.distill is not None
    if cares and old is not None and recipe.structure.start != "scratch":
        some = np.random.default_rng(recipe.seed).permutation(len(old))[: len(rows)]
        rows = Batch.join([rows, old.take(np.sort(some))])
    if draft.speech.kind in ("softmax", "binary"):
        assert draft.speech.outputs is not None, "it is a classifier"
        rows = rows.take(np.isin(rows.labels, draft.speech.outputs))  # no net can have learned the others
    asked = loss.objective
    plain = recipe.replace(objective=None if asked is None else asked.replace(class_weight=None), balanced=False)
    return _material(draft, rows, plain, place) if len(rows) else None


def _beside(champion: TorchModel, draft: Draft, recipe: Recipe, place: torch.device) -> Material | None:
    """Return the remembered rows that are drawn beside each mini-batch, with the outputs that they had."""
    replay, memory = recipe.data.replay, recipe.memory
    if replay is None or not replay.per_batch or memory.rows is None or not len(memory):
        return None
    rows = draw(memory, replay.rows, sample=replay.sample, seed=recipe.seed)
    made = _material(draft, rows, recipe, place)
    classes = None
    if replay.sample == "balanced" and draft.speech.kind in ("softmax", "binary"):
        classes = torch.from_numpy(np.unique(rows.labels, return_inverse=True)[1].reshape(-1))
    teacher = None
    if recipe.loss.stored_logits is not None:
        teacher = torch.from_numpy(_as_spoken(recalled(champion, rows), draft.speech).astype(np.float32)).to(place)
    return Material(made.rows, made.target, made.weight, teacher, classes)


def _teacher(champion: TorchModel, draft: Draft, x: Any, place: torch.device) -> Tensor:
    said = _as_spoken(champion.logits(x), draft.speech)
    return torch.from_numpy(said.astype(np.float32)).to(place)


def _as_spoken(logits: Array, speech: Speech) -> Array:
    """Two classes are kept as two outputs, so that they stay comparable when a third joins."""
    return logits[:, 1:2] - logits[:, 0:1] if speech.kind == "binary" else logits


def pulls(
    champion: TorchModel, draft: Draft, recipe: Recipe, asked: Pull, place: torch.device
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return where each weight is pulled to, and how hard; weights and rows without a past are left free."""
    known = dict(champion.native.named_parameters())
    force = _force(champion, draft, recipe, asked)
    start: dict[str, Tensor] = {}
    importance: dict[str, Tensor] = {}
    for name, p in draft.module.named_parameters():
        if not p.requires_grad or name in draft.fresh or name not in known:
            continue
        held, rows = known[name].detach().to(place), draft.old_rows.get(name)
        if rows is None and held.shape != p.shape:
            continue
        old = len(p) if rows is None else rows
        goal, pull = p.detach().clone().to(place), torch.zeros_like(p, device=place)
        if held.shape == goal[:old].shape:
            goal[:old] = held
        hard = force.get(name)
        if asked.importance == "uniform":
            pull[:old] = 1.0
        elif hard is not None:
            pull[:old] = torch.from_numpy(hard).to(pull)[:old]
        start[name], importance[name] = goal, pull
    uniform = asked.importance == "uniform" and not draft.old_rows
    return start, {} if uniform else importance


def _force(champion: TorchModel, draft: Draft, recipe: Recipe, asked: Pull) -> dict[str, Array]:
    """Return how much each weight mattered for the old rows: as the memory carries it, or taken from its rows."""
    memory = recipe.memory
    if asked.importance == "uniform":
        return {}
    weights = {name: tuple(p.shape) for name, p in champion.native.named_parameters()}
    known = carried(memory, asked.importance, normalise=asked.normalise)
    if not known or any(known[name].shape != shape for name, shape in weights.items() if name in known):
        if memory.rows is None or not len(memory):
            raise ModelError(
                "What mattered for the old rows is not known, and none of them is remembered; give data= (the rows the "
                "model was trained on), or use L2SP(0.1), which needs none."
            )
        if asked.importance == "path" and not champion.path:
            draft.notes.append("the path of the champion's training is not known; its Fisher information stands in")
        known = dict(champion.weight_importance(memory.rows, asked.importance))
        known = normalised(known) if asked.normalise else known
    return {name: _two_rows(value) if _was_one(draft, name, value) else value for name, value in known.items()}


def _was_one(draft: Draft, name: str, value: Array) -> bool:
    """Whether one row, for the second of two classes, has become two."""
    return len(value) == 1 and draft.old_rows.get(name) == 2


def _two_rows(value: Array) -> Array:
    return np.concatenate([value, value])
