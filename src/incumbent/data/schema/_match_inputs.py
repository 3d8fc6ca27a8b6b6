"""Match arrays to the inputs of a network: by name, or the only one to the only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from incumbent.core import Finding
from incumbent.data.rows._tensors import Tensors
from incumbent.data.schema._input import Input
from incumbent.errors import DataError, SchemaError
from incumbent.words import describe_missing, listed


def find_inputs(rows: Tensors, *, target: str, time: str | None, group: str | None) -> tuple[Input, ...]:
    """Return the inputs of the rows that a network was trained on: every array without another role.

    Raises
    ------
    DataError
        A named array is missing, or no array is left for an input.
    SchemaError
        An input does not hold numbers.
    """
    names = list(rows.parts)
    for role, name in (("label array", target), ("time array", time), ("group array", group)):
        if name is not None and name not in names:
            missing = describe_missing(rows.source, role, [name], names)
            raise DataError(f"{missing} Name it with target, time or group.")
    if target in (time, group):
        raise DataError(f"{target!r} cannot be both the target and the time or the group; name another array.")
    inputs = {name: part for name, part in rows.parts.items() if name not in (target, time, group)}
    if not inputs:
        raise DataError(f"{rows.source} has no array left for an input; a model needs at least one.")
    single = len(inputs) == 1 and not rows.named
    return tuple(Input.of("" if single else name, part) for name, part in inputs.items())


def check_inputs(
    inputs: Sequence[Input], rows: Tensors, required: Mapping[str, str | None], other_roles: set[str | None]
) -> tuple[Any, list[Finding]]:
    """Return new inputs as the model takes them, one array or a dict, and the findings about them.

    Parameters
    ----------
    inputs : sequence of Input
        What the model was trained on.
    rows : Tensors
        The new rows.
    required : mapping of str to str or None
        Names of the arrays that the rows must have besides the inputs, by role.
    other_roles : set of str or None
        Names of the arrays that are not inputs.
    """
    for role, name in required.items():
        if name is not None and name not in rows.parts:
            raise SchemaError(describe_missing(rows.source, f"{role} array", [name], list(rows.parts)))
    given = _match_single(inputs, {name: part for name, part in rows.parts.items() if name not in other_roles})
    known = [each.name for each in inputs]
    if missing := [name for name in known if name not in given]:
        raise SchemaError(describe_missing(rows.source, "input", missing, list(given)))
    findings = _note_extra([name for name in given if name not in known])
    x = {}
    for each in inputs:
        x[each.name], found = each.check(given[each.name])
        findings += found
    return (x[""] if known == [""] else x), findings


def _note_extra(names: list[str]) -> list[Finding]:
    if not names:
        return []
    verb = "is not an input of the model and is" if len(names) == 1 else "are not inputs of the model and are"
    return [Finding("note", names[0] if len(names) == 1 else "", f"{listed(names)} {verb} ignored.")]


def _match_single(inputs: Sequence[Input], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays under the names of the inputs; a model with one input takes the only array, or "x"."""
    if len(inputs) != 1 or inputs[0].name in given:
        return given
    name = "x" if "x" in given else next(iter(given), "x")
    if len(given) > 1 and name != "x":
        raise SchemaError(
            f"There are {len(given)} arrays, {listed(given)}, but the model takes one. Give that one alone, or name it "
            "'x'."
        )
    return {inputs[0].name if other == name else other: part for other, part in given.items()}
