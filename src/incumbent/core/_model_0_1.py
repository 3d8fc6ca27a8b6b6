"""Let adapters that were written for 0.1 work: this file goes with the next release."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, TypeVar

from incumbent.core._abilities import ABILITIES_0_1
from incumbent.core._model import BaseModel, Model

M = TypeVar("M", bound=Model)

_MEMBERS = {"weight_importance": "sensitivity", "infer_outputs": "meeting"}
"""Members of now, and their names in 0.1."""


def complete_adapter(model: M) -> M:
    """Return the model, after its class got what an adapter of 0.1 lacks.

    The defaults of `BaseModel`, present names for the members that it has under old ones, and present words for its
    abilities. A class that derives from `BaseModel` is complete.
    """
    kind = type(model)
    if not issubclass(kind, BaseModel):
        for new, old in _MEMBERS.items():
            if hasattr(kind, old) and not hasattr(kind, new):
                _warn(kind, f"{old} is now {new}")
                setattr(kind, new, getattr(kind, old))
        for name, default in vars(BaseModel).items():
            if not name.startswith("_") and not hasattr(kind, name) and name not in vars(model):
                setattr(kind, name, default)
        if ABILITIES_0_1.keys() & model.abilities:
            _translate_abilities(kind, model.abilities)
    return model


def _translate_abilities(kind: type, words: frozenset[str]) -> None:
    """Let a class claim its abilities by the words of now."""
    old = sorted(ABILITIES_0_1.keys() & words)
    _warn(kind, "; ".join(f"the ability {word!r} is now {ABILITIES_0_1[word]!r}" for word in old))
    first = inspect.getattr_static(kind, "abilities", frozenset())

    def read(self: Any) -> frozenset[str]:
        claimed = vars(self).get("abilities", first)
        claimed = claimed.__get__(self, kind) if hasattr(claimed, "__get__") else claimed
        return frozenset(ABILITIES_0_1.get(word, word) for word in claimed)

    def keep(self: Any, claimed: Any) -> None:
        vars(self)["abilities"] = claimed

    setattr(kind, "abilities", property(read, keep))  # noqa: B010  # a checker takes no attribute of any class


def _warn(kind: type, what: str) -> None:
    message = f"{kind.__name__}: {what}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=4)
