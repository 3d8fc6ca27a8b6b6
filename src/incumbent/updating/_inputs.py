"""Check and split the inputs of one update. Mistakes of the user raise errors here, before anything is trained."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from incumbent import metrics, policy
from incumbent.core import Array, Batch, DataCheck, Metric, PairedPredictions, Progress, silent
from incumbent.data import RowFlags, flag_rows, split
from incumbent.data.rows._split import FEWEST
from incumbent.engine import TrainingPlan, TrainingRows
from incumbent.errors import DataError, IncumbentError, UsageError
from incumbent.gate._limit import check_limits
from incumbent.memory import anchor_split
from incumbent.policy import Choice
from incumbent.updating._live import LiveModel
from incumbent.updating._measure import MEASURED
from incumbent.updating._pairs import PredictedRows
from incumbent.updating._prequential import losses_of


@dataclass(frozen=True, eq=False)
class UpdateInputs:
    """The inputs of one update, made by `prepare_update`.

    The new rows are split into train, select and test rows, and the anchor set into select and test rows. The
    champion's predictions of all rows come with them.

    Parameters
    ----------
    live : LiveModel
        The live model with its memory, anchor set, gate and state.
    batch : Batch
        The new rows as given.
    check : DataCheck
        What the data check found in them.
    quality : RowFlags
        Flags of the new rows: duplicate, contradictory, seen before or leaked.
    metric : Metric
        The score that decides.
    strategies : "auto", str, Strategy, or a sequence of those
        The strategies to try, as the caller gave them.
    plans : tuple of TrainingPlan
        The challengers to train, in order.
    new : PredictedRows
        The new rows without leaked ones. Leaked rows are in the anchor set, so no model may learn from them.
    train, select, test : PredictedRows
        The parts of `new`: rows to learn from, rows to choose among challengers, and rows that test the chosen one.
    old_select, old_test : PredictedRows, optional
        Anchor rows for the choice and for the test; never the same. None if there are none.
    clip : float
        The limit of losses without a bound: the 99th percentile of the champion's losses on the select rows. It does
        not depend on the test rows, so it cannot favour either model there.
    budget : float
        Seconds for training challengers.
    deadline : float
        The end of training, in seconds of `time.monotonic`. `start` sets it; until then there is none.
    seed : int
        The seed of all randomness.
    progress : callable
        Called with every step.
    checkpoints : Path, optional
        A folder for checkpoints of long trainings.
    cost : mapping of str to float
        Seconds that the preparation took, by stage.
    """

    live: LiveModel
    batch: Batch
    check: DataCheck
    quality: RowFlags
    metric: Metric
    strategies: Choice
    plans: tuple[TrainingPlan, ...]
    new: PredictedRows
    train: PredictedRows
    select: PredictedRows
    test: PredictedRows
    old_select: PredictedRows | None
    old_test: PredictedRows | None
    clip: float
    budget: float = 300.0
    deadline: float = math.inf
    seed: int = 0
    progress: Progress = silent
    checkpoints: Path | None = None
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_prequential(self) -> bool:
        """Whether the gate takes its evidence from prequential models."""
        return self.live.gate.source == "prequential"

    @property
    def training_rows(self) -> TrainingRows:
        """The rows that challengers may learn from."""
        return TrainingRows(self.train.rows, self.select.rows, self.live.memory, self.seed)

    def can_skip(self, strategy: str) -> bool:
        """Whether a strategy may be left out if another makes it redundant.

        Only "auto" leaves strategies out. It never leaves out a prequential model, which has to learn every batch, nor
        the live strategy under a refresh.
        """
        return self.strategies == "auto" and not self.is_prequential and not self.live.is_routine(strategy)

    def test_pair(self, paired: PairedPredictions) -> PairedPredictions:
        """Return a pair of the test rows with their order in time and the limit of the losses."""
        return dataclasses.replace(paired, ordered=self.test.rows.time is not None, clip=self.clip)

    def start(self, live: LiveModel) -> UpdateInputs:
        """Return the inputs with this live model and with the deadline of a training that begins now."""
        return dataclasses.replace(self, live=live, deadline=time.monotonic() + self.budget)


def prepare_update(
    live: LiveModel,
    batch: Batch,
    check: DataCheck,
    *,
    strategies: Choice = "auto",
    budget: float = 300.0,
    metric: str | Metric | None = None,
    seed: int = 0,
    progress: Progress = silent,
    checkpoints: Path | None = None,
) -> UpdateInputs:
    """Return the inputs of an update with their metric, plans and splits. After this, only training can fail.

    The parameters are the fields of `UpdateInputs`. `metric` may also be a name; None means accuracy, or RMSE for a
    regression.

    Raises
    ------
    DataError
        Too few rows to hold any out.
    AbilityError
        A named strategy needs what the champion cannot do.
    UsageError
        A strategy, the metric or the gate does not fit the model or the rows.
    """
    if not 0 <= seed < 2**32:  # what NumPy and scikit-learn take
        raise UsageError(f"A seed is a whole number from 0 to {2**32 - 1:,}; got {seed}.")
    task, labels = live.model.task, metrics.labels_of(batch.labels)
    decides = metrics.metric(metric, task=task, classes=_classes(live, batch, labels), labels=labels)
    plans = _plans(live, batch, strategies)
    live = _with_fixed_slices(live, batch)
    begun = time.monotonic()
    quality = flag_rows(batch, memory=live.memory, anchor=live.anchor, task=task)
    _check_new(quality)
    kept = ~quality.leaked
    rows = batch.take(kept) if quality.leaked.any() else batch
    new = PredictedRows.of(live.model, rows, can_hold_out=quality.can_hold_out[kept], named="the new rows")
    parts = split(new.rows, task=task, can_hold_out=new.can_hold_out, seed=seed)
    train, select, test = (new.take(at) for at in (parts.train, parts.select, parts.gate))
    old_select, old_test = _old_rows(live)
    cost = {"split": time.monotonic() - begun}
    _check_metric_and_gate(live, select, decides)
    return UpdateInputs(
        live,
        batch,
        check,
        quality,
        decides,
        strategies,
        plans,
        new,
        train,
        select,
        test,
        old_select,
        old_test,
        _clip(select, decides),
        budget,
        seed=seed,
        progress=progress,
        checkpoints=checkpoints,
        cost=cost,
    )


def _classes(live: LiveModel, batch: Batch, labels: int) -> Array | None:
    known = live.model.classes
    if known is None or labels > 1:  # several labels keep their order, and a batch adds no label
        return known
    return np.unique(np.concatenate([known, np.unique(batch.labels)]))


def _plans(live: LiveModel, batch: Batch, strategies: Choice) -> tuple[TrainingPlan, ...]:
    """Return the plans of the wanted strategies, each with the model that training starts from."""
    unseen, rows = _new_classes(live, batch), len(batch)
    wanted = _with_live_strategy(live, rows, strategies)
    chosen = policy.select_strategies(wanted, live.model, live.memory, rows=rows, unseen=unseen)
    models = live.state.prequential
    return tuple(
        TrainingPlan(strategy, recipe, models.starting_model(strategy, live.model)) for strategy, recipe in chosen
    )


def _new_classes(live: LiveModel, batch: Batch) -> int:
    """Return the number of classes that occur in the new rows only, neither in memory nor in its statistics."""
    memory, y = live.memory, batch.labels
    if live.model.task != "classification" or y.ndim > 1:
        return 0
    known = memory.statistics.get("classes", memory.rows.labels if memory.rows is not None else None)
    return 0 if known is None or not len(known) else len(np.setdiff1d(y, known))


def _with_live_strategy(live: LiveModel, rows: int, strategies: Choice) -> Choice:
    """Return the strategies to try. Under a refresh, "auto" includes the live strategy."""
    if live.gate.rule != "refresh" or strategies != "auto":
        return strategies
    usual = policy.select_strategies("auto", live.model, live.memory, rows=rows)
    routine = live.state.strategy
    if any(live.is_routine(repr(strategy)) for strategy, _ in usual):
        return "auto"
    with suppress(IncumbentError):  # the champion may lack an ability that its own strategy needs
        policy.select_strategies(routine, live.model, live.memory, rows=rows)
        return ["auto", routine]
    return "auto"


def _with_fixed_slices(live: LiveModel, batch: Batch) -> LiveModel:
    """Return the live model whose slices by column are conditions, made from the values of remembered rows."""
    gate = live.gate
    if (gate.slices or gate.search) and not hasattr(batch.x, "iloc"):
        raise UsageError(
            "Slices and the search for harmed subgroups are conditions on columns, and these rows are arrays without "
            "columns; leave slices= and search= out of the gate."
        )
    if not gate.slices:
        return live
    known = batch if live.memory.rows is None else live.memory.rows
    return live.replace(gate=gate.fixed(known.x))


def _old_rows(live: LiveModel) -> tuple[PredictedRows | None, PredictedRows | None]:
    """Return the anchor rows that select the challenger and those that test it."""
    rows = live.anchor.rows
    if rows is None or not len(rows):
        return None, None
    old = PredictedRows.of(live.model, rows, named="the anchor rows")
    select, test = (old.take(at) if len(at) else None for at in anchor_split(live.anchor))
    return select, test


def _clip(select: PredictedRows, metric: Metric) -> float:
    losses = metric.losses(select.rows.labels, select.champion)
    unbounded = np.isinf(metric.bound) or metric.name == "log_loss"
    cut = float(np.quantile(losses, 0.99)) if losses is not None and unbounded else 0.0
    return cut or math.inf


def _check_new(quality: RowFlags) -> None:
    """Raise an error if too few rows are new, for example because the same file was given twice."""
    rows, seen = len(quality.known), int(np.count_nonzero(quality.known | quality.leaked))
    if seen and rows - seen < FEWEST:
        raise DataError(
            f"{seen:,} of the {rows:,} rows are not new: {quality.counts['known']:,} were learned from before and "
            f"{quality.counts['leaked']:,} are in the anchor set. An update needs at least {FEWEST} new rows to test "
            "challengers on. Were the same rows given twice?"
        )


def _check_metric_and_gate(live: LiveModel, select: PredictedRows, metric: Metric) -> None:
    """Score the champion on the select rows, so that an unsuitable metric or gate fails before training."""
    y, predictions, task, gate = select.rows.labels, select.champion, live.model.task, live.gate
    metric.score(y, predictions, select.rows.weight)
    if gate.max_flips is not None and task == "regression":
        raise UsageError("max_flips counts rows that turn from right to wrong; a regression has none. Leave it out.")
    if gate.source == "prequential":
        losses_of(metric, y, predictions)
    known = {*metrics.scores(y, predictions, task=task), *MEASURED}
    check_limits(gate.limits, dict.fromkeys(known, (0.0, 0.0)))
