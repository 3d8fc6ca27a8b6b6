"""Rows lost and won, drawn at random, as a person can read them: features, truth and both predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incumbent.core import Batch, Outcome, PairedPredictions, Prediction
from incumbent.report._counts import right, several
from incumbent.report._drawings import esc, minus
from incumbent.report._units import finite
from incumbent.words import clean

MOST_ROWS, MOST_COLUMNS, MOST_VALUES = 20, 8, 4
_CELL, _TEXT = 48, 240  # characters of a cell, and of a text that is all that the models saw
_MEANING = {
    ("Lost", False): "the champion was right, the challenger is wrong",
    ("Won", False): "the champion was wrong, the challenger is right",
    ("Lost", True): "the challenger’s error is larger; in brackets the error, predicted minus true",
    ("Won", True): "the challenger’s error is smaller; in brackets the error, predicted minus true",
}


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of one kind.

    Parameters
    ----------
    at : (m,) array of int
        Positions of the drawn rows, in order.
    of : int
        How many rows of this kind there are.
    """

    at: NDArray[np.intp]
    of: int


def draw_examples(paired: PairedPredictions, *, regression: bool, seed: int) -> tuple[Examples, Examples]:
    """Return rows lost and rows won, at most 20 each, drawn with equal chances.

    A row is lost if the champion is right and the challenger wrong, and won in the opposite case. In a regression, a
    row is lost if the challenger's error (the mean over several values) is larger.

    Parameters
    ----------
    paired : PairedPredictions
        The predictions of both models.
    regression : bool
        Whether to compare errors.
    seed : int
        The seed of the draw.

    Examples
    --------
    >>> y = np.array([1, 1, 1, 0])
    >>> both = Prediction(np.array([1, 1, 0, 0])), Prediction(np.array([0, 1, 1, 0]))
    >>> lost, won = draw_examples(PairedPredictions(y, *both), regression=False, seed=0)
    >>> lost.at.tolist(), won.at.tolist()
    ([0], [2])
    """
    if regression:
        before, after = (_errors(paired, prediction) for prediction in (paired.champion, paired.challenger))
        lost, won = after > before, after < before  # neither if one is NaN
    else:
        was, now = right(paired)
        lost, won = was & ~now, now & ~was
    return _draw(lost, [seed, 0]), _draw(won, [seed, 1])


def _errors(paired: PairedPredictions, prediction: Prediction) -> NDArray[np.float64]:
    errors: NDArray[np.float64] = np.abs(np.asarray(prediction.label, dtype=float) - np.asarray(paired.y, dtype=float))
    return errors.mean(axis=1) if errors.ndim == 2 else errors


def _draw(rows: NDArray[np.bool_], seed: list[int]) -> Examples:
    at = np.flatnonzero(rows)
    some = np.sort(np.random.default_rng(seed).choice(at, MOST_ROWS, replace=False)) if len(at) > MOST_ROWS else at
    return Examples(some, len(at))


@dataclass(frozen=True)
class RowTable:
    """The features of some rows, as text.

    Parameters
    ----------
    rows : list of str
        The number of each row in the data, from 1; empty if it is not known.
    columns : list of (str, list of str, bool)
        Name, cells, and whether they are numbers.
    left_out : int
        How many columns there are beyond these.
    """

    rows: list[str]
    columns: list[tuple[str, list[str], bool]]
    left_out: int = 0


def tabulate(x: Any, at: NDArray[np.intp]) -> RowTable:
    """Return the features of rows as a page shows them: at most 8 columns, and the shape of larger arrays.

    Parameters
    ----------
    x : table, array, list of texts or dict of them
        What the models saw.
    at : (m,) array of int
        Positions of rows.

    Examples
    --------
    >>> tabulate(np.array([[0.5, 2.0], [1e-9, np.nan]]), np.array([1])).columns
    [('x0', ['1e-09'], True), ('x1', ['missing'], True)]
    >>> tabulate(["good", "bad"], np.array([0])).columns
    [('text', ['good'], False)]
    """
    if x is None or not len(at):
        return RowTable([], [])
    some = Batch(x).take(at).x
    if hasattr(some, "iloc"):
        names = list(some.columns)[:MOST_COLUMNS]
        rows = [f"{i + 1:,}" for i in some.index] if some.index.dtype.kind in "iu" else []
        columns = [(str(name), *_cells(some[name].tolist(), _CELL)) for name in names]
        return RowTable(rows, columns, some.shape[1] - len(names))
    parts = some if isinstance(some, dict) else {"": some}
    columns = [column for name, part in parts.items() for column in _of_part(str(name), part)]
    return RowTable([], columns[:MOST_COLUMNS], max(0, len(columns) - MOST_COLUMNS))


def _of_part(name: str, part: Any) -> list[tuple[str, list[str], bool]]:
    if hasattr(part, "toarray"):  # only these few rows of a sparse matrix become dense
        part = part.toarray()
    if isinstance(part, list) or getattr(part, "ndim", 2) == 1:
        return [(name or "text", *_cells(list(part), _TEXT if name in ("", "text") else _CELL))]
    rows = np.asarray(part)
    if rows.ndim == 2:
        lead = f"{name} " if name else "x"
        return [(f"{lead}{i}", *_cells(rows[:, i].tolist(), _CELL)) for i in range(rows.shape[1])]
    size = " x ".join(map(str, rows.shape[1:]))
    return [(name or "array", [f"{size}, mean {_cell(float(row.mean()))}" for row in rows], False)]


