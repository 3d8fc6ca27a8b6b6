"""Numbers, lists and names as words. Every message and every report formats them here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


def counted(number: int, word: str) -> str:
    """Return such as "1 row" or "1,204 rows"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Return such as "2.5%", and "under 0.1%" for a little that is not nothing."""
    return "under 0.1%" if 0 < part / whole < 0.0005 else f"{part / whole:.1%}"


def listed(values: Iterable[Any], limit: int = 8) -> str:
    """Return such as "'a', 'b' and 3 more", so that a long list stays one sentence."""
    shown = [repr(value) for value in values]
    rest = len(shown) - limit
    return ", ".join(shown) if rest <= 0 else f"{', '.join(shown[:limit])} and {rest:,} more"


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the name that was probably meant, if one comes close; letter case and outer blanks do not count."""
    folded = {other.strip().casefold(): other for other in reversed(names)}
    close = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def joined(words: Iterable[str], link: str = "and") -> str:
    """Join words to a list in a sentence.

    Examples
    --------
    >>> joined(["skops", "joblib", "pickle"], "or")
    'skops, joblib or pickle'
    """
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def describe_missing(source: str, what: str, missing: Sequence[str], present: Sequence[str]) -> str:
    """Return the sentence about names that a source lacks, with the closest names that it has.

    Examples
    --------
    >>> print(describe_missing("rows.csv", "feature", ["Age"], ["age", "city"]))
    rows.csv lacks the feature 'Age' (is it 'age'?); it has 'age', 'city'.
    """
    close = {name: nearest(name, present) for name in missing[:8]}
    shown = ", ".join(f"{name!r} (is it {near!r}?)" if near else repr(name) for name, near in close.items())
    more = f" and {len(missing) - 8:,} more" if len(missing) > 8 else ""
    count = f"the {what}" if len(missing) == 1 else counted(len(missing), what)
    return f"{source} lacks {count} {shown}{more}; it has {listed(present, 12)}."
