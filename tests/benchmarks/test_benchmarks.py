import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
KEYS = {"benchmark", "data", "method", "metric", "value", "seconds", "share"}
DATA = Path(os.environ.get("INCUMBENT_DATA", ROOT.parent / "shared" / "data"))


def lines_of(name: str, *options: str) -> list[dict]:
    """Run a benchmark in a process of its own, as one does, and read what it printed."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--quick", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


needs_lightgbm = pytest.mark.skipif(importlib.util.find_spec("lightgbm") is None, reason="lightgbm is not installed")
needs_data = pytest.mark.skipif(
    not (DATA / "bike_sharing_hourly" / "data.parquet").is_file(),
    reason=f"the public data sets are not in {DATA}; set INCUMBENT_DATA to where they are",
)


@pytest.mark.slow
@needs_data
@needs_lightgbm
def test_the_stream_benchmark_prints_a_line_for_every_metric_of_a_method_and_of_its_reference() -> None:
    found = lines_of("streams", "--only", "bike_sharing_hourly lightgbm auto, refresh")
    assert [(each["method"], each["metric"]) for each in found] == [
        ("retrain on all", "mae"),
        ("retrain on all", "rmse"),
        ("auto, refresh", "mae"),
        ("auto, refresh", "rmse"),
    ]
    for each in found:
        assert each.keys() >= KEYS
        assert each["benchmark"] == "streams"
        assert each["value"] > 0 and each["seconds"] > 0
        assert each["promotions"] + each["refusals"] <= each["updates"] == 4
    assert {each["share"] for each in found if each["method"] == "retrain on all"} == {1.0}


@pytest.mark.slow
def test_without_data_the_stream_benchmark_is_skipped_with_the_reason(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "streams.py"), "--quick", "--json"]
    missing = {**os.environ, "INCUMBENT_DATA": str(tmp_path / "nowhere")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=missing, check=False)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "INCUMBENT_DATA" in done.stderr


@pytest.mark.slow
@needs_lightgbm
def test_the_overhead_benchmark_splits_the_wall_time_between_estimator_and_the_rest() -> None:
    found = lines_of("overhead", "--only", "logistic regression in memory retrain")
    assert len(found) == 1
    assert found[0].keys() >= KEYS
    assert found[0]["metric"] == "overhead_share"
    assert 0 < found[0]["value"] < 1
    assert found[0]["ours"] + found[0]["inside"] == pytest.approx(found[0]["wall"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "mnist" / "data.npz").is_file(),
    reason=f"MNIST is not in {DATA}; set INCUMBENT_DATA to where it is",
)
def test_the_analytic_benchmark_forgets_no_class_and_leaves_no_trace_of_deleted_rows() -> None:
    found = {(each["data"], each["method"]): each for each in lines_of("analytic")}
    exact, forgetful = (found["split mnist", method]["value"] for method in ("Analytic(500)", "partial_fit"))
    assert exact > 0.8 > 0.4 > forgetful
    gone = found["delete 100 of 2,000 rows, width 500", "forget: sums subtracted, solved again"]
    assert gone["value"] < 1e-10 < 0.01 < gone["effect"]
    assert all(each.keys() >= KEYS for each in found.values())


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.skipif(
    not (DATA / "mnist" / "data.npz").is_file(),
    reason=f"MNIST is not in {DATA}; set INCUMBENT_DATA to where it is",
)
def test_the_benchmark_of_nets_shows_who_forgets_and_what_the_training_loop_costs() -> None:
    found = {(each["data"], each["method"]): each for each in [*lines_of("forgetting", "--only", "1 epoch"), *loops()]}
    assert all(each.keys() >= KEYS | {"seed"} for each in found.values())
    score = {method: each["value"] for (data, method), each in found.items() if data.startswith("split")}
    assert score["joint"] > 0.8 > score["plain ER(1000)"] > 0.4 > score["naive"]
    assert score["ours: auto"] > score["plain ER(1000)"]
    forgotten = {method: each["forgetting"] for (_, method), each in found.items() if "forgetting" in each}
    assert forgotten["naive"] > 0.8 > 0.2 > forgotten["ours: auto"]
    reference = found["split mnist, 1 epoch", "always retrain"]
    assert reference["share"] == 1.0 and reference["carried"] == 5_000 * (28 * 28 + 8)
    ratio = found["training loop, one epoch", "ours"]
    assert 0.5 < ratio["value"] < 2.0


def loops() -> list[dict]:
    return lines_of("forgetting", "--only", "training loop")
