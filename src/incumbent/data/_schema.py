"""The schema that is stored with a model, and the check of new rows against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from incumbent.core import Batch, Task, Value
from incumbent.data import _labels
from incumbent.data._check import DataCheck, Finding, counted, digest, listed, nearest
from incumbent.data._column import Column
from incumbent.data._kinds import Scalar
from incumbent.data._read import read
from incumbent.data._weights import weights
from incumbent.errors import DataError, SchemaError

_FORMAT = 1  # raise it when a stored schema changes its meaning, and read the older ones in from_dict


@dataclass(frozen=True, repr=False)
class Schema(Value):
    """What the rows look like that a model was trained on.

    Parameters
    ----------
    columns : tuple of Column
        The model's features, in its order.
    target : str
        The column of labels.
    time, group : str, optional
        The columns that say when a row was observed, and which rows belong together.
    task : {"classification", "regression"}
        What the model predicts.
    classes : tuple
        The known classes, sorted; empty for a regression.

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
        frame : data frame, or whatever `read` takes
            The rows.
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
        frame = read(frame)
        names = list(frame.columns)
        roles = {"target": target, "time": time, "group": group}
        for role, name in roles.items():
            if name is not None and name not in names:
                raise DataError(_absent(f"{role} column", [name], names, frame.attrs["source"]))
        if target in (time, group):
            raise DataError(f"{target!r} cannot be the target and the time or the group at once; name another column.")
        wanted = list(features) if features is not None else [name for name in names if name not in roles.values()]
        if lacking := [name for name in wanted if name not in names]:
            raise SchemaError(_absent("feature", lacking, names, frame.attrs["source"]))
        if not wanted or target in wanted:
            why = f"its target {target!r} is among its features" if wanted else "no column is left for a feature"
            raise DataError(f"A model cannot learn from {frame.attrs['source']}: {why}.")
        task, classes = _task_and_classes(frame[target], task)
        return cls(tuple(Column.of(frame[name]) for name in wanted), target, time, group, task, classes)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the model's features, in its order."""
        return tuple(column.name for column in self.columns)

    def check(self, frame: Any, *, labelled: bool = True, weight: str | None = None) -> tuple[Batch, DataCheck]:
        """Return new rows as the model was trained on them, and what was found on the way.

        Parameters
        ----------
        frame : data frame, or whatever `read` takes
            The new rows.
        labelled : bool
            Whether labels are needed, and times and groups where the schema has them. If not, labels are left out.
        weight : str, optional
            A column of these rows that says how much each counts; scaled to a mean of one.

        Returns
        -------
        batch : Batch
            `x` has exactly the schema's columns, in order, in the stored dtypes where that loses nothing; a frame that
            is already so is not copied. `y` has the type of the known classes, or is float64.
        check : DataCheck
            Findings, row count and digest.

        Raises
        ------
        SchemaError
            A column is absent, a value has another type or is infinite, or a row has no label.
        DataError
            There are no rows, or the frame is no sound table.
        """
        frame = read(frame)
        self._check_names(frame, labelled, weight)
        findings = self._extra(frame, weight)
        checked, changed = {}, list(self.features) != list(frame.columns)
        for column in self.columns:
            series = frame[column.name]
            checked[column.name], found = column.check(series)
            changed = changed or checked[column.name] is not series
            findings += found
        y, found = self._labels(frame[self.target]) if labelled else (None, [])
        counts, note = (None, None) if weight is None else weights(frame[weight])
        findings += [note] if note is not None else []
        batch = Batch(
            pd.DataFrame(checked, copy=False) if changed else frame,
            y,
            counts,
            time=_labels.times(frame[self.time]) if self.time in frame.columns else None,
            group=_labels.groups(frame[self.group]) if self.group in frame.columns else None,
        )
        check = DataCheck((*findings, *found), len(batch), len(self.columns), digest(batch), str(frame.attrs["source"]))
        return batch, check

    def _check_names(self, frame: pd.DataFrame, labelled: bool, weight: str | None) -> None:
        names, source = list(frame.columns), frame.attrs["source"]
        if lacking := [name for name in self.features if name not in frame.columns]:
            raise SchemaError(_absent("feature", lacking, names, source))
        for role, name in (("label", self.target), ("time", self.time), ("group", self.group)):
            if labelled and name is not None and name not in frame.columns:
                raise SchemaError(_absent(f"{role} column", [name], names, source))
        if weight is not None and weight not in frame.columns:
            raise SchemaError(_absent("weight column", [weight], names, source))
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

    def _labels(self, target: pd.Series[Any]) -> tuple[Any, list[Finding]]:
        return _labels.labels(target, self.classes) if self.task == "classification" else _labels.values(target)

    def widened(self, x: pd.DataFrame) -> Schema:
        """Return the schema of a model that was trained on these checked rows too: its categories and its ranges."""
        known = set(x.columns)
        return self.but(
            columns=tuple(each.widened(x[each.name]) if each.name in known else each for each in self.columns)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain numbers, texts, lists and dicts, for JSON."""
        columns = [asdict(column) | {"categories": list(column.categories)} for column in self.columns]
        return {"format": _FORMAT, **asdict(self), "columns": columns, "classes": list(self.classes)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_dict` wrote.

        Raises
        ------
        SchemaError
            It was written by a newer version, or is damaged.
        """
        if stored.get("format") != _FORMAT:
            raise SchemaError(
                f"This schema has format {stored.get('format')!r}; this version of incumbent reads format {_FORMAT}. "
                f"Update it with: pip install --upgrade incumbent"
            )
        try:
            fields = {name: value for name, value in stored.items() if name != "format"}
            columns = (Column(**column | {"categories": tuple(column["categories"])}) for column in fields["columns"])
            return cls(**fields | {"columns": tuple(columns), "classes": tuple(fields["classes"])})
        except (KeyError, TypeError) as error:
            raise SchemaError(f"A stored schema is damaged ({error}); restore the version's files.") from error


def _task_and_classes(target: pd.Series[Any], task: Task | None) -> tuple[Task, tuple[Scalar, ...]]:
    if _labels.unlabelled(target).all():
        raise DataError(f"No row has a label in {target.name!r}; name the column of labels with --target.")
    task = task or _labels.task_of(target)
    if task == "regression":
        _labels.check_values(target)
        return task, ()
    return task, _labels.classes_of(target)


def _absent(what: str, names: Sequence[str], there: Sequence[str], source: str) -> str:
    meant = {name: nearest(name, there) for name in names}
    shown = [f"{name!r} (is it {near!r}?)" if near else repr(name) for name, near in list(meant.items())[:8]]
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    count = f"the {what}" if len(names) == 1 else counted(len(names), what)
    return f"{source} lacks {count} {', '.join(shown)}{more}; it has {listed(there, 12)}."
