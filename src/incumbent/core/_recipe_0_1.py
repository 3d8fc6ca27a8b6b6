"""Accept recipes as 0.1 wrote them: one flat field for each number of an option. This file goes with the next release.

In 0.1, ``recipe.but(analytic=2000, l2=1.0)`` set what is now ``recipe.replace(head=Exact(2000, l2=1.0))``. `_GROUPS`
lists which flat fields make an option. Old fields are taken by `Recipe.replace`, by `Recipe.but`, by the constructors
of the elements, and by `read_recipe`.
"""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from incumbent.core import _options as options
from incumbent.core._options import Option
from incumbent.errors import UsageError

C = TypeVar("C", bound=type)

_ORDER = {
    "Data": "replay sample cap window half_life ordered beside subset share balanced emphasis",
    "Structure": "start append shrink releaf freeze search new_head grow rank adapt apart factory arguments keep noise "
    "analytic projection reads neighbours",
    "Loss": "pull importance normalise fresh l2 soft temperature logits labels task_loss smoothing class_weight",
    "Optimizer": "optimizer lr epochs batch_size weight_decay schedule warmup layer_decay clip patience",
    "Finish": "alpha blend members soup ema",
}
"""The fields of each element in 0.1, in their order."""


class _Group(NamedTuple):
    """Flat fields of 0.1 that make one option, the first being the one that set it."""

    field: str  # the field of the recipe that holds the option
    kind: type[Option]
    names: dict[str, str]  # old flat field -> field of the option
    defaults: tuple[Any, ...]  # what 0.1 had for each of them


def _group(field: str, kind: type[Option], names: str, *defaults: Any) -> _Group:
    """Return a group from the names of its fields: "old:new", or one word if both are the same."""
    pairs = (name.partition(":") for name in names.split())
    return _Group(field, kind, {old: new if mark else old for old, mark, new in pairs}, defaults)


_GROUPS = (
    _group("replay", options.ReplayRows, "replay:rows sample beside:per_batch", 0, "reservoir", False),
    _group("subset", options.Subset, "subset:by share:fraction", None, 1.0),
    _group("trees", options.Trees, "append:rounds shrink:learning_rate l2", 0, None, None),
    _group("trees", options.RefitLeaves, "releaf:decay l2", None, None),
    _group("search", options.Search, "search:tries", 0),
    _group("head", options.FreshHead, "new_head:", False),
    _group("head", options.Exact, "analytic:width reads l2", None, "last", None),
    _group("classes", options.NewClasses, "grow:init", None),
    _group("lora", options.LowRank, "rank adapt:layers apart:merge", 0, (), False),
    _group("architecture", options.Architecture, "factory arguments", None, ()),
    _group("perturb", options.Perturb, "keep noise", None, 0.0),
    _group("pull", options.Pull, "pull:strength importance normalise", 0.0, "uniform", False),
    _group("distill", options.Distill, "soft:weight temperature", 0.0, 2.0),
    _group("stored_logits", options.StoredLogits, "logits:weight", 0.0),
    _group("objective", options.TaskObjective, "task_loss:loss smoothing class_weight", None, 0.0, None),
    _group("ensemble", options.Ensemble, "blend:combine members", None, 5),
)
_ANY = {options.Perturb, options.TaskObjective}  # set by any of their fields, not by the first alone
_PLAIN = {
    "cap": "max_rows",
    "emphasis": "new_row_weight",
    "fresh": "l2_new_weights",
    "labels": "replay_weight",
    "optimizer": "name",
}
_GONE = {"projection", "neighbours"}  # options of an exact head, without effect now
_OLD = _PLAIN.keys() | _GONE | {name for group in _GROUPS for name in group.names}
_FIELDS = {group.field for group in _GROUPS}
_BOTH = {"replay", "subset", "search", "pull"}  # fields of both, of another type in 0.1


def is_old(name: str, value: Any, *, none: bool = False) -> bool:
    """Return whether this is a field of 0.1, by its name or by the type of its value.

    With `none`, None is a value of 0.1 too: there ``replay=None`` meant all remembered rows, and now it means none.
    """
    if name in _BOTH:
        return not isinstance(value, Option) and (value is not None or none)
    return name in _OLD


