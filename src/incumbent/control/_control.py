"""What every error control promises, the one that looks at each update by itself, and all of them by name."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from incumbent.control._online_fdr import Share
from incumbent.control._spending import Spending
from incumbent.control._state import FORMAT, check_alpha, written
from incumbent.core import Value
from incumbent.errors import UsageError


@runtime_checkable
class ErrorControl(Protocol):
    """Decides at which level the next update is judged, from nothing but what was decided before.

    Promises: `level` is in (0, 1) and changes by `record` alone; `record` returns a new control and self never changes;
    ``restore(c.to_dict()) == c``.
    """

    @property
    def promise(self) -> str:
        """What a promotion guarantees, in one sentence."""

    def level(self) -> float:
        """Return the level of the next update."""

    def record(self, promoted: bool, p: float | None = None) -> Self:
        """Return the control after an update that was judged at `level`.

        Parameters
        ----------
        promoted : bool
            What the gate decided; an override by a person is no discovery of the gate's.
        p : float, optional
            The p-value of the whole decision (see `intersection`); None where only the decision is known.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return the state in plain numbers and texts, to be stored with the model."""


@dataclass(frozen=True, repr=False)
class PerUpdate(Value):
    """Every update at level alpha, whatever came before.

    Parameters
    ----------
    alpha : float
        The chance that one update promotes a challenger that is not better.

    Examples
    --------
    >>> PerUpdate(0.05).record(promoted=True).level()
    0.05
    """

    alpha: float = 0.05

    def __post_init__(self) -> None:
        check_alpha(self.alpha)

    @property
    def promise(self) -> str:
        """What a promotion guarantees."""
        return f"each update promotes a challenger that is not better with probability at most {100 * self.alpha:g} %"

    def level(self) -> float:
        """Return alpha."""
        return self.alpha

    def record(self, promoted: bool, p: float | None = None) -> Self:
        """Return the same: nothing is remembered."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the state."""
        return written("update", self)


CONTROLS: dict[str, type[PerUpdate] | type[Spending] | type[Share]] = {
    "update": PerUpdate,
    "lifetime": Spending,
    "share": Share,
}


def control(name: str, alpha: float = 0.05) -> ErrorControl:
    """Return the error control of this name, as it stands before the first update.

    Parameters
    ----------
    name : {"update", "lifetime", "share"}
        What alpha bounds: the chance of a false promotion in each update; the chance that there ever is one; the
        expected share of false ones among all promotions.
    alpha : float
        The bound, in (0, 0.5].

    Raises
    ------
    UsageError
        If there is no control of this name, or alpha is out of range.

    Examples
    --------
    >>> control("lifetime", 0.05)
    Spending()
    >>> control("share", 0.1).level() < control("update", 0.1).level()
    True
    """
    if name not in CONTROLS:
        near = difflib.get_close_matches(str(name), list(CONTROLS), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        names = ", ".join(repr(known) for known in CONTROLS)
        raise UsageError(f"There is no error control {name!r}.{hint} It is one of {names}.")
    return CONTROLS[name](alpha)


def restore(state: Mapping[str, Any]) -> ErrorControl:
    """Return the error control that `to_dict` wrote.

    Raises
    ------
    UsageError
        If the state has another format, names no control, or holds fields that the control does not have.

    Examples
    --------
    >>> spent = control("lifetime").record(promoted=False)
    >>> restore(spent.to_dict()) == spent
    True
    """
    fields = dict(state)
    found, name = fields.pop("format", None), fields.pop("control", None)
    if found != FORMAT or name not in CONTROLS:
        raise UsageError(
            f"This state of an error control cannot be read: format {found!r}, control {name!r}; expected format "
            f"{FORMAT} and one of {', '.join(CONTROLS)}. A newer version of Incumbent may have written it."
        )
    kind = CONTROLS[name]
    known = {f.name for f in dataclasses.fields(kind)}
    if fields.keys() != known:
        raise UsageError(
            f"This state of the error control {name!r} cannot be read: it has {', '.join(sorted(fields)) or 'none'}; "
            f"expected {', '.join(sorted(known))}."
        )
    try:
        return kind(**fields)
    except TypeError as error:
        raise UsageError(f"This state of the error control {name!r} cannot be read: {error}.") from None
