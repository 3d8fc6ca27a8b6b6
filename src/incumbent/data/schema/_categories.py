"""Match the values of a column to known categories, whatever their type or spelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from incumbent.core import Array
from incumbent.data.schema._kinds import Scalar, as_text
from incumbent.errors import DataError


def match_categories(
    series: pd.Series[Any], known: tuple[Scalar, ...], dtype: str, *, gaps: bool
) -> tuple[pd.Series[Any], dict[Scalar, int], bool]:
    """Return the values in the stored dtype, the counts of unseen categories, and whether any type was changed.

    With `gaps`, empty text is a missing value; the training data had missing values then.
    """
    codes, distinct = pd.factorize(series)
    values = [plain(value) for value in distinct]
    same = set(known)
    by_text = {str(category): category for category in reversed(known)}
    matched = [value if value in same else _match(value, by_text, dtype, gaps) for value in values]
    counts = zip(matched, np.bincount(codes[codes >= 0], minlength=len(values)), strict=True)
    unseen = {value: int(count) for value, count in counts if value is not None and value not in same and count}
    changed = any(type(a) is not type(b) for a, b in zip(values, matched, strict=True) if b is not None)
    if dtype == "category":
        return _encode(series, codes, matched, known), unseen, changed
    if values == matched and not changed and not isinstance(series.dtype, pd.CategoricalDtype):
        return as_text(series, dtype), unseen, changed
    texts = np.array([*(np.nan if value is None else value for value in matched), np.nan], dtype=object)
    return as_text(pd.Series(texts[codes], name=series.name), dtype), unseen, changed


def _match(value: Scalar, by_text: dict[str, Scalar], dtype: str, gaps: bool) -> Scalar | None:
    if value == "" and gaps:
        return None
    if isinstance(value, bool):
        same = (known for text, known in by_text.items() if text.lower() == str(value).lower())
        return next(same, str(value))
    return by_text.get(spell(value), value if dtype == "category" else spell(value))


def _encode(
    series: pd.Series[Any], codes: Array, matched: list[Scalar | None], known: tuple[Scalar, ...]
) -> pd.Series[Any]:
    # Unseen categories come last, so that the known ones keep the codes that the model was trained on.
    wanted = list(dict.fromkeys([*known, *(value for value in matched if value is not None)]))
    if isinstance(series.dtype, pd.CategoricalDtype) and list(series.cat.categories) == wanted:
        return series
    place = {value: at for at, value in enumerate(wanted)}
    moved = np.array([*(-1 if value is None else place[value] for value in matched), -1], dtype=np.intp)
    return pd.Series(categorical(moved[codes], wanted), name=series.name)


def categorical(codes: Array, categories: Sequence[Scalar]) -> Any:
    """Return the categorical of these codes, where -1 is missing."""
    index: Any = pd.Index(list(categories))
    return pd.Categorical.from_codes(codes, categories=index)


def scalars(values: Any, name: str) -> tuple[Scalar, ...]:
    """Return categories as plain text, numbers and booleans, which JSON can hold."""
    found = tuple(plain(value) for value in values)
    odd = next((value for value in found if not isinstance(value, str | int | float)), None)
    if odd is not None:
        raise DataError(f"Column {name!r} has the category {odd!r}; categories must be text, numbers or booleans.")
    return found


def plain(value: Any) -> Any:
    """Return a numpy scalar as a Python value, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def spell(value: Any) -> str:
    """Return a value as text; a whole number stored as a float loses its ".0"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def is_numeral(category: Scalar) -> bool:
    """Return whether a category reads as a number."""
    return not isinstance(category, str) or category.replace(".", "", 1).isdecimal()


def is_date(category: Scalar) -> bool:
    """Return whether a category reads as a time."""
    try:
        datetime.fromisoformat(str(category))
    except ValueError:
        return False
    return True
