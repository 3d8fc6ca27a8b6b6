"""How a boosted model follows a recipe, labels as codes, the limits on growth and time, and the manifest in files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from incumbent.core import Array, Batch, Floats, Prediction, Recipe, RefitLeaves, Trees
from incumbent.errors import AbilityError, BudgetSpent, DataError, ModelError, UsageError

Way = Literal["scratch", "add_trees", "refit_leaves"]
_WAYS: dict[type, Way] = {Trees: "add_trees", RefitLeaves: "refit_leaves"}

# Appended trees make prediction slower: 4,300 trees after twenty updates took 25 times as long.
_GROWTH = 3
_CEILING = 2_000
_FORMAT = 1


def limit_on_rounds(origin: int, append: int) -> int:
    """Return how many boosting rounds a model may have: three times its original ones and the appended, at most 2,000.

    A model that had more from the start may still be appended to once.

    Examples
    --------
    >>> limit_on_rounds(100, 30), limit_on_rounds(900, 30), limit_on_rounds(5000, 30)
    (330, 2000, 5030)
    """
    return min(_GROWTH * origin + append, max(_CEILING, origin + append))


def choose_way(
    recipe: Recipe, *, name: str, abilities: frozenset[str], rounds: int, origin: int, new: Array
) -> tuple[Way, tuple[str, ...]]:
    """Return how to follow the recipe, and a note if that is not the way that the recipe names."""
    structure, trees = recipe.structure, recipe.structure.trees
    wanted: Way | None = _WAYS[type(trees)] if trees is not None else None
    if structure.search is not None or (wanted is None and structure.start != "champion"):
        return "scratch", ()
    if wanted is None or wanted not in abilities:
        lacks = sorted(recipe.needs - abilities)
        raise AbilityError(
            f"{name} lacks {lacks}, which this recipe needs; it has {sorted(abilities)}. "
            "Retrain() works with every model."
        )
    if len(new):
        named = ", ".join(map(repr, new.tolist()[:5]))
        return "scratch", (
            f"fitted from scratch: the champion does not know the class{'es' * (len(new) > 1)} {named}, "
            "and boosted trees cannot add one",
        )
    if isinstance(trees, Trees) and rounds + trees.rounds > (limit := limit_on_rounds(origin, trees.rounds)):
        return "scratch", (
            f"fitted from scratch: {trees.rounds} rounds more than the present {rounds} would pass the limit of "
            f"{limit}, beyond which predictions become slow",
        )
    return wanted, ()


def rows_of(recipe: Recipe) -> Batch:
    """Return the rows to learn from; raise an error if there are none, or not one label per row."""
    batch = recipe.train
    if batch is None or not len(batch):
        raise UsageError("This recipe is not bound to rows; give it some with recipe.bind(train=Batch(x, y)).")
    if batch.y is None or np.ndim(batch.y) != 1:
        raise DataError("A boosted model learns from one label per row; the rows to learn from have none or several.")
    return batch


def check_classes(y: Array) -> None:
    """Raise an error if all rows have the same class, so that no classifier can be fitted from scratch."""
    found = pd.unique(y)
    if len(found) < 2:
        raise DataError(
            f"All {len(y)} rows to learn from have the class {found[0]!r}; "
            "a classifier is fitted from scratch on two or more."
        )


def codes_of(y: Array, classes: Array) -> Array:
    """Return the position of each label in `classes`, -1 if it is not among them.

    Examples
    --------
    >>> codes_of(np.array(["b", "a", "z"]), np.array(["a", "b"])).tolist()
    [1, 0, -1]
    """
    labels = y.astype(np.int64) if y.dtype == bool and classes.dtype.kind in "iuf" else y
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)))


def new_among(y: Array, classes: Array | None) -> Array:
    """Return the labels in `y` that are not among `classes`; none for a regression."""
    return np.empty(0) if classes is None else np.asarray(pd.unique(y[codes_of(y, classes) < 0]))


def all_classes(known: Array, y: Array) -> Array:
    """Return known and new classes, sorted; only the new ones if the two cannot be compared."""
    same = (known.dtype.kind in "iufb") == (y.dtype.kind in "iufb")
    return np.unique(np.concatenate([known, np.asarray(pd.unique(y))])) if same else np.unique(y)


def named_classes(count: int, hint: Array | None) -> Array:
    """Return the names of `count` coded classes: the hint if it fits, else 0, 1, ..."""
    codes = np.arange(count)
    if hint is None:
        return codes
    names = np.asarray(hint)
    if len(names) == count:
        return names
    if (codes_of(codes, names) >= 0).all():
        return codes
    raise ModelError(
        f"The model has {count} classes but {len(names)} were named: "
        f"{', '.join(map(repr, names.tolist()[:8]))}. "
        "Name the classes in the order of the codes that it was trained on."
    )


def weights_of(batch: Batch, class_weight: Any) -> Floats | None:
    """Return the row weights, multiplied by class weights if the estimator has them."""
    if class_weight is None:
        return batch.weight
    from sklearn.utils.class_weight import compute_sample_weight

    by_class = np.asarray(compute_sample_weight(class_weight, batch.y), dtype=np.float64)
    return by_class if batch.weight is None else by_class * batch.weight


def prediction_of(raw: Array, classes: Array | None) -> Prediction:
    """Return the prediction of values (n,), or of probabilities: (n,) of the second class or (n, k) of each."""
    values = np.asarray(raw, dtype=np.float64)
    if classes is None:
        return Prediction(values)
    proba = np.column_stack([1.0 - values, values]) if values.ndim == 1 else values
    return Prediction(classes[proba.argmax(axis=1)], proba, classes)


def check_time(deadline: float, done: int, rounds: int) -> None:
    """Raise `BudgetSpent` once the deadline has passed."""
    if time.monotonic() > deadline:
        raise BudgetSpent(f"The time budget ended after {done} of {rounds} boosting rounds.")


def write_manifest(folder: Path, content: Mapping[str, Any], classes: Array | None) -> None:
    """Write what the native file does not keep: settings, classes, notes."""
    kept = {"format": _FORMAT, **content}
    if classes is not None:
        kept |= {"classes": classes.tolist(), "classes_dtype": classes.dtype.str}
    (folder / "manifest.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> tuple[dict[str, Any], Array | None]:
    """Read what `write_manifest` wrote."""
    try:
        kept: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The stored model in {folder} cannot be read: {error}.") from error
    if kept.get("format") != _FORMAT:
        raise ModelError(
            f"The stored model in {folder} has format {kept.get('format')!r}, and this program reads {_FORMAT}; "
            "upgrade it with: pip install --upgrade incumbent"
        )
    if "classes" not in kept:
        return kept, None
    dtype = np.dtype(kept["classes_dtype"])
    classes = np.empty(len(kept["classes"]), dtype=dtype)
    classes[:] = kept["classes"]
    return kept, classes
