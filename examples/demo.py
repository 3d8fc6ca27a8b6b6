"""A model in production learns two new classes, and a broken batch is rejected.

The data are scikit-learn's 1,797 handwritten digits. Run it with ``python examples/demo.py``. It takes a few seconds
and writes a store and two pages to the folder ``incumbent-demo``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import incumbent

FOLDER, NAME = Path("incumbent-demo"), "digits"


class Digits(NamedTuple):
    """The digits as they arrive over time. The column ``digit`` is the label."""

    train: pd.DataFrame  # the digits 0 to 7: the first model is trained on them
    old: pd.DataFrame  # more digits 0 to 7, held out to test for forgetting
    new: pd.DataFrame  # a month of new rows, with 8 and 9
    broken: pd.DataFrame  # a later batch, in which a bug has shifted the labels


def read_digits() -> Digits:
    """Read the digits and split them."""
    frame = load_digits(as_frame=True).frame.rename(columns={"target": "digit"}).sample(frac=1, random_state=0)
    known, unknown = frame[frame["digit"] < 8], frame[frame["digit"] >= 8]
    later = pd.concat([known[850:], unknown]).sample(frac=1, random_state=1)
    broken = later[-200:].assign(digit=lambda rows: (rows["digit"] + 1) % 10)
    return Digits(known[:450], known[450:850], later[:-200], broken)


def main() -> None:
    """Run the demo."""
    rows, registry = read_digits(), incumbent.Registry(empty_folder() / "store")

    print("1. The live model reads the digits 0 to 7")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(rows.train.drop(columns="digit"), rows.train["digit"])
    # 400 old rows are too few to rule out a loss of less than 3 points, so 3 points are tolerated
    gate = incumbent.Gate(tolerance=0.03)
    came = registry.init(NAME, model, rows.train, target="digit", anchor=rows.old, gate=gate)
    print(f"{NAME} version {came.version}, trained on {len(rows.train)} rows; {came.anchored} were held out.")

    print("\n2. New rows arrive, with two digits that the model has never seen")
    first = registry.update(NAME, rows.new, seed=0)
    print(first)

    print("\n3. Another batch arrives, in which a bug has shifted the labels")
    second = registry.update(NAME, rows.broken, seed=0)
    print(second)

    print("\n4. Every event is on record")
    for event in registry.history(NAME):
        print(f"{event['time']:%H:%M:%S}  {event['kind']:6}  {event['decision']}")

    print(f"\nReport: {first.report(FOLDER / 'promoted.html')}")
    print(f"Report: {second.report(FOLDER / 'refused.html')}")
    print(f"Look around: incumbent show --name {NAME} --store {FOLDER / 'store'}")
    print(f"Undo:        incumbent rollback --name {NAME} --why 'just trying' --store {FOLDER / 'store'}")


def empty_folder() -> Path:
    """Make the folder of the demo, in place of one that an earlier run left."""
    if FOLDER.exists():
        if not (FOLDER / "store").is_dir():
            sys.exit(f"{FOLDER} exists and was not made by the demo. Run the demo in another folder.")
        shutil.rmtree(FOLDER)
    FOLDER.mkdir()
    return FOLDER


if __name__ == "__main__":
    main()
