"""The README and the other pages are run as a reader would run them, and their tables are held to the code."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from warm_python import WarmPython

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LEFT_OUT = {
    "make ": "sets up or tests the project, and this test is part of that",
    "git ": "is about a clone of the project",
    "python3 -m venv": "makes an environment, and this test runs in one",
    ".venv/bin/pip": "installs packages, and a test leaves its environment as it is",
    ".venv/bin/mlflow": "serves until it is stopped, and needs the extra ui",
}
SHELL = set("|<>&;$*`")  # a command with one of these is run by a shell


# --------------------------------------------------------------------------------------------- what a page holds


@dataclass(frozen=True)
class Step:
    """One thing that a reader does, and what the page shows of the answer."""

    kind: str
    text: str
    shown: tuple[str, ...] = ()

    @property
    def left_out(self) -> str:
        return next(
            (why for start, why in LEFT_OUT.items() if self.kind == "shell" and self.text.startswith(start)), ""
        )


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for kind, text in blocks(page):
        if kind in ("console", "sh"):
            found += commands(text, prompt="$ " if kind == "console" else "")
        elif kind in ("python", "toml"):
            found.append(Step(kind, text))
        elif kind == "text" and found and found[-1].kind == "python":
            found[-1] = Step("python", found[-1].text, tuple(text.splitlines()))
    return found


def commands(text: str, *, prompt: str) -> Iterator[Step]:
    lines = text.replace("\\\n", " ").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(prompt) and line.strip()]
    for i, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Step("shell", " ".join(lines[i].removeprefix(prompt).split()), tuple(lines[i + 1 : end]))


# --------------------------------------------------------------------------------------------- doing what it says


def environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("INCUMBENT_", "MLFLOW_"))}
    here = str(Path(sys.executable).parent)
    return ours | {"PATH": f"{here}{os.pathsep}{ours['PATH']}", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def follow(step: Step, folder: Path, number: int, python: WarmPython) -> str:
    """Do one step in the folder and return all that it printed."""
    if step.kind == "toml":
        return install(step.text, folder)
    name = re.match(r"# (\w+\.py)\b", step.text)
    if step.kind == "python" and name:
        (folder / name[1]).write_text(step.text, encoding="utf-8")
        return ""
    words = shlex.split(step.text, comments=True) if step.kind == "shell" else []
    if step.kind == "python":
        script = folder / f"_block_{number}.py"
        script.write_text(step.text, encoding="utf-8")
        code, printed = python.run(str(script), [], folder, environment())
    elif words[0] == "incumbent" and not SHELL.intersection(step.text):
        code, printed = python.run(words[0], words[1:], folder, environment())
    else:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(step.text, shell=True, cwd=folder, env=environment(), timeout=600, **pipes)
        code, printed = done.returncode, done.stdout
    assert code == 0, f"This failed with exit code {code}:\n{step.text}\n\n{printed}"
    return printed


def install(text: str, folder: Path) -> str:
    """Give the entry points of a pyproject.toml to Python, as an installation would."""
    groups = tomllib.loads(text)["project"]["entry-points"]
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
    ]
    about = folder / f"shown_{len(list(folder.glob('*.dist-info')))}-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about.name.split('-')[0]}\nVersion: 0\n")
    (about / "entry_points.txt").write_text("\n".join(lines))
    return ""


def check_shown(step: Step, said: str) -> None:
    """Hold the lines that the page shows against what was printed: in order, but for numbers and times."""
    printed = [plain(line) for line in said.splitlines()]
    at = 0
    for line in step.shown:
        wanted = plain(line)
        if not wanted or wanted == "…":
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split("…"))))
        match = next((i for i in range(at, len(printed)) if pattern.fullmatch(printed[i])), None)
        assert match is not None, f"The page shows\n  {line}\nafter\n  {step.text}\nwhich printed\n{said}"
        at = match + 1


def plain(line: str) -> str:
    text = re.sub(r"[+-]?\d[\d,.:]*(?<![,.:])", "#", line)
    text = re.sub(r"# (µs|ms|s|min)\b", "# s", text)
    return " ".join(re.sub("─+", "─", text).split())


@pytest.fixture(scope="module")
def python() -> Iterator[WarmPython]:
    with WarmPython() as started:
        yield started


RUN = [page for page in PAGES if page.name != "CONTRIBUTING.md" and any(not step.left_out for step in steps(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_what_a_page_says_works_and_prints_what_it_shows(page, tmp_path, python):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    todo = [step for step in steps(page) if not step.left_out]
    for number, step in enumerate(todo):
        check_shown(step, follow(step, tmp_path, number, python))


@pytest.mark.parametrize(
    "step", [pytest.param(s, id=f"{p.name}: {s.text}") for p in PAGES for s in steps(p) if s.left_out]
)
def test_a_command_is_left_out_for_a_reason(step):
    pytest.skip(f"it {step.left_out}")


@pytest.mark.slow
def test_a_failing_command_fails_the_page(tmp_path, python):
    with pytest.raises(AssertionError, match="exit code 3"):
        follow(Step("shell", "exit 3"), tmp_path, 0, python)
    with pytest.raises(AssertionError, match="exit code 1"):
        follow(Step("python", "raise ValueError"), tmp_path, 0, python)
    with pytest.raises(AssertionError, match="The page shows"):
        check_shown(Step("shell", "true", ("Promoted: …",)), "Rejected: it forgets")


# ------------------------------------------------------------------------------------------------ tables and links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def table(page: Path, first: str) -> list[list[str]]:
    """Return the cells of the table whose first heading is `first`, its heading included."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def natives() -> dict[str, object]:
    """Return every class that the table of models may name, for `eval`."""
    import lightgbm
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.naive_bayes
    import sklearn.neighbors
    import sklearn.neural_network
    import sklearn.svm
    import sklearn.tree
    import xgboost

    homes = (
        *(sklearn.ensemble, sklearn.linear_model, sklearn.naive_bayes, sklearn.neighbors),
        *(sklearn.neural_network, sklearn.svm, sklearn.tree, lightgbm, xgboost),
    )
    return {name: getattr(home, name) for home in homes for name in dir(home) if not name.startswith("_")}


