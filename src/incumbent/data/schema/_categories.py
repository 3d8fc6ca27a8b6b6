"""Which known category each value of a column stands for, whatever type or spelling it came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array
from incumbent.data.schema._kinds import Scalar, as_text
from incumbent.errors import DataError


def as_categories(
    series: pd.Series[Any], known: tuple[Scalar, ...], dtype: str, *, gaps: bool
) -> tuple[pd.Series[Any], dict[Scalar, int], bool]:
    """Return the values in the stored dtype, the unseen categories with their counts, and whether types were changed.

    `gaps` says that empty text stands for a missing value, as it does where the model was trained with some missing.
    """
    codes, distinct = pd.factorize(series)
    values = [plain(value) for value in distinct]
    spelt = {str(category): category for category in reversed(known)}
    same = set(known)
    meant = [value if value in same else _meant(value, spelt, dtype, gaps) for value in values]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    unseen = {
        value: int(count)
        for value, count in zip(meant, counts, strict=True)
        if value is not None and value not in same and count
    }
    changed = any(type(a) is not type(b) for a, b in zip(values, meant, strict=True) if b is not None)
    if dtype == "category":
        return _coded(series, codes, meant, known), unseen, changed
    if values == meant and not changed and not isinstance(series.dtype, pd.CategoricalDtype):
        return as_text(series, dtype), unseen, changed
    texts = np.array([*(np.nan if value is None else value for value in meant), np.nan], dtype=object)
    return as_text(pd.Series(texts[codes], name=series.name), dtype), unseen, changed


def _meant(value: Scalar, spelt: dict[str, Scalar], dtype: str, gaps: bool) -> Scalar | None:
    if value == "" and gaps:
        return None
    if isinstance(value, bool):
        same = (known for text, known in spelt.items() if text.lower() == str(value).lower())
        return next(same, str(value))
    return spelt.get(spelling(value), value if dtype == "category" else spelling(value))


def _coded(
    series: pd.Series[Any], codes: Array, meant: list[Scalar | None], known: tuple[Scalar, ...]
) -> pd.Series[Any]:
    # Unseen categories go to the end: the codes of the known ones stay those the model was trained on.
    wanted = list(dict.fromkeys([*known, *(value for value in meant if value is not None)]))
    if isinstance(series.dtype, pd.CategoricalDtype) and list(series.cat.categories) == wanted:
        return series
    place = {value: at for at, value in enumerate(wanted)}
    moved = np.array([*(-1 if value is None else place[value] for value in meant), -1], dtype=np.intp)
    return pd.Series(categorical(moved[codes], wanted), name=series.name)


def categorical(codes: Array, categories: Sequence[Scalar]) -> Any:
    """Return what `codes` (-1 is missing) say in terms of `categories`."""
    index: Any = pd.Index(list(categories))
    return pd.Categorical.from_codes(codes, categories=index)


def scalars(values: Any, name: str) -> tuple[Scalar, ...]:
    """Return categories as plain text, numbers and booleans, which JSON can hold."""
    found = tuple(plain(value) for value in values)
    odd = next((value for value in found if not isinstance(value, str | int | float)), None)
    if odd is not None:
        raise DataError(
            f"Column {name!r} has the category {odd!r}; categories must be text, numbers or true and false."
        )
    return found


def plain(value: Any) -> Any:
    """Return a numpy scalar as the Python value it is."""
    return value.item() if isinstance(value, np.generic) else value


def spelling(value: Any) -> str:
    """Return a value as text; a whole number that came as a float is spelt without its ".0"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def numeral(category: Scalar) -> bool:
    """Return whether a category reads as a number."""
    return not isinstance(category, str) or category.replace(".", "", 1).isdecimal()


def dated(category: Scalar) -> bool:
    """Return whether a category reads as a time."""
    try:
        datetime.fromisoformat(str(category))
    except ValueError:
        return False
    return True