def _cells(values: Sequence[Any], width: int) -> tuple[list[str], bool]:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return [_cell(value, width) for value in values], numbers


def _cell(value: Any, width: int = _CELL) -> str:
    """Return a value as a table shows it.

    Examples
    --------
    >>> _cell(1234.5678), _cell(7.0), _cell(None), _cell("a long text", 9), _cell(0.00012345)
    ('1234.57', '7', 'missing', 'a long t…', '0.0001234')
    """
    if value is None or str(value) in ("nan", "NaT", "<NA>"):
        return "missing"
    if isinstance(value, float):
        return f"{value:.{6 if abs(value) >= 1000 else 4}g}"
    if hasattr(value, "isoformat"):
        value = value.isoformat(sep=" ").removesuffix(" 00:00:00") if hasattr(value, "hour") else value
    return clean(value, width) or "empty"


def examples(outcome: Outcome) -> str:
    """Return rows lost and rows won of the new test rows; empty if nothing was compared."""
    c = outcome.comparisons.get("new")
    if c is None or not len(c.paired):
        return ""
    regression = outcome.champion.task == "regression"
    lost, won = draw_examples(c.paired, regression=regression, seed=outcome.seed)
    tables = _card("Lost", lost, c.paired, regression) + _card("Won", won, c.paired, regression)
    one = "only one of the two has every label right" if several(c.paired) else "only one of the two is right"
    which = "the challenger is further from the truth, or closer" if regression else one
    return (
        f'<h2>Rows lost and won</h2><p class="intro">New rows on which {which}, drawn at random with the seed of the '
        f"update. They are rows of your data: check who may read this page.</p>{tables}"
    )


def _card(word: str, some: Examples, paired: PairedPredictions, regression: bool) -> str:
    if not some.of:
        return f'<div class="card"><h3>{word}: none</h3><p class="intro">of {len(paired):,} rows</p></div>'
    which = f"{len(some.at)} of {some.of:,}" if some.of > len(some.at) else f"all {some.of}"
    table = tabulate(paired.x, some.at)
    more = f"; {table.left_out:,} more column{'s' * (table.left_out > 1)} not shown" if table.left_out else ""
    meaning = _MEANING[word, regression]
    if several(paired) and regression:
        meaning = meaning.replace("the error, predicted minus true", "the mean absolute error over its values")
    return (
        f'<div class="card"><h3>{word}: {which} rows ({some.of / len(paired):.1%} of {len(paired):,})</h3>'
        f'<p class="intro">{meaning}{more}</p>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Rows {word.lower()}"><table class="examples">'
        f"{_head(table)}<tbody>{_body(some, paired, table, word, regression)}</tbody></table></div></div>"
    )


def _head(table: RowTable) -> str:
    names = (["row"] if table.rows else []) + ["truth", "champion", "challenger"]
    cells = [f'<th scope="col">{name}</th>' for name in names]
    for name, _, numbers in table.columns:
        cells.append(f'<th scope="col"{_side(numbers)} title="{esc(name)}">{esc(clean(name, 24))}</th>')
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _body(some: Examples, paired: PairedPredictions, table: RowTable, word: str, regression: bool) -> str:
    looks = ("good-text", "bad-text") if word == "Lost" else ("bad-text", "good-text")
    lines = []
    for i, at in enumerate(some.at):
        truth = paired.y[at]
        cells = [f'<td data-label="row" class="soft">{table.rows[i]}</td>'] if table.rows else []
        cells.append(f'<td data-label="truth">{_labels(truth, paired.champion, regression)}</td>')
        for look, model in zip(looks, ("champion", "challenger"), strict=True):
            text = _predicted(getattr(paired, model), at, truth, regression)
            cells.append(f'<td class="{look}" data-label="{model}">{text}</td>')
        for name, values, numbers in table.columns:
            cells.append(f'<td{_side(numbers)} data-label="{esc(clean(name, 40))}">{esc(values[i])}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join(lines)


def _side(numbers: bool) -> str:
    return "" if numbers else ' class="words"'


def _value(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    return esc(minus(_cell(value)) if isinstance(value, int | float) else _cell(value))


def _labels(label: Any, prediction: Prediction, regression: bool) -> str:
    """Return the label of a row. Of several labels, those that are on; of several values, the first ones."""
    if not np.ndim(label):
        return _value(label)
    if regression:
        return "; ".join(_value(float(value)) for value in label[:MOST_VALUES]) + "; …" * (len(label) > MOST_VALUES)
    names = np.arange(len(label)) if prediction.classes is None else prediction.classes
    return esc(clean(", ".join(map(str, names[np.asarray(label) == 1])), _CELL) or "none")


def _predicted(prediction: Prediction, at: int, truth: Any, regression: bool) -> str:
    """Return the prediction of a row, with its error or its probability."""
    label = prediction.label[at]
    text = _labels(label, prediction, regression)
    if regression:
        error = float(np.abs(label - truth).mean()) if np.ndim(label) else float(label) - float(truth)
        return f"{text} <small>({_value(error) if math.isfinite(error) else 'n/a'})</small>"
    proba = prediction.proba
    confidence = None if proba is None or not proba.size or np.ndim(label) else proba[at].max()
    return text + (f" <small>{confidence:.0%}</small>" if finite([confidence]) else "")