def present_fields(old: Mapping[str, Any], current: Callable[[str], Any] = lambda field: None) -> dict[str, Any]:
    """Return the fields of 0.1 of one edit as fields of now; `current` gives the value of a field before the edit.

    A field without effect, such as ``temperature`` without ``soft``, is left out with a warning.
    """
    found: dict[str, Any] = {_PLAIN[name]: value for name, value in old.items() if name in _PLAIN}
    used = _PLAIN.keys() | _GONE
    for group in _GROUPS:
        if group.names.keys().isdisjoint(old):
            continue
        now = current(group.field)
        values = {name: old.get(name, held) for name, held in _held(group, now).items()}
        count = len(values) if group.kind in _ANY else 1
        if tuple(values.values())[:count] != group.defaults[:count]:
            made = {new: _to_new(name, values[name]) for name, new in group.names.items() if new}
            found[group.field] = group.kind(**made)
            used |= group.names.keys()
        elif isinstance(now, group.kind) and group.field not in found:
            found[group.field] = None
    _warn_of_idle({name: value for name, value in old.items() if name not in used})
    return found


def _warn_of_idle(old: Mapping[str, Any]) -> None:
    """Warn of the first field that is not at its default and has no effect without another one."""
    for name, value in old.items():
        groups = [group for group in _GROUPS if name in group.names]
        if all(value != dict(zip(group.names, group.defaults, strict=True))[name] for group in groups):
            leads = " or ".join(next(iter(group.names)) for group in groups)
            message = f"{name}={value!r} has no effect without {leads}; set both in one call."
            warnings.warn(message, DeprecationWarning, stacklevel=5)
            break


def _read_old(element: Any, name: str) -> Any:
    """Return a flat field of 0.1 from an element of now."""
    fields = {f.name for f in dataclasses.fields(element)}
    if _PLAIN.get(name) in fields:
        return getattr(element, _PLAIN[name])
    for group in _GROUPS:
        if name in group.names and group.field in fields:
            return _held(group, getattr(element, group.field))[name]
    raise AttributeError(f"{type(element).__name__} has no field {name!r}; it has {', '.join(sorted(fields))}.")


def warn_of(names: Sequence[str], stacklevel: int) -> None:
    """Warn of old flat fields, each with the field of now."""
    written = "; ".join(f"{name}=... is now {_written(name)}" for name in names)
    warnings.warn(
        f"Fields of 0.1: {written}. The old names will go in the next release.",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def accepts_0_1(cls: C) -> C:
    """Let an element of a recipe also take and give the fields that it had in 0.1."""
    first: Callable[..., None] = cls.__init__  # type: ignore[misc]  # of the class itself
    names, order = [f.name for f in dataclasses.fields(cls)], _ORDER[cls.__name__].split()

    @functools.wraps(first)
    def init(self: object, *args: Any, **kwargs: Any) -> None:
        if not _is_written_old(names, order, args, kwargs):
            return first(self, *args, **kwargs)
        given = dict(zip(order, args, strict=False)) | kwargs
        old = {name: value for name, value in given.items() if is_old(name, value, none=True)}
        warn_of(list(old), 2)
        made = present_fields(old)
        if foreign := made.keys() - set(names):
            raise UsageError(f"{cls.__name__} no longer has l2; set it in the option of {foreign.pop()!r}.")
        return first(self, **{name: value for name, value in given.items() if name not in old}, **made)

    def read(self: object, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = _read_old(self, name)
        warn_of([name], 2)
        return value

    for name, member in (("__init__", init), ("__getattr__", read)):
        setattr(cls, name, member)
    return cls


def _is_written_old(names: Sequence[str], order: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Return whether arguments are those of 0.1; ``Data(None)`` is: it meant all remembered rows."""
    if any(is_old(name, value) for name, value in kwargs.items()):
        return True
    for name, value in zip(names, args, strict=False):
        if name in _FIELDS and value is not None and not isinstance(value, Option):
            return True
    return (bool(args) and args[0] is None and order[0] == "replay") or len(args) > len(names)


def _held(group: _Group, option: Any) -> dict[str, Any]:
    """Return an option as fields of 0.1; their defaults if it is not of this kind."""
    if not isinstance(option, group.kind):
        return dict(zip(group.names, group.defaults, strict=True))
    return {old: _to_old(old, getattr(option, new, True)) for old, new in group.names.items()}


def _to_new(old: str, value: Any) -> Any:
    if old == "apart":
        return not value
    if old == "factory":
        return value or None  # "" was the champion's own
    return 1.0 if old == "keep" and value is None else value


def _to_old(old: str, value: Any) -> Any:
    if old == "apart":
        return not value
    return "" if old == "factory" and value is None else value


def _written(name: str) -> str:
    """Return how a field of 0.1 is written now."""
    if name in _GONE:
        return "ignored"
    if name in _PLAIN:
        return f"{_PLAIN[name]}=..."
    group = next(group for group in _GROUPS if name in group.names)
    inner = f"{group.names[name]}=..." if group.names[name] else ""
    return f"{group.field}={group.kind.__name__}({inner})"
