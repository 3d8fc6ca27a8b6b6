"""Format numbers, lists and names for messages and reports."""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: object, width: int = 0) -> str:
    r"""Return `text` on one line, without control characters, cut to `width` characters if that is not 0.

    Column names and classes come from data, and may contain terminal escapes or right-to-left overrides. These must not
    change the rest of the output.

    Examples
    --------
    >>> clean("a\n\x1b[31mred", 6)
    'a [31…'
    """
    shown = "".join(" " if c.isspace() else c for c in str(text) if c.isspace() or not _is_hidden(c))
    shown = " ".join(shown.split())
    return shown if not width or len(shown) <= width else shown[: width - 1].rstrip() + "…"


def _is_hidden(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI


def as_words(name: str) -> str:
    """Return a name from the code as words: `log_loss` is "log loss"."""
    return clean(name).replace("_", " ")


def format_number(x: float | None, sign: bool = False) -> str:
    """Return a number with about four significant digits.

    Examples
    --------
    >>> format_number(0.84213), format_number(0.031, sign=True), format_number(12345.6), format_number(float("nan"))
    ('0.8421', '+0.0310', '12,346', 'n/a')
    """
    if x is None or math.isnan(x):
        return "n/a"
    plus = "+" if sign else ""
    if x == 0 or math.isinf(x):
        return "0" if x == 0 else format(x, plus + "f")
    size = abs(x)
    if size < 5e-5 or size >= 1e9:
        return format(x, plus + ".1e")
    return format(x, plus + (".4f" if size < 10 else ".2f" if size < 1000 else ",.0f"))


def format_duration(seconds: float) -> str:
    """Format a duration in the unit that suits it.

    Examples
    --------
    >>> format_duration(0.0342), format_duration(7.2), format_duration(75), format_duration(4000)
    ('34 ms', '7.2 s', '1 min 15 s', '1 h 6 min')
    """
    if not math.isfinite(seconds):
        return "n/a"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, word: str) -> str:
    """Format a count as "1 row" or "1,204 rows"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Format a fraction as "2.5%", or "under 0.1%" if it is small but not zero."""
    return "under 0.1%" if 0 < part / whole < 0.0005 else f"{part / whole:.1%}"


def listed(values: Iterable[Any], limit: int = 8) -> str:
    """Format values as "'a', 'b' and 3 more", so that a long list stays readable."""
    shown = [repr(value) for value in values]
    rest = len(shown) - limit
    return ", ".join(shown) if rest <= 0 else f"{', '.join(shown[:limit])} and {rest:,} more"


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the most similar name, or None if none is close. Letter case and outer blanks do not count."""
    folded = {other.strip().casefold(): other for other in reversed(names)}
    close = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def joined(words: Iterable[str], link: str = "and") -> str:
    """Join one or more words to a list in a sentence.

    Examples
    --------
    >>> joined(["skops", "joblib", "pickle"], "or")
    'skops, joblib or pickle'
    """
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def describe_missing(source: str, what: str, missing: Sequence[str], present: Sequence[str]) -> str:
    """Return a sentence that lists the names a source lacks, with the closest names that it has.

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


@dataclass(frozen=True)
class Unit:
    """The format of a gain: times `factor`, with `short` after every number and `name` after the first."""

    factor: float = 1.0
    short: str = ""
    name: str = ""

    def signed(self, value: float, near: float = math.nan) -> str:
        """Return a number with its sign, and with as many digits as distinguish it from `near`.

        Examples
        --------
        >>> Unit(100.0).signed(0.019), Unit(100.0).signed(-0.01004, near=-0.01), Unit().signed(0.0)
        ('+1.9', '-1.004', '0')
        """
        if not math.isfinite(value):
            return "unknown"
        shown, other = value * self.factor, near * self.factor
        places = 1 if abs(shown) >= 1.0 or shown == 0.0 else min(9, 1 - math.floor(math.log10(abs(shown))))
        while places < 9 and shown != other and f"{shown:.{places}f}" == f"{other:.{places}f}":
            places += 1
        text = f"{shown:+,.{places}f}".rstrip("0").rstrip(".")
        return ("0" if text in ("+0", "-0", "+", "-") else text) + self.short

    def size(self, value: float) -> str:
        """Return a number without its sign, with its unit.

        Examples
        --------
        >>> Unit(100.0, "", " points").size(0.01), Unit(100.0, "", " points").size(0.015)
        ('1 point', '1.5 points')
        """
        text = self.signed(abs(value)).lstrip("+").removesuffix(self.short)
        return text + (" point" if text == "1" and self.name == " points" else self.name)


def percentage(fraction: float) -> str:
    """Return a fraction in percent, with enough digits to distinguish it from 100 %.

    Examples
    --------
    >>> percentage(0.95), percentage(0.99996), percentage(0.0304)
    ('95 %', '99.996 %', '3.04 %')
    """
    return f"{100.0 * fraction:.6g} %" if fraction > 0.99 else f"{100.0 * fraction:.3g} %"


def forecast(rows: int) -> str:
    """Format a forecast number of rows, rounded up to two digits: a forecast is no more precise than that.

    Examples
    --------
    >>> forecast(1234), forecast(17)
    ('1,300', '17')
    """
    step = 10 ** max(0, len(str(rows)) - 2)
    return f"{-(-rows // step) * step:,}"


def hint(name: str, names: Sequence[str]) -> str:
    """Return " Did you mean 'x'?" to append to a sentence; empty if no name is close."""
    near = nearest(name, names)
    return f" Did you mean {near!r}?" if near else ""
