"""The gate's promises, measured: false promotions, power, the same tests by others, and speed.

Outcomes of two models on the same rows are drawn directly, so that the truth about them is known, and go through the
Gate itself wherever the table says so. A promise holds if it lies within the 99 % interval of what was seen.

    python benchmarks/gate.py [--only SUBSTRING] [--quick] [--seeds N] [--json]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from _cells import shown, timed
from _common import Options, options, print_lines
from _lifetimes import lifetimes, peeking
from _nulls import equal, margin, refresh
from _sharpness import peers, power, speed

RUNS, QUICK_RUNS = 10_000, 200
GROUPS = {
    "equal": equal,
    "margin": margin,
    "refresh": refresh,
    "peeking": peeking,
    "lifetimes": lifetimes,
    "power": power,
    "peers": peers,
    "speed": speed,
}


def results(chosen: Options) -> Iterator[dict[str, Any]]:
    """Yield a line for every cell whose group or name was asked for."""
    runs = QUICK_RUNS if chosen.quick else RUNS
    for seed in range(chosen.seeds):
        for group, cells in GROUPS.items():
            for name, make in cells(runs, chosen.quick, seed):
                if chosen.wants(f"{group}: {name}"):
                    for told in timed(make, seed):
                        if told["holds"] is False:
                            chosen.say(f"  does not hold: {told['data']}: {told['value']:.4g}")
                        yield told
                    chosen.say(f"  {group}: {name}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for; exit code 1 if a promise does not hold."""
    chosen, lines = options(__doc__.splitlines()[0], arguments), []
    warnings.simplefilter("ignore")  # estimators' chatter
    for told in results(chosen):
        lines.append(told)
        if chosen.json:
            print_lines([told])
    if not chosen.json:
        for table in shown(lines):
            table.show()
    if any(told["holds"] is False for told in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
