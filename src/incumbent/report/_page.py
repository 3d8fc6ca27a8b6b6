"""The page: one HTML file that opens offline, without scripts, in light and dark, on a desk and on a phone."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template

from incumbent.core import Outcome
from incumbent.report import _compare, _examples, _record, _verdict
from incumbent.report._bars import esc
from incumbent.report._file import write_whole
from incumbent.report._icons import brand
from incumbent.report._view import word_of
from incumbent.report._words import count

_SECTIONS = (
    ("next", "Next", _verdict.next_steps),
    ("why", "Why", _verdict.reasons),
    ("compare", "Comparison", _compare.metrics),
    ("classes", "Classes", _compare.classes),
    ("rows", "Row by row", _compare.rows),
    ("examples", "Examples", _examples.examples),
    ("predictions", "Predictions", _compare.predictions),
    ("challengers", "Challengers", _record.tries),
    ("before", "Prequential", _record.prequential),
    ("data", "Data", _record.data),
    ("cost", "Cost", _record.cost),
    ("sure", "Promise", _verdict.promise),
    ("lineage", "Lineage", _record.lineage),
)


def write(outcome: Outcome, path: Path) -> Path:
    """Write the page that a person reads and return where it lies.

    The page is one file: no script, no font, image or style from elsewhere. It is written in one step, so that a crash
    leaves what was there before.

    Parameters
    ----------
    outcome : Outcome
        What an update found out.
    path : Path
        The file to write; an existing one is replaced.

    Raises
    ------
    UsageError
        The folder is missing or may not be written to, or the path is a folder.
    """
    return write_whole(page(outcome), Path(path))


def page(outcome: Outcome) -> str:
    """Return the page as text."""
    made = [(key, name, build(outcome)) for key, name, build in _SECTIONS]
    made = [(key, name, body) for key, name, body in made if body]
    model = outcome.name or "a model in memory"
    return _read("_page.html").substitute(
        title=f"{word_of(outcome)}: {esc(model)}",
        style=_read("_style.css").template,
        decision="waits" if outcome.candidate else outcome.decision,
        mark=brand(),
        which=_which(outcome),
        hero=_verdict.hero(outcome),
        nav="".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in made),
        sections="\n".join(f'<section id="{key}">{body}</section>' for key, _, body in made),
        footer=_footer(outcome),
    )


def _read(name: str) -> Template:
    return Template(resources.files("incumbent.report").joinpath(name).read_text(encoding="utf-8"))


def _which(outcome: Outcome) -> str:
    name = esc(outcome.name) or "in memory"
    return f"{name} · update <code>{esc(outcome.update)}</code>" if outcome.update else name


def _footer(outcome: Outcome) -> str:
    seed, rows = f"Seed {outcome.seed}", count(outcome.check.rows)
    return f"{seed}: the same {rows} rows and the same champion give the same verdict. Written by incumbent."
