"""The scripts of the demo run as a reader runs them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from incumbent import Registry

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_script(name, folder):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name)], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.slow
def test_the_demo_promotes_new_classes_and_rejects_a_broken_batch(tmp_path):
    done = run_script("demo.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout.index("Promoted: ") < done.stdout.index("Kept: ")
    folder = tmp_path / "incumbent-demo"
    assert all((folder / page).stat().st_size < 1_000_000 for page in ("promoted.html", "refused.html"))
    history = Registry(folder / "store").history("digits")
    assert [event["decision"] for event in history] == ["reject", "promote", "init"]
    assert run_script("demo.py", tmp_path).returncode == 0  # it replaces what it made before


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch")
def test_a_net_forgets_by_fine_tuning_and_learns_new_digits_by_other_strategies(tmp_path):
    done = run_script("demo_net.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("fine-tuning") < done.stdout.index("would not replace") < done.stdout.index("Promoted: ")
    folder = tmp_path / "incumbent-demo"
    assert (folder / "net.html").stat().st_size < 1_000_000
    history = Registry(folder / "store-net").history("digits-net")
    assert [event["decision"] for event in history] == ["promote", "init"]


@pytest.mark.slow
def test_the_demo_leaves_a_folder_alone_that_it_did_not_make(tmp_path):
    (tmp_path / "incumbent-demo").mkdir()
    (tmp_path / "incumbent-demo" / "mine.txt").write_text("keep me")
    done = run_script("demo.py", tmp_path)
    assert done.returncode == 1 and "was not made by the demo" in done.stderr
    assert (tmp_path / "incumbent-demo" / "mine.txt").read_text() == "keep me"
