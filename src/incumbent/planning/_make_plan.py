"""Work out how many labelled rows an update needs to show a gain."""

from __future__ import annotations

import math

from incumbent._deprecated import renamed_arguments
from incumbent.errors import UsageError
from incumbent.planning._plan import TEST_FRACTION, Need, Plan
from incumbent.planning._variance import VarianceEstimate


@renamed_arguments({"share": "test_fraction"})
def make_plan(
    name: str,
    metric: str,
    *,
    gain: float,
    power: float,
    alpha: float,
    new: VarianceEstimate,
    min_gain: float = 0.0,
    tolerance: float | None = None,
    old: VarianceEstimate | None = None,
    old_alpha: float = math.nan,
    old_rows: int = 0,
    old_room: int = 0,
    use: int = 1,
    last_batch: int = 0,
    test_fraction: float = TEST_FRACTION,
    notes: tuple[str, ...] = (),
) -> Plan:
    """Return how many rows show a gain, and how many show that nothing is lost on old rows, each with this power.

    Parameters
    ----------
    name, metric, min_gain, tolerance, old_room, last_batch, test_fraction, notes
        As in `Plan`.
    gain : float
        The true gain on new rows that is to be shown, above `min_gain`.
    power : float
        The probability of showing it, in (0, 1).
    alpha, old_alpha : float
        Levels of the two conditions at the next update.
    new, old : VarianceEstimate
        How much models differ on new and on old rows; `old` is None if the gate does not test old rows.
    old_rows : int
        Number of old rows that the gate can use today.
    use : int
        Number of the next use of the old rows.

    Raises
    ------
    UsageError
        The gain is not above `min_gain`, or the power is no probability.

    Examples
    --------
    >>> from incumbent.evidence import PairedVariance
    >>> seen = VarianceEstimate(PairedVariance(750, 0.12, 0.12), 1, "seen in 1 update, 750 rows")
    >>> plan = make_plan("fraud", "accuracy", gain=0.02, power=0.8, alpha=0.05, new=seen)
    >>> plan.gate_rows, plan.batch_rows
    (1952, 7808)
    """
    if not 0.0 < power < 1.0:
        raise UsageError(f"power is the probability of showing the gain, in (0, 1), such as 0.8; {power} was given.")
    if not min_gain < gain < math.inf:
        raise UsageError(
            f"gain is a gain that the gate could show, above its min_gain of {min_gain:g}, such as "
            f"{min_gain + 0.01:g} (0.01 is one point of accuracy); {gain} was given."
        )
    scale = new.differences.scale
    distance = (gain - min_gain) * scale
    rows = new.differences.rows_for(distance, alpha=alpha, power=power)
    better = Need("better on the new rows", rows, distance, alpha, new)
    kept = None
    if old is not None and tolerance is not None:
        room = tolerance * old.differences.scale
        rows = old.differences.rows_for(room, alpha=old_alpha, power=power)
        kept = Need("not worse on the old rows", rows, room, old_alpha, old, old_rows, use)
    shown = new.differences.gain_for(int(test_fraction * last_batch), alpha=alpha, power=power) / scale + min_gain
    smallest = shown if last_batch else math.nan
    limits = (min_gain, tolerance if kept else None)
    return Plan(name, metric, gain, power, better, kept, *limits, last_batch, smallest, old_room, test_fraction, notes)
