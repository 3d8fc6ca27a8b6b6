"""Which arrays are inputs, and whether new ones are those that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from incumbent.core import Finding
from incumbent.data.rows._tensors import Tensors, described
from incumbent.data.schema._check import absent
from incumbent.data.schema._input import Input
from incumbent.errors import DataError, SchemaError
from incumbent.words import listed


class ArraySchema(Protocol):
    """What a schema of arrays says: its inputs, its features, and the names of the other roles."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The arrays that the model takes."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of a model that takes a table."""

    @property
    def target(self) -> str | None:
        """The name of the labels."""

    @property
    def time(self) -> str | None:
        """The name of the times."""

    @property
    def group(self) -> str | None:
        """The name of the groups."""


def inputs_of(rows: Tensors, *, target: str, time: str | None, group: str | None) -> tuple[Input, ...]:
    """Return the inputs of the rows that a network was trained on: every array without another role.

    Raises
    ------
    DataError
        An array that was named is absent, or none is left for an input.
    SchemaError
        An input holds no numbers.
    """
    names = list(rows.parts)
    for role, name in (("label array", target), ("time array", time), ("group array", group)):
        if name is not None and name not in names:
            raise DataError(absent(role, [name], names, rows.source) + " Name it with target, time or group.")
    if target in (time, group):
        raise DataError(f"{target!r} cannot be the target and the time or the group at once; name another array.")
    inputs = {name: part for name, part in rows.parts.items() if name not in (target, time, group)}
    if not inputs:
        raise DataError(f"A model cannot learn from {rows.source}: no array is left for an input.")
    alone = len(inputs) == 1 and not rows.named
    return tuple(Input.of("" if alone else name, part) for name, part in inputs.items())


def checked_inputs(schema: ArraySchema, rows: Tensors, roles: Mapping[str, str | None]) -> tuple[Any, list[Finding]]:
    """Return new inputs as the model takes them, one array or a dict, and what should be known about them.

    Parameters
    ----------
    schema : ArraySchema
        What the model was trained on.
    rows : Tensors
        The new rows.
    roles : mapping of str to str or None
        Names of the arrays that the rows must have beside the inputs, by what they are.
    """
    if not schema.inputs:
        raise SchemaError(
            f"{rows.source} holds arrays ({rows}), but the model was trained on a table with "
            f"{listed(schema.features, 6)}; give a data frame."
        )
    for role, name in roles.items():
        if name is not None and name not in rows.parts:
            raise SchemaError(absent(f"{role} array", [name], list(rows.parts), rows.source))
    others = {schema.target, schema.time, schema.group, *roles.values()}
    given = _paired(schema, {name: part for name, part in rows.parts.items() if name not in others})
    known = [each.name for each in schema.inputs]
    if lacking := [name for name in known if name not in given]:
        raise SchemaError(absent("input", lacking, list(given), rows.source))
    findings = _extra([name for name in given if name not in known])
    x = {}
    for each in schema.inputs:
        x[each.name], found = each.check(given[each.name])
        findings += found
    return (x[""] if known == [""] else x), findings


def _extra(names: list[str]) -> list[Finding]:
    if not names:
        return []
    are = "is no input of the model; it is" if len(names) == 1 else "are no inputs of the model; they are"
    return [Finding("note", names[0] if len(names) == 1 else "", f"{listed(names)} {are} ignored.")]


def _paired(schema: ArraySchema, given: dict[str, Any]) -> dict[str, Any]:
    """Return the given arrays under the schema's names: where both have one input, it is that one."""
    if len(schema.inputs) != 1 or schema.inputs[0].name in given:
        return given
    name = "x" if "x" in given else next(iter(given), "x")
    if len(given) > 1 and name != "x":
        raise SchemaError(
            f"There are {len(given)} arrays, {listed(given)}, and the model takes one; give that alone, or call it 'x'."
        )
    return {schema.inputs[0].name if other == name else other: part for other, part in given.items()}


def wants_arrays(schema: ArraySchema, frame: pd.DataFrame) -> SchemaError:
    """Return the error about a table where the model takes arrays."""
    form = ", ".join(f"{each.name or 'x'} {each.shape} {each.dtype}" for each in schema.inputs)
    return SchemaError(
        f"{source_of(frame)} is a {described(frame)}, but the model was trained on arrays with rows of {form}; give an "
        "array, a dict of arrays, an .npz file or a Dataset."
    )


def source_of(rows: pd.DataFrame | Tensors) -> str:
    """Return where rows came from."""
    return rows.source if isinstance(rows, Tensors) else str(rows.attrs["source"])


def column_of(parts: Any, name: str | None) -> pd.Series[Any]:
    """Return the labels, times, groups or weights (n,) as a column."""
    values = parts[name]
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, pd.DataFrame) or values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 1):
        raise DataError(f"{name!r} has shape {values.shape}; one value for each row was expected.")
    plain = np.asarray(values).reshape(len(values))
    # pandas has no type for text of a fixed length
    return pd.Series(plain.astype(object) if plain.dtype.kind in "US" else plain, name=name).infer_objects()
