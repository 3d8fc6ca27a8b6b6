"""Plant each fault that would make the gate lie, and show which test finds it; fail where a fault survives.

    python tests/trust/plant_faults.py [--only SUBSTRING]

A fault is a piece of source replaced while the module is imported, in a process of its own; no file changes. The tests
named beside it must pass without any fault, and at least one of them must fail with it.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GATE, PAIRED, UNSEEN = (
    "tests/gate/test_gate.py",
    "tests/evidence/test_paired.py",
    "tests/updating/test_unseen_rows.py",
)
VERDICT, CONTROL = "tests/updating/test_verdict.py", "tests/updating/test_slices_and_control.py"
DELONG, BOUNDS, ANCHOR = (
    "tests/evidence/test_delong.py",
    "tests/evidence/test_bounds.py",
    "tests/memory/test_anchor_set.py",
)


@dataclass(frozen=True)
class Fault:
    """What is done wrong, in which module, which source for which, and the tests that ought to see it."""

    name: str
    module: str
    before: str
    after: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "swap the losses of champion and challenger",
        "incumbent.evidence._paired",
        "return self.champion - self.challenger",
        "return self.challenger - self.champion",
        (f"{GATE}::test_worse_on_the_new_is_rejected",),
    ),
    Fault(
        "swap the arguments where the models meet on the gate rows",
        "incumbent.updating._pairs",
        "return pair(self.rows, self.champion, challenger, source)",
        "return pair(self.rows, challenger, self.champion, source)",
        (f"{VERDICT}::test_a_real_gain_is_promoted", f"{VERDICT}::test_shuffled_labels_are_rejected"),
    ),
    Fault(
        "compare the champion with itself",
        "incumbent.updating._pairs",
        "return pair(self.rows, self.champion, challenger, source)",
        "return pair(self.rows, self.champion, self.champion, source)",
        (f"{VERDICT}::test_a_real_gain_is_promoted",),
    ),
    Fault(
        "ignore the condition: better on the new rows",
        "incumbent.gate._conditions",
        "reasons = [better(evidence, min_gain, alpha)]",
        "reasons = [Reason(NEW, 1.0, 0.0, True, False, NEW, better(evidence, min_gain, alpha).interval)]",
        (f"{GATE}::test_worse_on_the_new_is_rejected",),
    ),
    Fault(
        "ignore the condition: not worse on the old rows",
        "incumbent.gate._conditions",
        "reasons.append(_not_worse(evidence, tolerance, old))",
        "_not_worse(evidence, tolerance, old)",
        (f"{GATE}::test_forgetting_the_old_is_rejected_however_good_the_new",),
    ),
    Fault(
        "ignore the condition: few negative flips",
        "incumbent.gate._gate",
        "reasons.append(few_flips(evidence, self.max_flips, alpha))",
        "few_flips(evidence, self.max_flips, alpha)",
        (f"{GATE}::test_negative_flips_are_bounded",),
    ),
    Fault(
        "ignore the condition: protected slices",
        "incumbent.gate._conditions",
        "return [*reasons, *_protected(evidence, slices, old)]",
        "return reasons",
        (f"{CONTROL}::test_a_challenger_that_harms_a_protected_slice_is_rejected_however_much_it_gains",),
    ),
    Fault(
        "ignore the condition: no slice found that is worse",
        "incumbent.gate._gate",
        "        if self.search:\n",
        "        if False:\n",
        (f"{CONTROL}::test_a_subgroup_that_nobody_named_is_searched_out_and_confirmed",),
    ),
    Fault(
        "ignore the condition: limits",
        "incumbent.gate._gate",
        "reasons += check_limits(self.limits, evidence.measured)",
        "check_limits(self.limits, evidence.measured)",
        (f"{GATE}::test_limits",),
    ),
    Fault(
        "drop the clipping of losses",
        "incumbent.evidence._paired",
        "np.minimum(np.where(np.isnan(x), math.inf, x), paired.clip)",
        "np.where(np.isnan(x), math.inf, x)",
        (f"{PAIRED}::test_the_clip_bounds_what_one_row_can_do",),
    ),
    Fault(
        "fix no clip for losses without a bound",
        "incumbent.updating._inputs",
        "return cut or math.inf",
        "return math.inf",
        (
            f"{VERDICT}::test_the_clip_of_a_loss_without_bound_is_fixed_on_the_select_rows_of_the_champion",
            f"{VERDICT}::test_one_absurd_value_in_the_gate_rows_does_not_decide",
        ),
    ),
    Fault(
        "fix the clip on the gate rows, which it is applied to",
        "incumbent.updating._inputs",
        "_clip(select, decides)",
        "_clip(test, decides)",
        (f"{VERDICT}::test_the_clip_of_a_loss_without_bound_is_fixed_on_the_select_rows_of_the_champion",),
    ),
    Fault(
        "choose the challenger on the gate rows",
        "incumbent.updating._challengers",
        "metric, select = inputs.metric, inputs.select",
        "metric, select = inputs.metric, inputs.test",
        (f"{UNSEEN}::test_the_choice_does_not_look_at_the_gate_rows",),
    ),
    Fault(
        "judge on the select rows again",
        "incumbent.updating._evidence",
        "inputs.test.pair(predict(challenger, inputs.test.rows))",
        "inputs.select.pair(predict(challenger, inputs.select.rows))",
        (f"{UNSEEN}::test_the_choice_does_not_look_at_the_gate_rows",),
    ),
    Fault(
        "learn from the gate rows",
        "incumbent.updating._inputs",
        "return TrainingRows(self.train.rows,",
        "return TrainingRows(self.new.rows,",
        (f"{UNSEEN}::test_no_select_gate_or_anchor_row_is_ever_learned_from",),
    ),
    Fault(
        "forget that the anchor set has been used before",
        "incumbent.gate._gate",
        "6.0 * alpha / (math.pi * max(1, use)) ** 2",
        "6.0 * alpha / math.pi**2",
        (f"{GATE}::test_each_use_of_the_old_rows_spends_its_share_and_all_of_them_alpha",),
    ),
    Fault(
        "spend nothing for a use of the anchor set",
        "incumbent.memory._anchor_set",
        "counts[positions] += 1",
        "counts[positions] += 0",
        (f"{ANCHOR}::test_spending_counts_uses_and_leaves_the_set_before_unchanged",),
    ),
    Fault(
        "give the uses back in a rollback",
        "incumbent.registry._stored",
        "anchor=merge_use_counts(state.anchor, later.anchor)",
        "anchor=state.anchor",
        ("tests/registry/test_round_trips.py::test_a_rollback_gives_no_error_budget_back",),
    ),
    Fault(
        "promote on ties: the estimate is held against the limit instead of its bound",
        "incumbent.gate._conditions",
        "holds, violated = found.lower > margin, found.upper <= margin",
        "holds, violated = found.value >= margin, found.upper <= margin",
        (f"{GATE}::test_an_identical_copy_is_never_promoted",),
    ),
    Fault(
        "promote a bound that only touches its limit",
        "incumbent.gate._conditions",
        "holds, violated = found.lower > margin, found.upper <= margin",
        "holds, violated = found.lower >= margin, found.upper <= margin",
        (f"{GATE}::test_a_bound_that_only_touches_its_limit_is_not_above_it",),
    ),
    Fault(
        "promote when one condition holds",
        "incumbent.gate._gate",
        "if all(reason.holds for reason in reasons):",
        "if any(reason.holds for reason in reasons):",
        (f"{GATE}::test_forgetting_the_old_is_rejected_however_good_the_new",),
    ),
    Fault(
        "never promote",
        "incumbent.gate._gate",
        'return "promote"',
        'return "inconclusive"',
        (f"{GATE}::test_better_on_the_new_and_no_worse_on_the_old_is_promoted",),
    ),
    Fault(
        "spend alpha twice: both bounds at twice the level",
        "incumbent.evidence._paired",
        "if p <= alpha else",
        "if p <= 2.0 * alpha else",
        (f"{BOUNDS}::test_the_bound_is_above_zero_exactly_if_mcnemar_rejects",),
    ),
    Fault(
        "leave no room for a row that did not turn up",
        "incumbent.evidence._mean",
        "sums, weights = np.append(total, worst), np.append(weight, typical)",
        "sums, weights = np.append(total, total.mean()), np.append(weight, typical)",
        (
            f"{BOUNDS}::test_all_rows_alike_leave_room_for_the_row_that_is_not",
            f"{BOUNDS}::test_a_challenger_at_the_margin_needs_rows_enough_to_rule_out_a_loss_that_was_not_seen",
        ),
    ),
    Fault(
        "forget that two rankings of the same rows depend on each other",
        "incumbent.evidence._delong",
        "return after[0] - before[0], after[1] - before[1]",
        "return after[0] - before[0], after[1] - before[1][::-1]",
        (f"{DELONG}::test_components_and_variance_are_those_of_all_pairs",),
    ),
    Fault(
        "take rows of one group for independent",
        "incumbent.evidence._paired",
        "if unit is None and paired.block is not None:",
        "if False:",
        (f"{PAIRED}::test_copies_of_a_row_in_one_cluster_are_no_new_evidence",),
    ),
    Fault(
        "take rows in time order for independent",
        "incumbent.evidence._paired",
        "length = block_length(gains) if paired.ordered and paired.block is None else 1",
        "length = 1",
        (f"{PAIRED}::test_ordered_rows_stay_mcnemar_unless_neighbours_are_alike",),
    ),
    Fault(
        "judge every update of a lifetime at alpha",
        "incumbent.gate._gate",
        "alpha = self.alpha if evidence.level is None else evidence.level",
        "alpha = self.alpha",
        (f"{CONTROL}::test_a_lifetime_judges_an_update_more_strictly_than_a_single_look",),
    ),
)


# ------------------------------------------------------------------------------------------ planting


class _Planted(importlib.machinery.SourceFileLoader):
    """Compiles a module from its source with one piece replaced; nothing is cached."""

    fault: Fault

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(source.replace(self.fault.before, self.fault.after), self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Gives the loader above for the module of the fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        if fullname != self.fault.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.origin is not None, "the module exists: its source was read before"
        spec.loader = _Planted(fullname, spec.origin)
        spec.loader.fault = self.fault
        return spec


def source_of(fault: Fault) -> str:
    """Return the source of the module that a fault is planted in."""
    return (ROOT / "src" / (fault.module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def run(tests: Sequence[str], fault: Fault | None, report: int) -> None:
    """Run tests in this process, with the fault if there is one, and write what failed to a pipe."""
    import pytest

    if fault is not None:
        sys.meta_path.insert(0, _Finder(fault))
    with tempfile.TemporaryFile("w+") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", "-rfE", *tests])
        sys.stdout.flush()
        told.seek(0)
        said = told.read()
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    text = f"{int(code)}\n" + ("\n".join(failed) if failed or not code else said[-2000:])
    os.write(report, text.encode())


def forked(tests: Sequence[str], fault: Fault | None) -> tuple[int, str]:
    """Run tests in a copy of this process, and return pytest's exit code and the first test that failed."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            run(tests, fault, write)
            os._exit(0)
        except BaseException:  # whatever it is, the copy must end here and say so
            os.write(write, f"-1\n{traceback.format_exc()}".encode())
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        code, _, text = pipe.read().partition("\n")
    os.waitpid(child, 0)
    return int(code or -1), text


def warm() -> None:
    """Import once what the tests import, but nothing of ours: the copies then start at once."""
    for name in ("pytest", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "sklearn.pipeline"):
        importlib.import_module(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant every fault in turn; return 1 if one survives or cannot be planted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="plant what has this in its name")
    chosen = [fault for fault in FAULTS if parser.parse_args(arguments).only in fault.name]
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins of others want to come before what is warmed up
    warm()
    begun, survived = time.monotonic(), 0
    code, text = forked(sorted({test for fault in chosen for test in fault.tests}), None)
    if code:
        print(f"the tests fail without any fault:\n{text}")
        return 1
    for fault in chosen:
        found = _found(fault)
        survived += found is None
        print(f"{'SURVIVED' if found is None else 'found'}  {fault.name}\n          {found or fault.tests}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} faults were found in {time.monotonic() - begun:.0f} s")
    return int(survived > 0)


def _found(fault: Fault) -> str | None:
    """Return which test found the fault, or None."""
    if source_of(fault).count(fault.before) != 1:
        print(f"cannot be planted: {fault.module} does not have this once:\n{fault.before}")
        return None
    code, text = forked(fault.tests, fault)
    if code != 1:  # 0: all passed; anything else is no test that failed
        print(text)
        return None
    return text.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
