"""The schema that is stored with a model, and the check of new rows against it.

`pyarrow.Schema` would not replace it: it has no categories in the order of their codes, no ranges and no shapes, and
the errors of its casts name neither the row nor what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from incumbent._deprecated import renamed_members
from incumbent.core import Batch, DataCheck, Finding, Task, Value
from incumbent.data.reading._arrays import has_images
from incumbent.data.reading._read import read
from incumbent.data.rows._keys import hash_batch
from incumbent.data.rows._lazy import hash_lazy_rows
from incumbent.data.rows._tensors import Tensors, describe
from incumbent.data.schema._column import Column
from incumbent.data.schema._input import Input, check_columns, check_inputs, note_extra
from incumbent.data.schema._kinds import Scalar
from incumbent.data.schema._labels import (
    check_numeric,
    count_labels,
    find_classes,
    infer_task,
    infer_task_of_several,
    is_unlabelled,
    read_labels,
    read_several,
    read_values,
)
from incumbent.data.schema._roles import check_roles, get_column, read_groups, read_times, read_weights
from incumbent.errors import DataError, SchemaError
from incumbent.words import describe_missing, listed

_TABLE, _TENSORS = 1, 2  # formats; add one when the meaning of a stored schema changes, and still read the older ones


@renamed_members({"widened": "extend"})
@dataclass(frozen=True, repr=False)
class Schema(Value):
    """What the rows look like that a model was trained on.

    Parameters
    ----------
    columns : tuple of Column
        The model's features, in its order; empty if it takes tensors.
    target : str
        The column of labels.
    time, group : str, optional
        The columns of the time when a row was observed, and of its group.
    task : {"classification", "regression"}
        What the model predicts.
    classes : tuple
        The known classes, sorted; empty for a regression.
    inputs : tuple of Input
        The inputs of a network that takes arrays; a single one has no name if the network takes an array and no dict.
    labels : int
        Number of labels (each 0 or 1) or values of each row; more than one only with `inputs`.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"age": [18, 44, 95], "job": ["cook", "nurse", "cook"], "paid": ["no", "yes", "no"]})
    >>> schema = Schema.of(old, target="paid")
    >>> batch, check = schema.check(pd.DataFrame({"job": ["pilot"], "age": ["30"], "paid": ["yes"]}))
    >>> batch.x
       age    job
    0   30  pilot
    >>> print(check)
    pandas frame: 1 row, 2 features, 2 warnings, 1 note
      warning: 'job' has categories that the model has not seen, in 1 row of 1: 'pilot'.
      warning: The only label in 'paid' is 'yes' (1 row): nothing can be learned from one label.
      note: 'age' was text; all its values are read as numbers.
    >>> Schema.from_dict(schema.to_dict()) == schema
    True
    """

    columns: tuple[Column, ...]
    target: str
    time: str | None = None
    group: str | None = None
    task: Task = "classification"
    classes: tuple[Scalar, ...] = ()
    inputs: tuple[Input, ...] = ()
    labels: int = 1

    @classmethod
    def of(
        cls,
        frame: Any,
        *,
        target: str,
        time: str | None = None,
        group: str | None = None,
        task: Task | None = None,
        features: Sequence[str] | None = None,
    ) -> Schema:
        """Return the schema of rows that a model was trained on.

        Parameters
        ----------
        frame : data frame, tensors, or anything that `read` takes as a table
            The rows. Tensors make a schema of `inputs`.
        target, time, group : str
            The columns of labels, of times and of groups.
        task : {"classification", "regression"}, optional
            If omitted, it is inferred from the labels: numbers with many distinct values are a regression.
        features : sequence of str, optional
            The model's feature names, in its order. If omitted, every column without another role is a feature.

        Raises
        ------
        SchemaError
            Some of `features` are missing.
        DataError
            A named column is missing, no row has a label, or the labels do not fit the task.
        """
        rows = frame if isinstance(frame, Tensors) else read(frame)
        parts, what, source = _parts(rows), "array" if isinstance(rows, Tensors) else "column", _source_of(rows)
        roles = {"target": target, "time": time, "group": group}
        check_roles(source, list(parts), roles, what, " Name it with target, time or group.")
        if target in (time, group):
            raise DataError(f"{target!r} cannot be both the target and the time or the group; name another {what}.")
        free = [name for name in parts if name not in (target, time, group)]
        wanted = free if features is None or isinstance(rows, Tensors) else list(features)
        if missing := [name for name in wanted if name not in parts]:
            raise SchemaError(describe_missing(source, "feature", missing, list(parts)))
        if not wanted or target in wanted:
            why = f"its target {target!r} is among its features" if wanted else f"no {what} is left for a feature"
            raise DataError(f"A model cannot learn from {source}: {why}.")
        if isinstance(rows, Tensors):
            single = len(wanted) == 1 and not rows.named
            inputs = tuple(Input.of("" if single else name, parts[name]) for name in wanted)
            task, classes, labels = _task_of_arrays(parts, target, task)
            return cls((), target, time, group, task, classes, inputs, labels)
        task, classes = _task_and_classes(parts[target], task)
        return cls(tuple(Column.of(parts[name]) for name in wanted), target, time, group, task, classes)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the model's features or inputs, in its order."""
        return (*(column.name for column in self.columns), *(each.name or "x" for each in self.inputs))

    def read(self, source: Any) -> pd.DataFrame | Tensors:
        """Return rows as a table or as tensors, whichever the model was trained on, still to be checked.

        A folder of images is read in the size and the channels of training.
        """
        given = _form_of_images(self.inputs) if has_images(source) else {}
        return read(source, names=self.features, target=self.target, tensors=bool(self.inputs), **given)

    def check(self, frame: Any, *, labelled: bool = True, weight: str | None = None) -> tuple[Batch, DataCheck]:
        """Return new rows in the form of training, and what the check found.

        Parameters
        ----------
        frame : data frame, tensors, or anything that `read` takes
            The new rows.
        labelled : bool
            Whether labels are required, and times and groups if the schema has them. If not, labels are left out.
        weight : str, optional
            The column of sample weights; they are scaled to a mean of one.

        Returns
        -------
        batch : Batch
            `x` has exactly the schema's columns, in order, in the stored dtypes if that loses nothing; a frame in that
            form is not copied. Tensors become one array, or a dict of all inputs in the schema's order; lazy rows stay
            lazy. `y` has the type of the known classes, or is float64.
        check : DataCheck
            Findings, row count and digest.

        Raises
        ------
        SchemaError
            A column is missing, a value has another type or is infinite, or a row has no label.
        DataError
            There are no rows, or the frame is not a valid table.
        """
        rows = self.read(frame)
        self._check_form(rows)
        parts, source = _parts(rows), _source_of(rows)
        roles = {"label": self.target, "time": self.time, "group": self.group} if labelled else {}
        check_roles(source, list(parts), roles | {"weight": weight}, "array" if self.inputs else "column")
        used = {self.target, self.time, self.group}
        if weight is not None and weight in used | set(self.features):
            raise SchemaError(
                f"{weight!r} cannot be the weight: it has another role in this model. Name another column."
            )
        x, findings = self._features(rows, source, used | {weight})
        y, found = self._labels(parts) if labelled else (None, [])
        counts, note = (None, None) if weight is None else read_weights(get_column(parts, weight))
        batch = Batch(
            hash_lazy_rows(x),
            y,
            counts,
            time=read_times(get_column(parts, self.time)) if self.time in parts else None,
            group=read_groups(get_column(parts, self.group)) if self.group in parts else None,
        )
        findings = [*findings, *([] if note is None else [note]), *found]
        width = len(self.columns) + sum(each.size for each in self.inputs)
        return batch, DataCheck(tuple(findings), len(batch), width, hash_batch(batch), source)

    def _check_form(self, rows: pd.DataFrame | Tensors) -> None:
        """Raise an error if the rows are a table but the model takes arrays, or the reverse."""
        if isinstance(rows, Tensors) and not self.inputs:
            raise SchemaError(
                f"{rows.source} holds arrays ({rows}), but the model was trained on a table with "
                f"{listed(self.features, 6)}; give a data frame."
            )
        if isinstance(rows, pd.DataFrame) and self.inputs:
            form = ", ".join(f"{each.name or 'x'} {each.shape} {each.dtype}" for each in self.inputs)
            raise SchemaError(
                f"{_source_of(rows)} is a {describe(rows)}, but the model was trained on arrays with rows of {form}; "
                "give an array, a dict of arrays, an .npz file or a Dataset."
            )

    def _features(
        self, rows: pd.DataFrame | Tensors, source: str, others: set[str | None]
    ) -> tuple[Any, list[Finding]]:
        given = {name: part for name, part in _parts(rows).items() if name not in others}
        if isinstance(rows, Tensors):
            x, findings = check_inputs(self.inputs, given, source)
            return x, [*rows.notes, *findings]
        if missing := [name for name in self.features if name not in rows.columns]:
            raise SchemaError(describe_missing(source, "feature", missing, list(rows.columns)))
        x, findings = check_columns(rows, self.columns)
        return x, [*note_extra([name for name in given if name not in self.features], "a feature"), *findings]

    def _labels(self, parts: Any) -> tuple[Any, list[Finding]]:
        if self.labels > 1:
            return read_several(parts[self.target], self.target, self.labels, self.task), []
        target = get_column(parts, self.target)
        return read_labels(target, self.classes) if self.task == "classification" else read_values(target)

    def extend(self, x: Any) -> Schema:
        """Return the schema of a model that was trained on these checked rows too: new categories and wider ranges."""
        if self.inputs:
            parts = x if isinstance(x, dict) else {self.inputs[0].name: x}
            return self.replace(inputs=tuple(each.extend(parts[each.name]) for each in self.inputs))
        return self.replace(
            columns=tuple(each.extend(x[each.name]) if each.name in x.columns else each for each in self.columns)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain numbers, texts, tuples and dicts, for JSON."""
        stored = asdict(self)
        if self.inputs:
            return {"format": _TENSORS, **stored}
        del stored["inputs"], stored["labels"]  # the first format, which older versions of this package can read
        return {"format": _TABLE, **stored}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_dict` wrote.

        Raises
        ------
        SchemaError
            It was written by a newer version, or is damaged.
        """
        if stored.get("format") not in (_TABLE, _TENSORS):
            raise SchemaError(
                f"This schema has format {stored.get('format')!r}; this version of incumbent reads up to {_TENSORS}. "
                f"Update it with: pip install --upgrade incumbent"
            )
        try:
            fields = {name: value for name, value in stored.items() if name != "format"}
            columns = tuple(map(Column.from_dict, fields["columns"]))
            inputs = tuple(map(Input.from_dict, fields.get("inputs", ())))
            return cls(**fields | {"columns": columns, "classes": tuple(fields["classes"]), "inputs": inputs})
        except (KeyError, TypeError) as error:
            raise SchemaError(f"A stored schema is damaged ({error}); restore the version's files.") from error


def _task_of_arrays(parts: Mapping[str, Any], target: str, task: Task | None) -> tuple[Task, tuple[Scalar, ...], int]:
    """Return the task, the classes, and the number of labels of each row."""
    width = count_labels(parts[target])
    if width == 1:
        return *_task_and_classes(get_column(parts, target), task), 1
    task = task or infer_task_of_several(parts[target])
    read_several(parts[target], target, width, task)
    return task, tuple(range(width)) if task == "classification" else (), width


def _form_of_images(inputs: tuple[Input, ...]) -> dict[str, Any]:
    """Return the size and channels of a single input of images (h, w, c) in bytes, or nothing for other inputs."""
    shape = inputs[0].shape if len(inputs) == 1 and inputs[0].dtype == "uint8" else ()
    return {"size": shape[:2], "channels": shape[2]} if len(shape) == 3 and shape[2] in (1, 3) else {}


def _task_and_classes(target: pd.Series[Any], task: Task | None) -> tuple[Task, tuple[Scalar, ...]]:
    if is_unlabelled(target).all():
        raise DataError(f"No row has a label in {target.name!r}; name the column of labels with --target.")
    task = task or infer_task(target)
    if task == "regression":
        check_numeric(target)
        return task, ()
    return task, find_classes(target)


def _source_of(rows: pd.DataFrame | Tensors) -> str:
    return rows.source if isinstance(rows, Tensors) else str(rows.attrs["source"])


def _parts(rows: pd.DataFrame | Tensors) -> Any:
    """Return the columns or arrays by name."""
    return rows.parts if isinstance(rows, Tensors) else rows
