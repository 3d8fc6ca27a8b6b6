"""What is imported, and when: `import incumbent` costs numpy and nothing more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import incumbent

HEAVY = [
    "pandas",
    "sklearn",
    "mlflow",
    "matplotlib",
    "lightgbm",
    "xgboost",
    "torch",
    "scipy",
    "pyarrow",
    "joblib",
    "skops",
]
COMMAND_LINE = ["rich", "typer", "click"]


def imported_by(code: str, names: list[str]) -> list[str]:
    """Return which of these modules a fresh process has imported after running the code."""
    ask = f"{code}\nimport json, sys\nprint('\\n' + json.dumps([n for n in {names!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_import_incumbent_imports_no_framework():
    assert imported_by("import incumbent", HEAVY + COMMAND_LINE) == []


def test_looking_at_the_public_names_imports_no_framework():
    assert imported_by("import incumbent; dir(incumbent); incumbent.__version__", HEAVY + COMMAND_LINE) == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["update", "--help"], ["init"], ["update", "--bugdet"]]
)
def test_help_and_wrong_usage_import_no_framework(arguments):
    assert imported_by(f"from incumbent.cli import run; run({arguments!r})", HEAVY) == []


def test_wrapping_a_scikit_learn_model_imports_no_other_framework():
    code = (
        "from sklearn.linear_model import LogisticRegression\n"
        "import incumbent\n"
        "incumbent.wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1])).abilities"
    )
    assert imported_by(code, ["lightgbm", "xgboost", "torch", "mlflow", "matplotlib"]) == []


def test_an_update_in_memory_imports_neither_the_registry_nor_plots():
    code = (
        "import numpy as np\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "import incumbent\n"
        "x = np.arange(200.0)[:, None] % 7; y = (x[:, 0] > 3).astype(int)\n"
        "x = x + np.arange(200)[:, None] / 1000\n"
        "live, gate = LogisticRegression().fit(x, y), incumbent.Gate(tolerance=None)\n"
        "incumbent.update(live, (x + 0.01, y), strategies='retrain', gate=gate)"
    )
    assert imported_by(code, ["mlflow", "matplotlib", "typer", "lightgbm", "xgboost", "torch"]) == []


def test_a_stored_net_says_what_to_install_where_torch_is_missing(tmp_path):
    (tmp_path / "adapter.json").write_text('{"format": 1, "adapter": "torch"}')
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from incumbent.errors import MissingDependency\n"
        "from incumbent.models import load\n"
        f"try: load(Path({str(tmp_path)!r}))\n"
        "except MissingDependency as error: assert \"pip install 'incumbent[torch]'\" in str(error)"
    )
    assert imported_by(code, ["incumbent.models.torch._model"]) == []


def test_wrapping_other_models_does_not_look_at_torch_even_where_it_is_imported():
    code = (
        "from sklearn.linear_model import LogisticRegression\n"
        "import incumbent\n"
        "from incumbent.models.files._safe import skops_io\n"
        "skops_io(); incumbent.wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))"
    )
    assert imported_by(code, ["torch", "incumbent.models.torch._model"]) == []


def test_there_are_at_most_25_public_names_and_each_is_there():
    assert len(incumbent.__all__) <= 25
    assert all(getattr(incumbent, name) is not None for name in incumbent.__all__)
    assert set(dir(incumbent)) == set(incumbent.__all__)


def test_a_name_that_is_not_public_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="no attribute 'upgrade'"):
        incumbent.upgrade  # noqa: B018  # looking at it is what is tested


def test_python_dash_m_incumbent_is_the_command_line():
    done = subprocess.run([sys.executable, "-m", "incumbent", "--version"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, f"incumbent {incumbent.__version__}")
