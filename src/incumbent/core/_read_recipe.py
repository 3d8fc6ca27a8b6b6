"""Read a recipe from the text that it prints, of this version or of 0.1, without running any code."""

from __future__ import annotations

import ast
import dataclasses
import warnings
from typing import Any

from incumbent.core._elements import ELEMENTS
from incumbent.core._options import OPTIONS
from incumbent.core._recipe import Recipe
from incumbent.core._recipe_0_1 import ORDER, is_old, is_written_old
from incumbent.core._values import Value
from incumbent.errors import UsageError


def read_recipe(text: str) -> Recipe:
    """Return the recipe that a text prints.

    Parameters
    ----------
    text : str
        What ``repr(recipe)`` gave, in this version or in 0.1. A version in the registry stores it.

    Raises
    ------
    UsageError
        The text is not a printed recipe.

    Examples
    --------
    >>> read_recipe("Recipe(Data(None), structure=Structure('champion', analytic=500), loss=Loss(l2=1.0))")
    Recipe(Data(ReplayRows()), structure=Structure('champion', head=Exact(500, l2=1.0)))
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        name, args, keywords = _call(tree)
    except (SyntaxError, ValueError):
        raise UsageError(f"{text!r} is not a recipe; a recipe prints such as {Recipe()!r}.") from None
    if name != "Recipe":
        raise UsageError(f"{text!r} is not a recipe but {name}; a recipe prints such as {Recipe()!r}.")
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for node in (*args, *keywords.values()):
        _read_element(node, old, new, text)
    recipe = Recipe().replace(**new)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return recipe.but(**old) if old else recipe


def _read_element(node: ast.expr, old: dict[str, Any], new: dict[str, Any], text: str) -> None:
    """Add the fields of one element, such as ``Data(...)``, to those of 0.1 or of now."""
    try:
        name, args, keywords = _call(node)
        kind = _KINDS[name]
        positional, named = [_value(each) for each in args], {key: _value(each) for key, each in keywords.items()}
    except (KeyError, ValueError):
        raise UsageError(f"{ast.unparse(node)} in {text!r} is no part of a recipe.") from None
    names, order = [f.name for f in dataclasses.fields(kind)], ORDER[kind.__name__].split()  # type: ignore[arg-type]
    written_old = is_written_old(names, order, positional, named)
    given = dict(zip(order if written_old else names, positional, strict=False)) | named
    for key, value in given.items():
        (old if written_old and is_old(key, value, none=True) else new)[key] = value


def _call(node: ast.expr) -> tuple[str, list[ast.expr], dict[str, ast.expr]]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError(node)
    return node.func.id, node.args, {keyword.arg or "": keyword.value for keyword in node.keywords}


def _value(node: ast.expr) -> Any:
    """Return a plain value, or an option."""
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    name, args, keywords = _call(node)
    try:
        return OPTIONS[name](*map(_value, args), **{key: _value(each) for key, each in keywords.items()})
    except TypeError:
        raise ValueError(node) from None


_KINDS: dict[str, type[Value]] = {kind.__name__: kind for kind in ELEMENTS.values()}
_KINDS["Optimiser"] = _KINDS["Optimizer"]  # as 0.1 spelled it
