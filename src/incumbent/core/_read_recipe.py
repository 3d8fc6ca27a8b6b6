"""Read a recipe from the text that it prints, of this version or of 0.1, without running any code."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any

from incumbent.core._elements import ELEMENTS
from incumbent.core._options import OPTIONS
from incumbent.core._recipe import Recipe
from incumbent.errors import UsageError

_MADE_BY: dict[str, Callable[..., Any]] = {"Recipe": Recipe, "Optimiser": ELEMENTS["optimizer"], **OPTIONS}
_MADE_BY |= {kind.__name__: kind for kind in ELEMENTS.values()}


def read_recipe(text: str) -> Recipe:
    """Return the recipe that prints this text.

    Parameters
    ----------
    text : str
        The ``repr`` of a recipe, by this version or by 0.1. A version in the registry stores it.

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
        penalty = _take_penalty(tree)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            recipe = _value(tree)
            if isinstance(recipe, Recipe):
                return recipe.but(**penalty) if penalty else recipe
    except (SyntaxError, TypeError, ValueError, UsageError):
        pass
    raise UsageError(f"{text!r} is not a recipe; a recipe prints such as {Recipe()!r}.")


def _take_penalty(tree: ast.expr) -> dict[str, Any]:
    """Remove ``l2`` from ``Loss(...)`` and return it: 0.1 had it there, and now options of the structure have it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Loss":
            found = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg == "l2"}
            node.keywords = [k for k in node.keywords if k.arg != "l2"]
            return found
    return {}


def _value(node: ast.expr) -> Any:
    """Return a plain value, or what a call of one of our own classes makes."""
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    if not isinstance(node.func, ast.Name) or node.func.id not in _MADE_BY:
        raise ValueError(node)
    keywords = {keyword.arg or "": _value(keyword.value) for keyword in node.keywords}
    return _MADE_BY[node.func.id](*map(_value, node.args), **keywords)
