"""Rows lost and rows won, drawn at random, as a person can read them: features, truth, and what both models said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Batch, Outcome, PairedPredictions, Prediction
from incumbent.report._bars import esc, minus
from incumbent.report._counts import right, several
from incumbent.report._words import clean, count, digits

MOST_ROWS, MOST_COLUMNS = 20, 8
MOST_VALUES = 4
_CELL, _TEXT = 48, 240  # characters of a cell; of a text that is all that the models saw


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of one kind.

    Parameters
    ----------
    at : (m,) array of int
        Positions of the rows that were drawn, in order.
    of : int
        How many rows of this kind there are.
    """

    at: NDArray[np.intp]
    of: int


def drawn(paired: PairedPredictions, *, regression: bool, seed: int) -> tuple[Examples, Examples]:
    """Return rows lost and rows won, at most 20 each, drawn with equal chances.

    A row is lost where the champion was right and the challenger is wrong, and won where it is the other way round; of
    a regression, where the challenger's error (the mean over several values) is larger, or smaller. They are drawn
    from all of these, as the worst ones alone would tell of outliers and not of what to expect.

    Examples
    --------
    >>> y = np.array([1, 1, 1, 0])
    >>> said = Prediction(np.array([1, 1, 0, 0])), Prediction(np.array([0, 1, 1, 0]))
    >>> lost, won = drawn(PairedPredictions(y, *said), regression=False, seed=0)
    >>> lost.at.tolist(), won.at.tolist()
    ([0], [2])
    """
    if regression:
        before, after = (_errors(paired, said) for said in (paired.champion, paired.challenger))
        worse, better = after > before, after < before  # where one is not a number, neither
    else:
        was, now = right(paired)
        worse, better = was & ~now, now & ~was
    return _some(worse, seed, 0), _some(better, seed, 1)


def _errors(paired: PairedPredictions, said: Prediction) -> NDArray[np.float64]:
    errors: NDArray[np.float64] = np.abs(np.asarray(said.label, dtype=float) - np.asarray(paired.y, dtype=float))
    return errors.mean(axis=1) if errors.ndim == 2 else errors


def _some(rows: NDArray[np.bool_], seed: int, kind: int) -> Examples:
    at = np.flatnonzero(rows)
    of = len(at)
    if of > MOST_ROWS:
        at = np.sort(np.random.default_rng([seed, kind]).choice(at, MOST_ROWS, replace=False))
    return Examples(at, of)


# ---------------------------------------------------------------------------------------------- columns


@dataclass(frozen=True)
class Seen:
    """What the models saw of some rows, as text.

    Parameters
    ----------
    rows : list of str
        The number of each row in the data, from 1; empty where that is not known.
    columns : list of (str, list of str, bool)
        Name, cells, and whether they are numbers.
    left_out : int
        How many columns there are beyond these.
    """

    rows: list[str]
    columns: list[tuple[str, list[str], bool]]
    left_out: int = 0


def seen(x: Any, at: NDArray[np.intp]) -> Seen:
    """Return the features of rows that a page can show: at most 8 columns; of an array of more dimensions its shape.

    Examples
    --------
    >>> seen(np.array([[0.5, 2.0], [1e-9, np.nan]]), np.array([1])).columns
    [('x0', ['1e-09'], True), ('x1', ['missing'], True)]
    >>> seen(["good", "bad"], np.array([0])).columns
    [('text', ['good'], False)]
    """
    if x is None or not len(at):
        return Seen([], [])
    some = Batch(x).take(at).x
    if hasattr(some, "iloc"):
        return _of_frame(some)
    parts = some if isinstance(some, dict) else {"": some}
    columns = [column for name, part in parts.items() for column in _of_part(str(name), part)]
    return Seen([], columns[:MOST_COLUMNS], max(0, len(columns) - MOST_COLUMNS))


def _of_frame(frame: Any) -> Seen:
    names = list(frame.columns)[:MOST_COLUMNS]
    columns = [(str(name), *_cells(frame[name].tolist(), _CELL)) for name in names]
    counted = frame.index.dtype.kind in "iu"
    rows = [f"{i + 1:,}" for i in frame.index] if counted else []
    return Seen(rows, columns, frame.shape[1] - len(names))


def _of_part(name: str, part: Any) -> list[tuple[str, list[str], bool]]:
    if hasattr(part, "toarray"):  # a sparse matrix, of which only these few rows become dense
        part = part.toarray()
    if isinstance(part, list) or getattr(part, "ndim", 2) == 1:
        return [(name or "text", *_cells(list(part), _TEXT if name in ("", "text") else _CELL))]
    rows = np.asarray(part)
    if rows.ndim == 2:
        lead = f"{name} " if name else "x"
        return [(f"{lead}{i}", *_cells(rows[:, i].tolist(), _CELL)) for i in range(rows.shape[1])]
    size = " x ".join(map(str, rows.shape[1:]))
    return [(name or "array", [f"{size}, mean {_cell(float(row.mean()), _CELL)}" for row in rows], False)]


def _cells(values: Sequence[Any], width: int) -> tuple[list[str], bool]:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return [_cell(value, width) for value in values], numbers


def _cell(value: Any, width: int) -> str:
    """Return a value as a table shows it.

    Examples
    --------
    >>> _cell(1234.5678, 9), _cell(7.0, 9), _cell(None, 9), _cell("a long text", 9), _cell(0.00012345, 9)
    ('1234.57', '7', 'missing', 'a long t…', '0.0001234')
    """
    if value is None or str(value) in ("nan", "NaT", "<NA>"):
        return "missing"
    if isinstance(value, float):
        return f"{value:.{6 if abs(value) >= 1000 else 4}g}"
    if hasattr(value, "isoformat"):
        return clean(value.isoformat(sep=" ").removesuffix(" 00:00:00") if hasattr(value, "hour") else value, width)
    return clean(value, width) or "empty"


