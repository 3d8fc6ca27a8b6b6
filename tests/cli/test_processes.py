"""The command line as a process of its own: pipes, signals, and output that nobody reads."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import warnings

import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from incumbent import Gate, Registry
from rows import fitted, points

INCUMBENT = (sys.executable, "-m", "incumbent")


def command(*arguments, folder, **options):
    return subprocess.run(
        [*INCUMBENT, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120, **options
    )


@pytest.fixture(scope="module")
def live(module_folder):
    """A store with a model that takes minutes to retrain."""
    past = points(200, seed=3)
    model = MLPClassifier((4,), max_iter=2, tol=0, n_iter_no_change=10**9, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted(model, past)
    model.set_params(max_iter=10**8)
    Registry(module_folder / ".incumbent").init("slow", model, past, target="label", gate=Gate(tolerance=None))
    return module_folder


def stopped_while_training(folder, *options):
    """Start an update, send it Ctrl-C while it trains, and return what it said."""
    process = subprocess.Popen(
        [*INCUMBENT, "update", "new.csv", "--name", "slow", "--strategy", "retrain", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    registry = Registry(folder / ".incumbent")
    began = time.monotonic()
    while registry.history("slow")[0]["status"] != "running":
        assert process.poll() is None and time.monotonic() - began < 60
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_ctrl_c_keeps_the_champion_and_says_so(live, options):
    registry = Registry(live / ".incumbent")
    before = registry.predict("slow", points(20, seed=6))
    count = len(registry.history("slow"))
    code, out, err = stopped_while_training(live, *options)
    assert code == 1 and out == ""
    assert err.splitlines()[-1] == "Stopped. Nothing was changed: the champion stays live."
    assert "Traceback" not in err
    assert registry.champion("slow") == 1
    assert registry.predict("slow", points(20, seed=6)).equals(before)
    newest = registry.history("slow")[0]
    assert (newest["kind"], newest["status"]) == ("update", "interrupted")
    assert len(registry.history("slow")) == count + 1


@pytest.mark.slow
def test_a_budget_ends_a_fit_that_would_never_end(live):
    began = time.monotonic()
    said = command(
        "update",
        "new.csv",
        "--name",
        "slow",
        "--strategy",
        "retrain",
        "--budget",
        "2s",
        "--json",
        "--dry-run",
        folder=live,
    )
    assert said.returncode == 0 and time.monotonic() - began < 60
    found = json.loads(said.stdout)
    assert found["decision"] == "inconclusive"
    assert "budget ended" in found["challengers"][0]["error"]


@pytest.mark.slow
def test_standard_input_and_output_make_a_pipe(live):
    rows = (live / "rows.csv").read_text()
    said = command("predict", "-", "--name", "slow", "-o", "-", folder=live, input=rows)
    assert said.returncode == 0 and said.stderr == ""
    assert said.stdout.count("\n") == 21
    assert said.stdout.startswith("prediction,proba_0,proba_1\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("history", "--name", "slow"), ("strategies",), ("show", "--name", "slow", "--json")]
)
def test_output_that_nobody_reads_is_no_error(live, arguments):
    process = subprocess.Popen([*INCUMBENT, *arguments], cwd=live, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (0, b"")


@pytest.mark.slow
def test_warnings_of_libraries_are_not_for_whoever_runs_a_command(live):
    (live / "short.csv").write_bytes((live / "rows.csv").read_bytes())
    pd.read_csv(live / "rows.csv").assign(extra=1.0).to_csv(live / "short.csv", index=False)
    said = command("predict", "short.csv", "--name", "slow", "-o", "out.csv", folder=live)
    assert (said.returncode, said.stderr) == (0, "")
