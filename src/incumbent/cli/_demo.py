"""The main job on real data: new classes arrive and are learned; a broken batch arrives and is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from incumbent.errors import UsageError

FOLDER, NAME = "incumbent-demo", "digits"


class Digits(NamedTuple):
    """scikit-learn's 1,797 handwritten digits as an ML engineer meets them over time."""

    trained: Any
    held_out: Any
    month: Any
    broken: Any


def run_demo() -> None:
    """Run the demo in the folder `FOLDER`, and say what happens on the way.

    Raises
    ------
    UsageError
        The folder is there and was not made by the demo.
    """
    from incumbent.cli._console import wide_console
    from incumbent.cli._demo_net import has_torch, second_act
    from incumbent.cli._progress import progress
    from incumbent.gate import Gate
    from incumbent.registry import Registry
    from incumbent.report import history_table

    console, folder, rows = wide_console(), _fresh(Path(FOLDER)), digits()
    registry = Registry(folder / "store")
    with progress(quiet=not console.is_terminal) as show:
        _head(console, "1. The model that is live: it reads the digits 0 to 7")
        # a few hundred old rows cannot show a loss of less than 3 points, so that is what this demo tolerates
        came = registry.init(
            NAME, _live(rows.trained), rows.trained, target="digit", anchor=rows.held_out, gate=Gate(tolerance=0.03)
        )
        console.print(
            f"{NAME} version {came.version}, trained on {len(rows.trained)} rows; {came.anchored} were held out."
        )
        _head(console, "2. New rows come in, and with them two digits that nobody told it about")
        first = registry.update(NAME, rows.month, seed=0, progress=show)
        print(first)
        _head(console, "3. Another batch comes in, in which an upstream bug has shifted the labels")
        second = registry.update(NAME, rows.broken, seed=0, progress=show)
        print(second)
        _head(console, "4. Nothing is lost")
        console.print(history_table(registry.history(NAME)))
        pages = [first.report(folder / "promoted.html"), second.report(folder / "refused.html")]
        if has_torch():
            pages.append(second_act(registry, folder, rows, console, _head, show))
    console.print()
    if len(pages) == 2:
        print("The same with a neural network: pip install 'incumbent[torch]', then incumbent demo again.")
    for page in pages:
        print(f"The page with all of it: {page}")
    print(f"Look around:             incumbent show --name {NAME} --store {folder / 'store'}")
    print(f"Take it back:            incumbent rollback --name {NAME} --why 'just trying' --store {folder / 'store'}")


def digits() -> Digits:
    """Return the digits: those that the model learned, old ones held out, a month of new ones, and a broken batch."""
    import pandas as pd
    from sklearn.datasets import load_digits

    frame = load_digits(as_frame=True).frame.rename(columns={"target": "digit"}).sample(frac=1, random_state=0)
    old, unknown = frame[frame["digit"] < 8], frame[frame["digit"] >= 8]
    later = pd.concat([old[850:], unknown]).sample(frac=1, random_state=1)
    broken = later[-200:].assign(digit=lambda rows: (rows["digit"] + 1) % 10)
    return Digits(old[:450], old[450:850], later[:-200], broken)


def _live(rows: Any) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = rows.drop(columns="digit")
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(x, rows["digit"])


def _fresh(folder: Path) -> Path:
    if folder.exists():
        if not (folder / "store").is_dir():
            raise UsageError(f"{folder} is there and was not made by the demo; run it in another folder.")
        shutil.rmtree(folder)
    folder.mkdir()
    return folder


def _head(console: Any, text: str) -> None:
    console.print()
    console.print(text, style="bold")