# ------------------------------------------------------------------------------------------------- page


def examples(outcome: Outcome) -> str:
    """Return 20 rows lost and 20 rows won of the new gate rows; empty where nothing was compared."""
    c = outcome.comparisons.get("new")
    if c is None or not len(c.paired):
        return ""
    regression = outcome.champion.task == "regression"
    lost, won = drawn(c.paired, regression=regression, seed=outcome.seed)
    tables = _card("Lost", lost, c.paired, regression) + _card("Won", won, c.paired, regression)
    one = "only one of the two has every label right" if several(c.paired) else "only one of the two is right"
    intro = "the challenger is further from the truth, or closer" if regression else one
    return (
        f'<h2>Rows lost and won</h2><p class="intro">New rows on which {intro}, drawn at random with the seed of the '
        f"update. They are rows of your data: mind who reads this page.</p>{tables}"
    )


def _card(word: str, some: Examples, paired: PairedPredictions, regression: bool) -> str:
    share = f" ({some.of / len(paired):.1%} of {count(len(paired))})"
    if not some.of:
        return f'<div class="card"><h3>{word}: none</h3><p class="intro">of {count(len(paired))} rows</p></div>'
    which = (
        f"{len(some.at)} of {count(some.of)} rows{share}" if some.of > len(some.at) else f"all {some.of} rows{share}"
    )
    shown = seen(paired.x, some.at)
    left = f"{shown.left_out:,} more columns are" if shown.left_out > 1 else "1 more column is"
    more = f"; {left} not shown" if shown.left_out else ""
    meaning = _MEANING[word, regression]
    if several(paired) and regression:
        meaning = meaning.replace("the error, predicted minus true", "the mean absolute error over its values")
    return (
        f'<div class="card"><h3>{word}: {which}</h3><p class="intro">{meaning}{more}</p>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Rows {word.lower()}">'
        f'<table class="examples">{_head(shown)}<tbody>{_body(some, paired, shown, word, regression)}</tbody></table>'
        "</div></div>"
    )


_MEANING = {
    ("Lost", False): "the champion was right, the challenger is wrong",
    ("Won", False): "the champion was wrong, the challenger is right",
    ("Lost", True): "the challenger’s error is larger; in brackets the error, predicted minus true",
    ("Won", True): "the challenger’s error is smaller; in brackets the error, predicted minus true",
}


def _head(shown: Seen) -> str:
    names = (["row"] if shown.rows else []) + ["truth", "champion", "challenger"]
    cells = [f'<th scope="col">{name}</th>' for name in names]
    for name, _, numbers in shown.columns:
        cells.append(f'<th scope="col"{_side(numbers)} title="{esc(name)}">{esc(clean(name, 24))}</th>')
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _body(some: Examples, paired: PairedPredictions, shown: Seen, word: str, regression: bool) -> str:
    good, bad = '<td class="good-text"', '<td class="bad-text"'
    looks = (good, bad) if word == "Lost" else (bad, good)
    lines = []
    for i, at in enumerate(some.at):
        truth = paired.y[at]
        cells = [f'<td data-label="row" class="soft">{shown.rows[i]}</td>'] if shown.rows else []
        cells.append(f'<td data-label="truth">{_truth(paired, at, regression)}</td>')
        for look, who in zip(looks, ("champion", "challenger"), strict=True):
            said = _said(getattr(paired, who), at, truth, regression)
            cells.append(f'{look} data-label="{who}">{said}</td>')
        for name, values, numbers in shown.columns:
            text = esc(values[i])
            cells.append(f'<td{_side(numbers)} data-label="{esc(clean(name, 40))}">{text}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join(lines)


def _side(numbers: bool) -> str:
    return "" if numbers else ' class="words"'


def _value(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    return esc(minus(_cell(value, _CELL)) if isinstance(value, int | float) else _cell(value, _CELL))


def _truth(paired: PairedPredictions, at: int, regression: bool) -> str:
    if several(paired):
        return _values(paired.y[at]) if regression else _on(paired.y[at], paired.champion)
    return _value(paired.y[at])


def _on(label: Any, said: Prediction) -> str:
    """Return the names of the labels of a row that are on."""
    names = np.arange(len(label)) if said.classes is None else said.classes
    return esc(clean(", ".join(map(str, names[np.asarray(label) == 1])), _CELL) or "none")


def _values(row: Any) -> str:
    shown = "; ".join(_value(float(value)) for value in row[:MOST_VALUES])
    return shown + ("; …" if len(row) > MOST_VALUES else "")


def _said(said: Prediction, at: int, truth: Any, regression: bool) -> str:
    label = said.label[at]
    if np.ndim(label):
        if not regression:
            return _on(label, said)
        error = float(np.abs(label - truth).mean())
        return f"{_values(label)} <small>({_value(error) if math.isfinite(error) else 'n/a'})</small>"
    if regression:
        error = float(label) - float(truth)
        return f"{_value(float(label))} <small>({_value(error) if math.isfinite(error) else 'n/a'})</small>"
    sure = None if said.proba is None or not said.proba.size else said.proba[at].max()
    return _value(label) + (f" <small>{sure:.0%}</small>" if digits([sure]) else "")
