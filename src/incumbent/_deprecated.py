"""Keep the old name of a public thing for one release, with a `DeprecationWarning` that names the new one.

=======================================  =====================================================================
What was renamed                         What to write
=======================================  =====================================================================
a class or function of a package         ``__getattr__ = deprecated_names(__name__, {"old": "new"}, __getattr__)``
a keyword argument of a function         ``@renamed_arguments({"old": "new"})``
a field, attribute or method of a class  ``@renamed_members({"old": "new"})`` above ``@dataclass``
a field passed to ``replace``            ``changes = renamed_keywords(type(self), changes)``
a word that is a value, such as a name   ``word = renamed_word(word, {"old": "new"}, "error_control")``
an option that has no effect any more    ``warn_ignored("Analytic", neighbours=neighbours)``
=======================================  =====================================================================

Stored files keep their old keys. Code that reads them translates the keys without a warning.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Opposite:
    """The new name of a boolean that now means the opposite: `apart=True` is ``merge_lora=False``."""

    name: str


Renamed = Mapping[str, "str | Opposite"]


def deprecated_names(
    module: str, renamed: Mapping[str, str], otherwise: Callable[[str], Any] | None = None
) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module that has renamed some of its names (PEP 562).

    Parameters
    ----------
    module : str
        The name of the module, ``__name__``.
    renamed : mapping of str to str
        The new name of each old one. A new name with dots is a full path, for what moved to another module.
    otherwise : callable, optional
        The `__getattr__` for all other names, such as that of `on_demand`.

    Examples
    --------
    >>> import warnings
    >>> get = deprecated_names("incumbent.core", {"Rows": "Batch", "Page": "incumbent.report.page"})
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     get("Rows").__name__
    'Batch'
    >>> print(caught[0].message)
    incumbent.core.Rows is now incumbent.core.Batch. The old name will go in the next release.
    """

    def get(name: str) -> Any:
        if name in renamed:
            home, _, new = (renamed[name] if "." in renamed[name] else f"{module}.{renamed[name]}").rpartition(".")
            _warn(f"{module}.{name}", f"{home}.{new}")
            return getattr(import_module(home), new)
        if otherwise is not None:
            return otherwise(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return get


def renamed_arguments(renamed: Renamed) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for a function that accepts the old names of its keyword arguments.

    Parameters
    ----------
    renamed : mapping of str to str or Opposite
        The new name of each old one.

    Examples
    --------
    >>> import warnings
    >>> @renamed_arguments({"minimum": "min_rows"})
    ... def find_slices(*, min_rows=50):
    ...     return min_rows
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     find_slices(minimum=20)
    20
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **_translated(function.__qualname__, renamed, kwargs))

        return call

    return decorate


def renamed_members(renamed: Renamed) -> Callable[[C], C]:
    """Return a decorator for a class that accepts the old names of its fields, attributes and methods.

    Old names work as keyword arguments of the constructor, as attributes of an object and of the class. Put it above
    ``@dataclass``, on each subclass that has a constructor of its own, and not on a `Protocol`.

    Parameters
    ----------
    renamed : mapping of str to str or Opposite
        The new name of each old one. `Opposite` is for fields only.

    Examples
    --------
    >>> import warnings
    >>> @renamed_members({"apart": Opposite("merge_lora"), "rank": "lora_rank"})
    ... @dataclass(frozen=True)
    ... class Structure:
    ...     merge_lora: bool = True
    ...     lora_rank: int = 0
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     structure = Structure(apart=True, rank=8)
    ...     structure, structure.rank
    (Structure(merge_lora=False, lora_rank=8), 8)
    """

    def decorate(cls: C) -> C:
        first: Callable[..., None] = cls.__init__  # type: ignore[misc]

        @functools.wraps(first)
        def init(self: object, *args: Any, **kwargs: Any) -> None:
            first(self, *args, **_translated(cls.__name__, renamed, kwargs))

        for name, member in [
            ("__init__", init),
            ("_renamed_members", dict(renamed)),
            *((old, _OldName(f"{cls.__name__}.{old}", new)) for old, new in renamed.items()),
        ]:
            setattr(cls, name, member)
        return cls

    return decorate