def fitted(expression: str) -> object:
    x = np.abs(np.random.default_rng(0).normal(size=(120, 3)))
    y = (x[:, 0] > 0.7).astype(int)
    if expression == "lightgbm.Booster":
        import lightgbm

        return lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(x, y), 2)
    if expression == "xgboost.Booster":
        import xgboost

        return xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(x, y), 2)
    if expression == "torch.nn.Module":
        torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
        return torch.nn.Sequential(torch.nn.Linear(3, 2))
    found = eval(expression, natives())
    model = found() if isinstance(found, type) else found
    settings = {"n_estimators": 3, "max_iter": 20, "verbosity": -1 if "LGBM" in expression else 0}
    model.set_params(**{name: value for name, value in settings.items() if name in model.get_params()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twenty iterations are few, and what is asked here is what the model can do
        return model.fit(x, y if "Regressor" not in expression and expression not in VALUES else x @ [1.0, 2.0, 3.0])


VALUES = ("Ridge", "Lasso", "ElasticNet")
MODELS = table(REFERENCE / "models.md", "model")


@pytest.mark.parametrize("row", MODELS[1:], ids=lambda row: row[0])
def test_the_table_of_models_says_what_each_can_do(row):
    from incumbent import wrap

    words = [heading.strip("`") for heading in MODELS[0][1:]]
    claimed = {word for word, cell in zip(words, row[1:], strict=True) if cell}
    for name in re.findall(r"`([^`]+)`", row[0]):
        assert wrap(fitted(name)).abilities - {"proba"} == claimed - {"proba"}, name
        assert ("proba" in claimed) == ("proba" in wrap(fitted(name)).abilities), name


def test_the_table_of_models_has_a_column_for_every_ability():
    from incumbent.core import ABILITIES

    assert [heading.strip("`") for heading in MODELS[0][1:]] == list(ABILITIES)


def test_the_table_of_abilities_explains_each_of_them():
    from incumbent.core import ABILITIES

    explained = [row[0].strip("`") for row in table(REFERENCE / "models.md", "ability")[1:]]
    assert explained == list(ABILITIES)


def test_the_readme_is_short_and_counts_the_strategies():
    from incumbent.strategies import catalogue

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert f"| {len(catalogue())}, among them" in text


def test_the_table_of_strategies_names_each_with_its_needs_and_preset():
    from incumbent.core import Memory, Recipe
    from incumbent.strategies import PRESETS, catalogue, parse

    rows = table(REFERENCE / "strategies.md", "strategy")[1:]
    assert [row[0].strip("`").split("(")[0] for row in rows] == list(catalogue())
    for name, _, needs, preset in rows:
        made = parse(f"{name.strip('`')}()")
        assert set(re.findall(r"`(\w+)`", needs)) == made.prepare(Recipe(), Memory()).needs, name
        assert parse(preset.strip("`")) == parse(PRESETS[preset.strip("`")]), name
    assert {row[3].strip("`") for row in rows} == set(PRESETS)


def test_the_glossary_explains_every_word_that_the_pages_use_for_a_thing():
    explained = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    for word in GLOSSARY:
        assert f"**{word}" in explained, word


GLOSSARY = (
    *("champion", "challenger", "alias", "promote", "rollback", "version", "lineage", "drift detector", "alarm"),
    *("data drift", "concept drift", "label shift", "strategy", "recipe", "policy", "memory", "replay buffer"),
    *("reservoir", "holdout", "anchor set", "prequential", "forgetting", "backward transfer", "forward transfer"),
    *("negative flip", "evidence", "verdict", "gate", "retrain", "fine-tune", "incremental", "online", "adapter"),
    *("shadow", "canary"),
)
