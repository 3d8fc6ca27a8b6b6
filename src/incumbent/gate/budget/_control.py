"""The contract of an error control, the control of each update by itself, and all controls by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from incumbent._deprecated import renamed_members, renamed_word
from incumbent.core import Value
from incumbent.errors import UsageError
from incumbent.gate.budget._alpha_spending import AlphaSpending
from incumbent.gate.budget._online_fdr import OnlineFDR
from incumbent.gate.budget._state import FORMAT, as_state, check_alpha
from incumbent.words import hint


@runtime_checkable
class ErrorControl(Protocol):
    """The level at which the next update is tested, given the decisions before it.

    Contract: `level` is in (0, 1) and changes by `record` alone; `record` returns a new control and self never changes;
    ``restore(c.to_dict()) == c``.
    """

    @property
    def guarantee(self) -> str:
        """What a promotion guarantees, in one sentence."""

    def level(self) -> float:
        """Return the level of the next update."""

    def record(self, promoted: bool) -> Self:
        """Return the control after an update that was tested at `level`.

        Parameters
        ----------
        promoted : bool
            What the gate decided. A person's override does not count.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain numbers and strings, to be stored with the model."""


@renamed_members({"promise": "guarantee"})
@dataclass(frozen=True, repr=False)
class PerUpdate(Value):
    """Every update is tested at level alpha, whatever came before.

    Parameters
    ----------
    alpha : float
        The probability that one update promotes a challenger that is not better.

    Examples
    --------
    >>> PerUpdate(0.05).record(promoted=True).level()
    0.05
    """

    alpha: float = 0.05

    def __post_init__(self) -> None:
        check_alpha(self.alpha)

    @property
    def guarantee(self) -> str:
        """What a promotion guarantees, in one sentence."""
        return f"each update promotes a challenger that is not better with probability at most {100 * self.alpha:g} %"

    def level(self) -> float:
        """Return alpha."""
        return self.alpha

    def record(self, promoted: bool) -> Self:
        """Return the same control: it has no state."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the state."""
        return as_state("update", self)


CONTROLS: dict[str, type[PerUpdate] | type[AlphaSpending] | type[OnlineFDR]] = {
    "update": PerUpdate,
    "fwer": AlphaSpending,
    "fdr": OnlineFDR,
}
OLD_WORDS = {"lifetime": "fwer", "share": "fdr"}
"""The words of 0.1. Stored gates and states keep them, and are read without a warning."""


def control(name: str, alpha: float = 0.05) -> ErrorControl:
    """Return the error control of this name, before the first update.

    Parameters
    ----------
    name : {"update", "fwer", "fdr"}
        What alpha bounds. "update": the probability of a false promotion in each update. "fwer", the family-wise error
        rate: the probability that there is ever one. "fdr", the false discovery rate: the expected fraction of false
        ones among all promotions.
    alpha : float
        The bound, in (0, 0.5].

    Raises
    ------
    UsageError
        If there is no control of this name, or alpha is out of range.

    Examples
    --------
    >>> control("fwer", 0.05)
    AlphaSpending()
    >>> control("fdr", 0.1).level() < control("update", 0.1).level()
    True
    """
    name = renamed_word(name, OLD_WORDS, "error_control")
    if name not in CONTROLS:
        names = ", ".join(repr(known) for known in CONTROLS)
        raise UsageError(f"There is no error control {name!r}.{hint(str(name), list(CONTROLS))} It is one of {names}.")
    return CONTROLS[name](alpha)


def restore(state: Mapping[str, Any]) -> ErrorControl:
    """Return the error control whose `to_dict` wrote this state.

    States of format 1 (version 0.1) are read too. SAFFRON, which 0.1 had besides LORD++, becomes LORD++ with the budget
    that it had left, so the guarantee still holds.

    Raises
    ------
    UsageError
        If the state has a newer format, names no control, or has other fields than the control.

    Examples
    --------
    >>> spent = control("fwer").record(promoted=False)
    >>> restore(spent.to_dict()) == spent
    True
    """
    fields = dict(state)
    found, name = fields.pop("format", None), fields.pop("control", None)
    name = str(name)
    if found == 1:
        name, fields = _from_format_1(name, fields)
    if found not in (1, FORMAT) or name not in CONTROLS:
        raise UsageError(
            f"This state of an error control cannot be read: format {found!r}, control {name!r}; expected format "
            f"{FORMAT} or 1 and one of {', '.join(CONTROLS)}. A newer version of Incumbent may have written it."
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


def _from_format_1(name: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return name and fields as this version has them. `passed` was the time that LORD++ and SAFFRON count."""
    present = {key: value for key, value in fields.items() if key not in ("method", "passed")}
    if name == "share" and "passed" in fields:
        present["updates"] = fields["passed"]
    return OLD_WORDS.get(name, name), present
