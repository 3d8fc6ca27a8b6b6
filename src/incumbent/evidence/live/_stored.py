"""Write and read monitors as JSON. Format 1: the fields of every value by name. Evidence is integers, so exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from incumbent.errors import DataError
from incumbent.evidence.live._eprocess import SHARES, EProcess
from incumbent.evidence.live._tally import LAGS, Autocorrelation, PrequentialTally

FORMAT = 1


def tally_to_dict(tally: EProcess) -> dict[str, Any]:
    """Return the tally as integers and lists of them."""
    return {"rows": tally.rows, "total": tally.total, "above": list(tally.above), "below": list(tally.below)}


def read_tally(stored: Any) -> EProcess:
    """Return the tally that `tally_to_dict` wrote.

    Raises
    ------
    DataError
        If a field is missing or has another type.
    """
    each = len(SHARES)
    return EProcess(
        _whole(stored, "rows"), _whole(stored, "total"), _wholes(stored, "above", each), _wholes(stored, "below", each)
    )


def prequential_to_dict(tally: PrequentialTally) -> dict[str, Any]:
    """Return the tally as integers and lists of them."""
    alike = {"sums": list(tally.alike.sums), "rows": list(tally.alike.rows)}
    rows, blocks = tally_to_dict(tally.rows), tally_to_dict(tally.blocks)
    return {"rows": rows, "blocks": blocks, "alike": alike, "batches": tally.batches}


def read_prequential(stored: Any) -> PrequentialTally:
    """Return the tally that `prequential_to_dict` wrote.

    Raises
    ------
    DataError
        If a field is missing or has another type.
    """
    alike, each = _field(stored, "alike"), len(LAGS)
    return PrequentialTally(
        read_tally(_field(stored, "rows")),
        read_tally(_field(stored, "blocks")),
        Autocorrelation(_wholes(alike, "sums", each), _wholes(alike, "rows", each)),
        _whole(stored, "batches"),
    )


def settings(stored: Mapping[str, Any], kind: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the named fields of a stored monitor of this kind.

    Raises
    ------
    DataError
        If `stored` is of another kind or a later format, a field is missing, or a number has another type.
    """
    if not isinstance(stored, Mapping) or stored.get("kind") != kind:
        raise DataError(f"This is no stored {kind}: to_dict() of one writes an object with kind {kind!r}.")
    if stored.get("format") != FORMAT:
        raise DataError(
            f"This {kind} is stored in format {stored.get('format')!r}, and format {FORMAT} can be read. A later "
            "version wrote it: pip install -U incumbent."
        )
    missing = [name for name in names if name not in stored]
    if missing:
        raise DataError(f"The stored {kind} lacks {', '.join(missing)}; give back all that to_dict() returned.")
    for name in ("alpha", "min_gain", "bound"):
        if not isinstance(stored[name], int | float):
            raise DataError(f"{name!r} of a stored {kind} is a number; {stored[name]!r:.80} was given.")
    return {name: stored[name] for name in names}


def _field(stored: Any, name: str) -> Any:
    if not isinstance(stored, Mapping) or name not in stored:
        raise DataError(f"The stored evidence lacks {name!r}; give back all that to_dict() returned.")
    return stored[name]


def _whole(stored: Any, name: str) -> int:
    value = _field(stored, name)
    if not isinstance(value, int) or (value < 0 and name != "total"):
        raise DataError(f"{name!r} of stored evidence is a whole number; {value!r:.80} was given.")
    return value


def _wholes(stored: Any, name: str, count: int) -> tuple[int, ...]:
    values = _field(stored, name)
    if not isinstance(values, list | tuple) or len(values) != count or any(not isinstance(v, int) for v in values):
        raise DataError(f"{name!r} of stored evidence is a list of {count} whole numbers; {values!r:.80} was given.")
    return tuple(values)
