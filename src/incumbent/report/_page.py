"""The page: one HTML file that opens offline, without scripts, in light and dark, on a desk and on a phone."""

from __future__ import annotations

import os
import uuid
from importlib import resources
from pathlib import Path
from string import Template

from incumbent.core import Outcome
from incumbent.errors import UsageError
from incumbent.report import _compare, _examples, _record, _verdict
from incumbent.report._drawings import brand, esc
from incumbent.report._view import word_of

_SECTIONS = (
    ("next", "Next", _verdict.next_steps),
    ("why", "Why", _verdict.reasons),
    ("compare", "Comparison", _compare.metrics),
    ("classes", "Classes", _compare.classes),
    ("rows", "Flips", _compare.rows),
    ("examples", "Examples", _examples.examples),
    ("predictions", "Predictions", _compare.predictions),
    ("challengers", "Challengers", _record.tries),
    ("before", "Prequential", _record.prequential),
    ("data", "Data", _record.data),
    ("cost", "Time", _record.cost),
    ("sure", "Guarantee", _verdict.guarantee),
    ("lineage", "History", _record.lineage),
)


def write(outcome: Outcome, path: Path) -> Path:
    """Write the page and return its path.

    The page is one file: no script, font, image or style from elsewhere. It is written in one step: a reader sees the
    old file or the new one, and a crash leaves the old one.

    Parameters
    ----------
    outcome : Outcome
        The outcome of an update.
    path : Path
        The file to write; an existing one is replaced.

    Raises
    ------
    UsageError
        The folder is missing or may not be written to, or the path is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the report a file name, such as {path / 'report.html'}.")
    if not path.parent.is_dir():
        raise UsageError(
            f"The report cannot be written to {path}: the folder {path.parent} does not exist. Create it first."
        )
    part = path.with_name(f".{uuid.uuid4().hex}.part")  # the same folder: a rename across disks is not one step
    try:
        part.write_text(page(outcome), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {path}: {error.strerror or error}. Choose another path."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def page(outcome: Outcome) -> str:
    """Return the page as text."""
    made = [(key, name, build(outcome)) for key, name, build in _SECTIONS]
    made = [(key, name, body) for key, name, body in made if body]
    name = esc(outcome.name)
    return _read("_page.html").substitute(
        title=f"{word_of(outcome)}: {name or 'a model in memory'}",
        style=_read("_style.css").template,
        decision="waits" if outcome.candidate else outcome.decision,
        mark=brand(),
        which=(name or "in memory") + (f" · update <code>{esc(outcome.update)}</code>" if outcome.update else ""),
        hero=_verdict.hero(outcome),
        nav="".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in made),
        sections="\n".join(f'<section id="{key}">{body}</section>' for key, _, body in made),
        footer=f"Written by incumbent with seed {outcome.seed}. The same rows and champion give the same verdict.",
    )


def _read(name: str) -> Template:
    return Template(resources.files("incumbent.report").joinpath(name).read_text(encoding="utf-8"))
