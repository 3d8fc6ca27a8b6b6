"""Plots with axes, drawn by matplotlib as SVG inside the page and in its colours. Only a page imports matplotlib."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from incumbent.core import Floats, PairedPredictions, Prediction
from incumbent.report._counts import calibration, errors
from incumbent.report._drawings import esc

MOST_POINTS = 2000
# Placeholders, each replaced by a colour of the page, which may be light or dark
_COLOURS = {"#010101": "ink", "#020202": "soft", "#030303": "line", "#040404": "champion", "#050505": "challenger"}
_INK, _SOFT, _LINE, _CHAMPION, _CHALLENGER = _COLOURS
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "incumbent",  # the same figure is the same text, byte for byte
    "font.size": 11,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "text.color": _INK,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "path.simplify": False,
}
_MODELS = (("champion", _CHAMPION), ("challenger", _CHALLENGER))
_GUIDE: dict[str, Any] = {"color": _SOFT, "linestyle": (0, (3, 3)), "linewidth": 1}


def calibration_plot(paired: PairedPredictions) -> str:
    """Return predicted probability and observed frequency of both models; empty without probabilities."""
    curves = [calibration(paired.y, prediction) for prediction in (paired.champion, paired.challenger)]
    if all(curve is None for curve in curves):
        return ""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], **_GUIDE)
        for curve, (name, colour), marker in zip(curves, _MODELS, "so", strict=True):
            if curve is not None:
                axes.plot(curve[0], curve[1], color=colour, marker=marker, markersize=5, linewidth=1.8, label=name)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="predicted probability", ylabel="observed frequency")

    return _plot("Predicted probability and observed frequency; the diagonal is perfect.", draw, legend=True)


def confidence_plot(paired: PairedPredictions) -> str:
    """Return how often both models give their prediction which probability; empty without probabilities."""
    confidence = [_confidence(prediction) for prediction in (paired.champion, paired.challenger)]
    if not all(map(len, confidence)):
        return ""
    edges = np.linspace(min(float(values.min()) for values in confidence), 1.0, 31)
    return _histograms("Confidence of both models.", confidence, edges, "probability of its own prediction")


def _confidence(prediction: Prediction) -> Floats:
    proba = prediction.proba
    if proba is None or not proba.size:
        return np.empty(0)
    if prediction.label.ndim == 2:  # each of several labels is on or off with a probability of its own
        values = np.maximum(proba, 1.0 - proba).ravel()
    else:
        values = proba.max(axis=1)
    known: Floats = np.clip(values[np.isfinite(values)], 0.0, 1.0)
    return known


def predicted_plot(paired: PairedPredictions, model: str) -> str:
    """Return predicted and true values of "champion" or "challenger", at most 2,000 rows."""
    y, old, new = errors(paired, MOST_POINTS)
    if not len(y):
        return ""
    values = np.concatenate([y, old, new])
    low, high = float(values.min()), float(values.max())
    room = (high - low) * 0.04 or 1.0

    def draw(axes: Any) -> None:
        axes.plot([low, high], [low, high], **_GUIDE)
        axes.add_patch(_points(y, old if model == "champion" else new, dict(_MODELS)[model]))
        axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room))
        axes.set(xlabel="true value", ylabel=f"predicted by the {model}")

    return _plot(f"Values predicted by the {model} and true values; the diagonal is perfect.", draw)


def residual_plot(paired: PairedPredictions) -> str:
    """Return how large the errors of both models are, and how often."""
    y, old, new = errors(paired, 200_000)
    if not len(y):
        return ""
    wide = float(np.quantile(np.abs(np.concatenate([old - y, new - y])), 0.995)) or 1.0
    edges = np.linspace(-wide, wide, 42)
    return _histograms("Errors of both models; narrow is good.", [old - y, new - y], edges, "predicted minus true")


def _histograms(label: str, both: list[Floats], edges: Floats, xlabel: str) -> str:
    if edges[0] == edges[-1]:
        edges = edges[0] + np.linspace(-0.5, 0.5, len(edges))

    def draw(axes: Any) -> None:
        for values, (name, colour) in zip(both, _MODELS, strict=True):
            height = np.histogram(values, edges)[0] / len(values)
            axes.stairs(height, edges, color=colour, linewidth=1.8, label=name)
            axes.stairs(height, edges, color=colour, fill=True, alpha=0.14)
        axes.set(xlabel=xlabel, ylabel="fraction of rows")

    return _plot(label, draw, legend=True)


def _plot(label: str, draw: Callable[[Any], None], *, legend: bool = False) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.9, 4.0), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        axes.tick_params(left=False, bottom=False)
        draw(axes)
        if legend:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        return _svg(figure, label)


def _points(x: Floats, y: Floats, colour: str) -> PathPatch:
    # one path of dots (strokes without length, with round ends) takes a third of the bytes of a marker each
    corners = np.repeat(np.column_stack([x, y]), 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(x))
    return PathPatch(Path(corners, codes), fill=False, edgecolor=colour, linewidth=3.2, alpha=0.4, capstyle="round")


def _svg(figure: Figure, label: str) -> str:
    text = io.StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    box = re.search(r'viewBox="([^"]+)"', drawn)
    assert box is not None
    inner = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    key = f"p{zlib.crc32(label.encode()):x}-"  # ids must differ between the plots of one page
    return f'<svg class="plot" role="img" aria-label="{esc(label)}" viewBox="{box[1]}">{_settle(inner, key)}</svg>'


def _settle(drawn: str, key: str) -> str:
    """Return the drawing without the parts of a separate file, in the colours of the page and with short numbers."""
    drawn = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<\?.*?\?>", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("xlink:href", "href")
    drawn = _identified(drawn, key)
    drawn = re.sub(r'(?<= )(d|x|y|transform|points)="[^"]*"', lambda m: _rounded(m[0]), drawn)
    for stand_in, name in _COLOURS.items():
        drawn = drawn.replace(stand_in, f"var(--{name})")
    return re.sub(r"\s*\n\s*", " ", drawn).strip()


def _identified(drawn: str, key: str) -> str:
    """Return the drawing with only the ids that it uses, each once and after `key`."""
    wanted = set(re.findall(r'(?:href="#|url\(#)([\w-]+)', drawn))

    def keep(found: re.Match[str]) -> str:
        if found[1] not in wanted:
            return ""
        wanted.remove(found[1])  # matplotlib repeats a mark for each axis
        return f' id="{key}{found[1]}"'

    return re.sub(r'(href="#|url\(#)', rf"\g<1>{key}", re.sub(r' id="([^"]+)"', keep, drawn))


def _rounded(attribute: str) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}", attribute)
