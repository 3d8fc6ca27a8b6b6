"""Keep the old name of a public thing for one release, with a `DeprecationWarning` that names the new one.

=======================================  =====================================================================
What was renamed                         What to write
=======================================  =====================================================================
a class or function of a package         ``__getattr__ = deprecated_names(__name__, {"old": "new"}, __getattr__)``
all that a module holds                  ``__getattr__ = moved_names(__name__, "incumbent.new", "incumbent.other")``
a keyword argument of a function         ``@renamed_arguments({"old": "new"})``
a field, attribute or method of a class  ``@renamed_members({"old": "new"})`` above ``@dataclass``
the same, in the body of the class       ``old = OldName("old", "new")``
a field passed to ``replace``            ``changes = renamed_keywords(type(self), changes)``
a word that is a value                   ``word = renamed_word(word, {"old": "new"}, "error_control")``
an option that has no effect any more    ``warn_ignored("Analytic", neighbours=neighbours)``
=======================================  =====================================================================

A boolean that now means the opposite is renamed to "not new": ``{"apart": "not merge"}``. Stored files keep their old
keys. `present_keys` and `stored_keys` translate them without a warning.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)
Renamed = Mapping[str, str]


def deprecated_names(
    module: str, renamed: Renamed, otherwise: Callable[[str], Any] | None = None
) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module (PEP 562) that renamed these names; `otherwise` finds all others.

    A new name with dots is a full path, for a thing that moved to another module.
    """

    def get(name: str) -> Any:
        if name in renamed:
            home, _, new = renamed[name].rpartition(".")
            home = home or module
            _warn(f"{module}.{name}", f"{home}.{new}")
            return getattr(import_module(home), new)
        if otherwise is not None:
            return otherwise(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return get


def moved_names(module: str, *homes: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module whose names are now in other modules, also those that were renamed there."""

    def get(name: str) -> Any:
        for home in () if name.startswith("__") else homes:
            if (found := getattr(import_module(home), name, None)) is not None:
                _warn(f"{module}.{name}", f"{home}.{name}")
                return found
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return get


def renamed_arguments(renamed: Renamed) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take the old names of its keyword arguments."""
    return lambda function: _translating(function, function.__qualname__, renamed)


def renamed_members(renamed: Renamed) -> Callable[[C], C]:
    """Let a class take the old names of its fields, attributes and methods.

    They work in its constructor, on its objects and on the class. Put it above ``@dataclass``, on each subclass with a
    constructor of its own, and not on a `Protocol`.
    """

    def decorate(cls: C) -> C:
        init = _translating(cls.__init__, cls.__name__, renamed)  # type: ignore[misc]  # of the class itself
        members = {"__init__": init, "_renamed_members": dict(renamed)}
        for name, member in (members | {old: OldName(old, new) for old, new in renamed.items()}).items():
            setattr(cls, name, member)
        return cls

    return decorate


class OldName:
    """An attribute that warns and returns the value of the present one."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def __get__(self, instance: object, owner: type) -> Any:
        new, opposite = _split(self.new)
        _warn(f"{owner.__name__}.{self.old}", f"{'not ' * opposite}{owner.__name__}.{new}")
        value = getattr(owner if instance is None else instance, new)
        return not value if opposite else value


def renamed_keywords(cls: type, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments of a class under the present names of its fields, with a warning for each old one."""
    return _translated(cls.__name__, getattr(cls, "_renamed_members", {}), keywords, stacklevel=5)


def present_keys(cls: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored values of an object under the present names of its fields, without a warning."""
    renamed: Renamed = getattr(cls, "_renamed_members", {})
    return {renamed.get(key, key): value for key, value in stored.items()}


def stored_keys(cls: type, present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an object under the keys that 0.1 stored them with: the opposite of `present_keys`."""
    old = {new: key for key, new in getattr(cls, "_renamed_members", {}).items()}
    return {old.get(key, key): value for key, value in present.items()}


def renamed_word(word: str, renamed: Renamed, argument: str, *, stacklevel: int = 3) -> str:
    """Return the present word for the value of an argument, and warn if it is an old one.

    The warning points to the frame at `stacklevel`; 3 is the caller of the function that calls this one.
    """
    if word in renamed:
        _warn(f"{argument}={word!r}", f"{argument}={renamed[word]!r}", stacklevel + 1)
    return renamed.get(word, word)


def warn_ignored(owner: str, **given: object) -> None:
    """Warn of each option given to a dataclass whose `__post_init__` calls this; None means that it was not given."""
    for name in (name for name, value in given.items() if value is not None):
        message = f"{owner}({name}=...) no longer has an effect; leave it out."
        warnings.warn(message, DeprecationWarning, stacklevel=4)


def _translating(function: Callable[P, R], owner: str, renamed: Renamed) -> Callable[P, R]:
    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **_translated(owner, renamed, kwargs, stacklevel=4))

    return call


def _translated(owner: str, renamed: Renamed, keywords: Mapping[str, Any], *, stacklevel: int) -> dict[str, Any]:
    present = dict(keywords)
    for old in [name for name in keywords if name in renamed]:
        new, opposite = _split(renamed[old])
        if new in present:
            raise TypeError(f"{owner} got both {new!r} and {old!r}, its old name. Use {new!r} only.")
        value = present.pop(old)
        present[new] = not value if opposite else value
        _warn(f"{owner}({old}=...)", f"{owner}({new}={'not ' * opposite}...)", stacklevel)
    return present


def _split(new: str) -> tuple[str, bool]:
    """Return the new name, and whether it means the opposite."""
    return new.removeprefix("not "), new.startswith("not ")


def _warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn; 3 is the caller of the function that calls this one."""
    message = f"{old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
