"""Plots with axes, drawn by matplotlib as SVG that lives inside a page and takes on its colours.

Only loaded when a page is written: nothing else pays for matplotlib.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from incumbent.core import Floats, PairedPredictions, Prediction
from incumbent.report._bars import esc
from incumbent.report._counts import calibration, errors

MOST_POINTS = 2000
# Stand-ins, each replaced by the page's own colour: the page may be light or dark.
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


def calibration_plot(paired: PairedPredictions) -> str:
    """Return predicted probability against observed share, for champion and challenger; empty without probabilities."""
    curves = [calibration(paired.y, said) for said in (paired.champion, paired.challenger)]
    if all(curve is None for curve in curves):
        return ""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure()
        axes.plot([0, 1], [0, 1], color=_SOFT, linestyle=(0, (3, 3)), linewidth=1)
        looks = (("champion", _CHAMPION, "s"), ("challenger", _CHALLENGER, "o"))
        for curve, (name, colour, marker) in zip(curves, looks, strict=True):
            if curve is not None:
                axes.plot(curve[0], curve[1], color=colour, marker=marker, markersize=5, linewidth=1.8, label=name)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="predicted probability", ylabel="share that came true")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        return _svg(figure, "Calibration: probability against the share that came true; the diagonal is perfect.")


def confidence_plot(paired: PairedPredictions) -> str:
    """Return how often champion and challenger are how sure of what they predict; empty without probabilities."""
    sure = [(_sure(said), name) for said, name in ((paired.champion, "champion"), (paired.challenger, "challenger"))]
    if not all(len(values) for values, _ in sure):
        return ""
    edges = np.linspace(min(float(values.min()) for values, _ in sure), 1.0, 31)
    with mpl.rc_context(_STYLE):
        figure, axes = _figure()
        for (values, name), colour in zip(sure, (_CHAMPION, _CHALLENGER), strict=True):
            _histogram(axes, values, edges, colour, name)
        axes.set(xlabel="probability of its own prediction", ylabel="share of rows")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        return _svg(figure, "How often champion and challenger are how sure of what they predict.")


def _sure(said: Prediction) -> Floats:
    values = np.empty(0) if said.proba is None or not said.proba.size else said.proba.max(axis=1)
    if said.proba is not None and said.label.ndim == 2:  # of several labels, each is on or off by a probability
        values = np.maximum(said.proba, 1.0 - said.proba).ravel()
    known: Floats = np.clip(values[np.isfinite(values)], 0.0, 1.0)
    return known


def _histogram(axes: Any, values: Floats, edges: Floats, colour: str, name: str) -> None:
    if edges[0] == edges[-1]:
        edges = edges[0] + np.linspace(-0.5, 0.5, len(edges))
    height = np.histogram(values, edges)[0] / len(values)
    axes.stairs(height, edges, color=colour, linewidth=1.8, label=name)
    axes.stairs(height, edges, color=colour, fill=True, alpha=0.14)


def predicted_plot(paired: PairedPredictions, who: str) -> str:
    """Return predicted against true values of "champion" or "challenger", at most 2,000 rows."""
    y, old, new = errors(paired, MOST_POINTS)
    if not len(y):
        return ""
    said = old if who == "champion" else new
    low, high = (float(f([f(y), f(old), f(new)])) for f in (np.min, np.max))
    room = (high - low) * 0.04 or 1.0
    with mpl.rc_context(_STYLE):
        figure, axes = _figure()
        axes.plot([low, high], [low, high], color=_SOFT, linestyle=(0, (3, 3)), linewidth=1)
        axes.add_patch(_points(y, said, _CHAMPION if who == "champion" else _CHALLENGER))
        axes.set(xlim=(low - room, high + room), ylim=(low - room, high + room))
        axes.set(xlabel="true value", ylabel=f"predicted by the {who}")
        return _svg(figure, f"Values predicted by the {who} against true values; the diagonal is perfect.")


def residual_plot(paired: PairedPredictions) -> str:
    """Return how often the errors of champion and challenger are how large."""
    y, old, new = errors(paired, 200_000)
    if not len(y):
        return ""
    wide = float(np.quantile(np.abs(np.concatenate([old - y, new - y])), 0.995)) or 1.0
    edges = np.linspace(-wide, wide, 42)
    with mpl.rc_context(_STYLE):
        figure, axes = _figure()
        for said, name, colour in ((old, "champion", _CHAMPION), (new, "challenger", _CHALLENGER)):
            _histogram(axes, said - y, edges, colour, name)
        axes.axvline(0, color=_SOFT, linestyle=(0, (3, 3)), linewidth=1)
        axes.set(xlabel="predicted minus true", ylabel="share of rows")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        return _svg(figure, "How often the errors of champion and challenger are how large; the narrower, the better.")


def residual_cloud(paired: PairedPredictions) -> str:
    """Return the challenger's errors against its predictions, at most 2,000 rows."""
    y, _, new = errors(paired, MOST_POINTS)
    if not len(y):
        return ""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure()
        axes.axhline(0, color=_SOFT, linestyle=(0, (3, 3)), linewidth=1)
        axes.add_patch(_points(new, new - y, _CHALLENGER))
        axes.autoscale_view()
        axes.set(xlabel="predicted by the challenger", ylabel="predicted minus true")
        return _svg(figure, "Errors of the challenger against what it predicted; a flat cloud around zero is best.")


def _figure() -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.9, 4.0), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.tick_params(left=False, bottom=False)
    return figure, axes


def _points(x: Floats, y: Floats, colour: str) -> PathPatch:
    # One path of dots (strokes of no length with round ends): a third of the bytes of a marker each.
    corners = np.repeat(np.column_stack([x, y]), 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(x))
    return PathPatch(Path(corners, codes), fill=False, edgecolor=colour, linewidth=3.2, alpha=0.4, capstyle="round")


def _svg(figure: Figure, said: str) -> str:
    text = io.StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    box = re.search(r'viewBox="([^"]+)"', drawn)
    assert box is not None, "matplotlib always writes a viewBox"
    inner = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    key = f"p{zlib.crc32(said.encode()):x}-"  # ids must differ between the plots of one page
    return f'<svg class="plot" role="img" aria-label="{esc(said)}" viewBox="{box[1]}">{_settle(inner, key)}</svg>'


def _settle(drawn: str, key: str) -> str:
    """Return the drawing without what only a separate file needs, in the page's colours and with short numbers."""
    drawn = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<\?.*?\?>", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("xlink:href", "href")
    drawn = _identified(drawn, key)
    drawn = re.sub(r'(?<= )(d|x|y|transform|points)="[^"]*"', lambda m: _rounded(m[0]), drawn)
    for stand_in, name in _COLOURS.items():
        drawn = drawn.replace(stand_in, f"var(--{name})")
    return re.sub(r"\s*\n\s*", " ", drawn).strip()


def _identified(drawn: str, key: str) -> str:
    """Return the drawing with only the ids that it refers to, each once and with `key` before it."""
    wanted = set(re.findall(r'(?:href="#|url\(#)([\w-]+)', drawn))

    def keep(found: re.Match[str]) -> str:
        if found[1] not in wanted:
            return ""
        wanted.remove(found[1])  # matplotlib repeats a mark under the same id for each axis; the first will do
        return f' id="{key}{found[1]}"'

    return re.sub(r'(href="#|url\(#)', rf"\g<1>{key}", re.sub(r' id="([^"]+)"', keep, drawn))


def _rounded(attribute: str) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}", attribute)
