"""The schema that is stored with a model, and the check of new rows against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from incumbent.core import Batch, DataCheck, Finding, Task, Value
from incumbent.data.reading._arrays import holds_images
from incumbent.data.reading._read import read
from incumbent.data.rows._tensors import Tensors
from incumbent.data.schema import _labels
from incumbent.data.schema._check import absent, digest
from incumbent.data.schema._column import Column
from incumbent.data.schema._input import Input, checked_columns
from incumbent.data.schema._input_check import checked_inputs, column_of, inputs_of, source_of, wants_arrays
from incumbent.data.schema._kinds import Scalar
from incumbent.data.schema._several import labels_of, several, task_of
from incumbent.data.schema._weights import weights
from incumbent.errors import DataError, SchemaError
from incumbent.words import listed

_TABLE, _TENSORS = 1, 2  # formats; raise them when a stored schema changes its meaning, and read the older ones too


@dataclass(frozen=True, repr=False)
class Schema(Value):
    """What the rows look like that a model was trained on.

    Parameters
    ----------
    columns : tuple of Column
        The model's features, in its order; none where it takes tensors.
    target : str
        The column of labels.
    time, group : str, optional
        The columns that say when a row was observed, and which rows belong together.
    task : {"classification", "regression"}
        What the model predicts.
    classes : tuple
        The known classes, sorted; empty for a regression.
    inputs : tuple of Input
        The inputs of a neural network that takes arrays; one without a name where it takes one array and no dict.
    labels : int
        How many labels, each on or off, or values a row has at once; several only where there are `inputs`.

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
      note: 'age' was given as text; all its values were read as numbers.
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
        frame : data frame, tensors, or whatever `read` takes as a table
            The rows. Tensors make a schema of `inputs`.
        target, time, group : str
            The columns of labels, of times and of groups.
        task : {"classification", "regression"}, optional
            Absent, it follows from the labels: numbers with many distinct values are a regression.
        features : sequence of str, optional
            The model's own feature names in its order; then other columns are no features. Absent, every column is one
            that has no other role.

        Raises
        ------
        SchemaError
            The rows lack some of `features`.
        DataError
            A named column is absent, no row has a label, or the labels do not suit the task.
        """
        if isinstance(frame, Tensors):
            return _of_tensors(cls, frame, target=target, time=time, group=group, task=task)
        frame = read(frame)
        names = list(frame.columns)
        roles = {"target": target, "time": time, "group": group}
        for role, name in roles.items():
            if name is not None and name not in names:
                raise DataError(absent(f"{role} column", [name], names, frame.attrs["source"]))
        if target in (time, group):
            raise DataError(f"{target!r} cannot be the target and the time or the group at once; name another column.")
        wanted = list(features) if features is not None else [name for name in names if name not in roles.values()]
        if lacking := [name for name in wanted if name not in names]:
            raise SchemaError(absent("feature", lacking, names, frame.attrs["source"]))
        if not wanted or target in wanted:
            why = f"its target {target!r} is among its features" if wanted else "no column is left for a feature"
            raise DataError(f"A model cannot learn from {frame.attrs['source']}: {why}.")
        task, classes = _task_and_classes(frame[target], task)
        return cls(tuple(Column.of(frame[name]) for name in wanted), target, time, group, task, classes)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the model's features or inputs, in its order."""
        return (*(column.name for column in self.columns), *(each.name or "x" for each in self.inputs))

    def read(self, source: Any) -> pd.DataFrame | Tensors:
        """Return rows as a table or as tensors, whichever the model was trained on, to be checked next.

        A folder of images is read in the size and the channels of the images that the model was trained on.
        """
        given = _form_of_images(self.inputs) if holds_images(source) else {}
        return read(source, names=self.features, target=self.target, tensors=bool(self.inputs), **given)

    def check(self, frame: Any, *, labelled: bool = True, weight: str | None = None) -> tuple[Batch, DataCheck]:
        """Return new rows as the model was trained on them, and what was found on the way.

        Parameters
        ----------
        frame : data frame, tensors, or whatever `read` takes
            The new rows.
        labelled : bool
            Whether labels are needed, and times and groups where the schema has them. If not, labels are left out.
        weight : str, optional
            A column of these rows that says how much each counts; scaled to a mean of one.

        Returns
        -------
        batch : Batch
            `x` has exactly the schema's columns, in order, in the stored dtypes where that loses nothing; a frame that
            is already so is not copied. Of tensors it is the one array, or a dict of all inputs in the schema's
            order; lazy rows stay so. `y` has the type of the known classes, or is float64.
        check : DataCheck
            Findings, row count and digest.

        Raises
        ------
        SchemaError
            A column is absent, a value has another type or is infinite, or a row has no label.
        DataError
            There are no rows, or the frame is no sound table.
        """
        rows = self.read(frame)
        parts: Any = rows.parts if isinstance(rows, Tensors) else rows
        x, findings = self._features(rows, labelled, weight)
        y, found = self._labels(parts) if labelled else (None, [])
        counts, note = (None, None) if weight is None else weights(column_of(parts, weight))
        findings += [note] if note is not None else []
        batch = Batch(
            x,
            y,
            counts,
            time=_labels.times(column_of(parts, self.time)) if self.time in parts else None,
            group=_labels.groups(column_of(parts, self.group)) if self.group in parts else None,
        )
        width, source = len(self.columns) + sum(each.size for each in self.inputs), source_of(rows)
        return batch, DataCheck((*findings, *found), len(batch), width, digest(batch), source)

    def _features(self, rows: pd.DataFrame | Tensors, labelled: bool, weight: str | None) -> tuple[Any, list[Finding]]:
        if isinstance(rows, Tensors):
            roles = {"label": self.target, "time": self.time, "group": self.group} if labelled else {}
            x, findings = checked_inputs(self, rows, {**roles, "weight": weight})
            return x, [*rows.notes, *findings]
        if self.inputs:
            raise wants_arrays(self, rows)
        self._check_names(rows, labelled, weight)
        x, findings = checked_columns(rows, self.columns)
        return x, [*self._extra(rows, weight), *findings]

    def _check_names(self, frame: pd.DataFrame, labelled: bool, weight: str | None) -> None:
        names, source = list(frame.columns), frame.attrs["source"]
        if lacking := [name for name in self.features if name not in frame.columns]:
            raise SchemaError(absent("feature", lacking, names, source))
        for role, name in (("label", self.target), ("time", self.time), ("group", self.group)):
            if labelled and name is not None and name not in frame.columns:
                raise SchemaError(absent(f"{role} column", [name], names, source))
        if weight is not None and weight not in frame.columns:
            raise SchemaError(absent("weight column", [weight], names, source))
        if weight is not None and weight in {*self.features, self.target, self.time, self.group}:
            raise SchemaError(
                f"{weight!r} cannot weigh the rows: it has another role in this model. Name another column."
            )

    def _extra(self, frame: pd.DataFrame, weight: str | None) -> list[Finding]:
        used = {*self.features, self.target, self.time, self.group, weight}
        extra = [name for name in frame.columns if name not in used]
        if not extra:
            return []
        are = "is no feature of the model; it is" if len(extra) == 1 else "are no features of the model; they are"
        return [Finding("note", extra[0] if len(extra) == 1 else "", f"{listed(extra)} {are} ignored.")]

    def _labels(self, parts: Any) -> tuple[Any, list[Finding]]:
        if self.labels > 1:
            return several(parts[self.target], self.target, self.labels, self.task), []
        target = column_of(parts, self.target)
        return _labels.labels(target, self.classes) if self.task == "classification" else _labels.values(target)

    def widened(self, x: Any) -> Schema:
        """Return the schema of a model that was trained on these checked rows too: its categories and its ranges."""
        if self.inputs:
            parts = x if isinstance(x, dict) else {self.inputs[0].name: x}
            return self.replace(inputs=tuple(each.widened(parts[each.name]) for each in self.inputs))
        known = set(x.columns)
        return self.replace(
            columns=tuple(each.widened(x[each.name]) if each.name in known else each for each in self.columns)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain numbers, texts, lists and dicts, for JSON."""
        columns = [asdict(column) | {"categories": list(column.categories)} for column in self.columns]
        stored = {**asdict(self), "columns": columns, "classes": list(self.classes)}
        if not self.inputs:  # as ever, so that programs of before can read it
            del stored["inputs"], stored["labels"]
            return {"format": _TABLE, **stored}
        return {"format": _TENSORS, **stored, "inputs": [each.to_dict() for each in self.inputs]}

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
            columns = (Column(**column | {"categories": tuple(column["categories"])}) for column in fields["columns"])
            inputs = tuple(Input.from_dict(each) for each in fields.get("inputs", ()))
            return cls(**fields | {"columns": tuple(columns), "classes": tuple(fields["classes"]), "inputs": inputs})
        except (KeyError, TypeError) as error:
            raise SchemaError(f"A stored schema is damaged ({error}); restore the version's files.") from error


def _of_tensors(
    kind: type[Schema], rows: Tensors, *, target: str, time: str | None, group: str | None, task: Task | None
) -> Schema:
    inputs = inputs_of(rows, target=target, time=time, group=group)
    if (width := labels_of(rows.parts[target])) > 1:
        task = task or task_of(rows.parts[target])
        several(rows.parts[target], target, width, task)
        names = tuple(range(width)) if task == "classification" else ()
        return kind((), target, time, group, task, names, inputs, width)
    task, classes = _task_and_classes(column_of(rows.parts, target), task)
    return kind((), target, time, group, task, classes, inputs)


def _form_of_images(inputs: tuple[Input, ...]) -> dict[str, Any]:
    """Return the size and channels of the one input that images (h, w, c) in bytes are; nothing where there is none."""
    shape = inputs[0].shape if len(inputs) == 1 and inputs[0].dtype == "uint8" else ()
    return {"size": shape[:2], "channels": shape[2]} if len(shape) == 3 and shape[2] in (1, 3) else {}


def _task_and_classes(target: pd.Series[Any], task: Task | None) -> tuple[Task, tuple[Scalar, ...]]:
    if _labels.unlabelled(target).all():
        raise DataError(f"No row has a label in {target.name!r}; name the column of labels with --target.")
    task = task or _labels.task_of(target)
    if task == "regression":
        _labels.check_values(target)
        return task, ()
    return task, _labels.classes_of(target)
