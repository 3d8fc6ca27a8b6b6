"""Update a model in memory, without a registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from incumbent.core import Metric, Outcome, Progress, Task, silent
from incumbent.data import read
from incumbent.engine import parse_budget
from incumbent.errors import DataError, UsageError
from incumbent.gate import Gate
from incumbent.models import open_model, wrap
from incumbent.policy import Choice
from incumbent.updating._inputs import prepare_update
from incumbent.updating._live import LiveModel
from incumbent.updating._run import run


def update(
    model: Any,
    new: Any,
    *,
    target: str | None = None,
    data: Any = None,
    anchor: Any = None,
    time: str | None = None,
    group: str | None = None,
    task: Task | None = None,
    strategies: Choice = "auto",
    budget: str | float | None = "5m",
    metric: str | Metric | None = None,
    gate: Gate | None = None,
    seed: int = 0,
    trust_pickle: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Train challengers on new rows, and decide with evidence whether one should replace the live model.

    Neither your model nor any file changes. `outcome.model` is the model that should be live.

    Parameters
    ----------
    model : native model, or path
        The live model: a fitted scikit-learn estimator or Pipeline, a LightGBM or XGBoost model or booster, or a file
        that holds one.
    new : frame, array, (x, y) pair, or path
        New labelled rows: pandas, polars and pyarrow frames, numpy arrays, files and folders. A net also takes arrays
        and tensors of any dimensions, dicts of them, Datasets, and folders of images by class.
    target : str, optional
        The column to predict; not needed for a pair (x, y).
    data : frame, array, (x, y) pair, or path, optional
        The rows that the model was trained on. They are remembered and replayed. Without an anchor set, forgetting is
        estimated on them by cross-validation.
    anchor : frame, array, (x, y) pair, or path, optional
        Old rows that the model was *not* trained on. They show forgetting. Without `anchor` and `data` nothing can be
        promoted, because "not worse on the old rows" cannot be shown; ``Gate(tolerance=None)`` drops that condition.
    time, group : str, optional
        The column that orders the rows, and the column that says which rows belong together.
    task : {"classification", "regression"}, optional
        The task of the model, if it cannot be inferred.
    strategies : "auto", str, Strategy, or a sequence of those
        What to try; "auto" tries the strategies that fit the model, cheapest first, within the budget.
    budget : str or float, optional
        Time for training challengers, such as "5m"; None is no limit.
    metric : str or Metric, optional
        What decides: "accuracy" (the default for classes), "log_loss", "f1", "auc", "rmse" (the default for values),
        "mae", "cost:FILE", "module:function" and others.
    gate : Gate, optional
        The rule of promotion. By default a challenger must be shown better on the new rows and not worse on the old
        rows, each at the 5 % level.
    seed : int
        The seed of all randomness: the same input and seed give the same outcome.
    trust_pickle : bool
        Open a pickled model file, which can run any code.
    progress : callable, optional
        Called with every step, as an `Event`.

    Returns
    -------
    Outcome
        Decision, reasons, evidence, every challenger, and the model that should be live.

    Raises
    ------
    DataError
        The rows cannot be used. The message says which rows, and what to do.
    ModelError
        The model cannot be read or updated.
    UsageError
        An argument is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(3000, 2))
    >>> old, new = (x[:1000, 0] > 0).astype(int), (x[1000:].sum(axis=1) > 0).astype(int)
    >>> model = LogisticRegression().fit(x[:500], old[:500])
    >>> outcome = update(model, (x[1000:], new), data=(x[:500], old[:500]), gate=Gate(tolerance=None))
    >>> outcome.decision
    'promote'
    """
    if gate is not None and gate.source == "prequential":
        raise UsageError(
            "Prequential evidence adds up over updates, and an update in memory has no earlier ones. Use "
            "Registry.update, or Gate(source='crossfit')."
        )
    champion = wrap(open_model(model, trust_pickle=trust_pickle) if isinstance(model, str | Path) else model)
    column = target or ("target" if _is_pair(new) or champion.takes == "tensors" else None)
    if column is None:
        raise DataError("target= is needed to know which column of the new rows to predict, such as target='class'.")
    live, rows, check = LiveModel.from_rows(
        champion,
        new if data is None else data,
        target=column,
        trained_on=data is not None,
        anchor=anchor,
        time=time,
        group=group,
        task=task,
        gate=gate,
        seed=seed,
    )
    if data is not None:
        rows, check = live.schema.check(_read_like(live, new))
    check = check.replace(findings=(*check.findings, *live.notes))
    seconds = parse_budget(budget)
    return run(
        prepare_update(
            live, rows, check, strategies=strategies, budget=seconds, metric=metric, seed=seed, progress=progress
        )
    )


def _is_pair(new: Any) -> bool:
    return isinstance(new, tuple) and len(new) == 2


def _read_like(live: LiveModel, new: Any) -> Any:
    """Read new rows as the training rows were read: images in their size, arrays with the columns of the model."""
    if live.schema.inputs:
        return live.schema.read(new)
    model, target = live.model, live.schema.target
    return read(new, names=model.feature_names, target=target, tensors=model.takes == "tensors")
