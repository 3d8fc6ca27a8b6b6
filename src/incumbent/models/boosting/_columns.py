"""The columns a boosted model was trained on, and a table in the form that it expects.

Boosters read a category as its position in a list that was fixed in training. Another order of the same categories
changes every prediction and raises no error, so the list is always the model's and never the data's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from incumbent.errors import ModelError
from incumbent.words import listed

Vocabulary = Literal["known", "grown", "present"]


@dataclass(frozen=True, eq=False)
class Columns:
    """The features of a booster.

    A model that was trained on an array has no `names`. `categories` are in the model's order, None if its file has no
    list. `ordered` names the columns whose categories have an order. With `blanks`, the framework writes ``_`` for
    blanks in names.

    Examples
    --------
    >>> columns = Columns("LightGBM", 1, ("colour",), {"colour": pd.Index(["red", "blue"])})
    >>> columns.table(pd.DataFrame({"colour": ["blue", "green", "red"]}))["colour"].cat.codes.tolist()
    [1, -1, 0]
    """

    framework: str
    count: int
    names: tuple[str, ...] | None
    categories: Mapping[str, Any] = field(default_factory=dict)
    ordered: frozenset[str] = frozenset()
    blanks: bool = False

    def table(self, x: Any, vocabulary: Vocabulary = "known") -> Any:
        """Return `x` with the model's columns in the model's order; the same object if nothing had to change.

        `vocabulary` sets the categories of the result:

        - "known": the model's own; others become missing;
        - "grown": the model's own, then the new ones;
        - "present": only those that occur, for a fit from scratch.
        """
        if hasattr(x, "iloc"):
            return self._frame(x, vocabulary)
        shape: tuple[int, ...] = getattr(x, "shape", ())
        if len(shape) != 2 or shape[1] != self.count or self.categories:
            kind = f"{len(self.names)} named columns" if self.names else f"{self.count} columns"
            given = f"an array of shape {shape}" if shape else f"a {type(x).__name__}"
            raise ModelError(f"This {self.framework} model reads a data frame with {kind}; got {given}.")
        if getattr(getattr(x, "dtype", None), "kind", "") == "O":
            return self._frame(pd.DataFrame(x, columns=self.names), vocabulary)
        return x

    def _frame(self, x: Any, vocabulary: Vocabulary) -> Any:
        x = self._select(x)
        if self.categories or not all(_is_plain(dtype) for dtype in x.dtypes):
            columns = [x.iloc[:, at] for at in range(x.shape[1])]
            fixed = [
                self._category(column.name, column, vocabulary) if column.name in self.categories else _number(column)
                for column in columns
            ]
            if any(new is not old for new, old in zip(fixed, columns, strict=True)):
                x = pd.concat(fixed, axis=1)
        return x if self.names is not None else x.to_numpy()

    def _select(self, x: Any) -> Any:
        given = [str(column) for column in x.columns]
        if self.names is None:
            if len(given) != self.count:
                raise ModelError(
                    f"This {self.framework} model was trained on {self.count} columns without names, but the data have "
                    f"{len(given)}: {listed(given, 5)}."
                )
            return x
        if tuple(given) == self.names and list(x.columns) == given:
            return x
        place = {name: at for at, name in reversed(list(enumerate(given)))}
        if self.blanks:
            place = {"_".join(name.split(" ")): at for name, at in place.items()} | place
        missing = [name for name in self.names if name not in place]
        if missing:
            raise ModelError(
                f"The data lack {listed(missing, 5)}, which this {self.framework} model was trained on; "
                f"they have {listed(given, 5)}."
            )
        return x.iloc[:, [place[name] for name in self.names]].set_axis(list(self.names), axis=1)

    def _category(self, name: str, values: Any, vocabulary: Vocabulary) -> Any:
        known = self.categories[name]
        is_category = isinstance(values.dtype, pd.CategoricalDtype)
        if known is None:
            if is_category:
                return values
            raise ModelError(
                f"The {self.framework} model keeps no list of the categories of {name!r}, so the column must come as a "
                f"pandas category in the order used in training; it is {values.dtype}."
            )
        codes, seen = _factorised(values)
        wanted = _vocabulary_of(known, seen, codes, vocabulary)
        place = wanted.get_indexer(seen)
        if len(seen) and (known.get_indexer(seen) < 0).all() and _is_text(known) != _is_text(seen):
            raise ModelError(
                f"Column {name!r} holds {listed(seen, 5)} but the {self.framework} model knows the categories "
                f"{listed(known, 5)}: the type has changed."
            )
        if is_category and len(wanted) == len(seen) and (place == np.arange(len(seen))).all():
            return values
        placed = np.append(place, -1)[codes]  # code -1 (missing) picks the -1 at the end
        made = pd.Categorical.from_codes(placed, categories=wanted, ordered=name in self.ordered)
        return pd.Series(made, index=values.index, name=values.name)


def _factorised(values: Any) -> tuple[Any, Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy(), values.cat.categories
    codes, seen = pd.factorize(values)
    return codes, pd.Index(seen)


def _vocabulary_of(known: Any, seen: Any, codes: Any, vocabulary: Vocabulary) -> Any:
    if vocabulary == "known":
        return known
    occurring = seen[np.unique(codes[codes >= 0])]
    new = occurring[known.get_indexer(occurring) < 0]
    old = known if vocabulary == "grown" else known[occurring.get_indexer(known) >= 0]
    return old.append(new) if len(new) else old


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _is_text(values: Any) -> bool:
    return len(values) > 0 and isinstance(values[0], str)


def _number(values: Any) -> Any:
    if _is_plain(values.dtype):
        return values
    if values.dtype.kind in "mM":
        raise ModelError(
            f"Column {str(values.name)!r} holds times ({values.dtype}) but the model was trained on numbers there; "
            "turn it into numbers, or name it as the time column."
        )
    plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
    numbers = pd.to_numeric(plain, errors="coerce")
    strange = plain[numbers.isna() & plain.notna()]
    if len(strange):
        raise ModelError(
            f"Column {str(values.name)!r} holds text such as {strange.iloc[0]!r} "
            "but the model was trained on numbers there."
        )
    return pd.Series(numbers.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index, name=values.name)