def renamed_keywords(cls: type, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments under the present names of the fields of a class, for its `replace`.

    Parameters
    ----------
    cls : type
        A class; if `renamed_members` did not decorate it, the keywords are returned as they are.
    keywords : mapping of str to object
        The values by present or old name.
    """
    return _translated(cls.__name__, getattr(cls, "_renamed_members", {}), keywords)


def present_keys(cls: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was stored of an object of this class, under the present names of its fields, without a warning.

    Parameters
    ----------
    cls : type
        The class; if `renamed_members` did not decorate it, the keys are returned as they are.
    stored : mapping of str to object
        The values by present or old name.

    Examples
    --------
    >>> from incumbent.gate import Limit
    >>> present_keys(Limit, {"name": "bytes", "most": 9})
    {'name': 'bytes', 'max': 9}
    """
    renamed: Renamed = getattr(cls, "_renamed_members", {})
    return {_name(renamed.get(key, key)): value for key, value in stored.items()}


def stored_keys(cls: type, present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same values under the keys that 0.1 stored them with: the opposite of `present_keys`.

    Parameters
    ----------
    cls : type
        The class.
    present : mapping of str to object
        The values by present name.

    Examples
    --------
    >>> from incumbent.gate import Limit
    >>> stored_keys(Limit, {"name": "bytes", "max": 9})
    {'name': 'bytes', 'most': 9}
    """
    old = {_name(new): key for key, new in getattr(cls, "_renamed_members", {}).items()}
    return {old.get(key, key): value for key, value in present.items()}


def renamed_word(word: str, renamed: Mapping[str, str], argument: str, *, stacklevel: int = 3) -> str:
    """Return the present word for a value, and warn if it is an old one.

    Parameters
    ----------
    word : str
        What was given.
    renamed : mapping of str to str
        The present word for each old one.
    argument : str
        The argument that the word was given for, for the warning.
    stacklevel : int
        The frame that the warning points to; 3 is the caller of the function that calls this one.

    Examples
    --------
    >>> renamed_word("fdr", {"share": "fdr"}, "error_control")
    'fdr'
    """
    if word not in renamed:
        return word
    _warn(f"{argument}={word!r}", f"{argument}={renamed[word]!r}", stacklevel=stacklevel + 1)
    return renamed[word]


def warn_ignored(owner: str, *, stacklevel: int = 4, **given: object) -> None:
    """Warn of each option that was given, which means is not None, and has no effect any more.

    Parameters
    ----------
    owner : str
        The class or function that takes the options.
    stacklevel : int
        The frame that the warning points to; 4 is the caller of a dataclass whose `__post_init__` calls this.
    **given : object
        The options by name.
    """
    for name, value in given.items():
        if value is not None:
            message = f"{owner}({name}=...) no longer has an effect; leave it out."
            warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


class _OldName:
    """An attribute that warns and returns the value of the present one."""

    def __init__(self, old: str, new: str | Opposite) -> None:
        self.old, self.new = old, new

    def __get__(self, instance: object, owner: type) -> Any:
        new, found = _name(self.new), owner if instance is None else instance
        _warn(self.old, f"{'not ' if isinstance(self.new, Opposite) else ''}{owner.__name__}.{new}")
        value = getattr(found, new)
        return not value if isinstance(self.new, Opposite) else value


def _translated(owner: str, renamed: Renamed, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords under their present names, with a warning for each old one."""
    present = dict(keywords)
    for old in [name for name in keywords if name in renamed]:
        new = renamed[old]
        if _name(new) in present:
            raise TypeError(f"{owner} got both {_name(new)!r} and {old!r}, its old name. Use {_name(new)!r} only.")
        value = present.pop(old)
        present[_name(new)] = not value if isinstance(new, Opposite) else value
        _warn(f"{owner}({old}=...)", f"{owner}({_name(new)}={'not ' if isinstance(new, Opposite) else ''}...)", 4)
    return present


def _name(new: str | Opposite) -> str:
    return new.name if isinstance(new, Opposite) else new


def _warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn; 3 is the caller of the function that calls this one."""
    message = f"{old} is now {new}. The old name will go in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
