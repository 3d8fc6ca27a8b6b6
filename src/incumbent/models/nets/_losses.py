"""What a net minimises: the loss on labels, on soft targets and on stored outputs. Each is written once, in `Ops`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax

from incumbent._import_named import import_named
from incumbent.core import Array, Batch, Floats, Loss, TaskObjective
from incumbent.errors import ModelError, UsageError
from incumbent.models.nets._ops import Ops, Tensor
from incumbent.models.nets._output_spec import OutputSpec

_LARGE = 10.0  # log odds of 22,000 to 1
_FITS = {"softmax": ("cross_entropy",), "binary": ("bce",), "multilabel": ("bce",), "values": ("mse", "huber")}


@dataclass(frozen=True, eq=False)
class TaskLoss:
    """The loss on labels: cross-entropy, binary cross-entropy, squared error, Huber loss, or a function of the user's.

    Parameters
    ----------
    spec : OutputSpec
        What the outputs mean.
    name : {"cross_entropy", "bce", "mse", "huber"} or str
        Or "module:function" of outputs (n, k) and targets that returns (n,) losses, or their mean.
    ops : Ops
        The operations of the framework.
    smoothing : float
        Fraction of each label that is spread over all classes (Szegedy et al. 2016, section 7):
        ``(1 - s) * onehot(y) + s / k``.
    own : callable, optional
        The function of the user's.
    """

    spec: OutputSpec
    name: str
    ops: Ops
    smoothing: float = 0.0
    own: Callable[[Tensor, Tensor], Tensor] | None = None

    @staticmethod
    def from_recipe(loss: Loss, spec: OutputSpec, ops: Ops) -> TaskLoss:
        """Return the loss that a recipe names, or the one that fits the labels; raise UsageError if none does."""
        fits, objective = _FITS[spec.kind], loss.objective or TaskObjective()
        name = objective.loss or fits[0]
        if ":" in name:
            return TaskLoss(spec, name, ops, objective.smoothing, import_named(name, "task loss"))
        if name not in fits:
            what = "values" if spec.kind == "values" else "classes"
            known = ", ".join(map(repr, fits))
            raise UsageError(
                f'The loss {name!r} does not fit a net that predicts {what}; {known} or "module:function".'
            )
        return TaskLoss(spec, name, ops, objective.smoothing if spec.kind != "values" else 0.0)

    def rows(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each row (n,); raise ModelError if outputs and targets have different shapes."""
        self._check(logits, target)
        if self.own is not None:
            each = self.own(logits, target)
            if len(each.shape) == 0:
                raise UsageError(f"{self.name} gives one number; to weigh rows, a loss must return one per row (n,).")
            return each if len(each.shape) == 1 else self.ops.mean(each.reshape(len(target), -1), 1)
        if self.name == "cross_entropy":
            each = self.ops.cross_entropy(logits, target)
            if not self.smoothing:
                return each
            flat = self.ops.mean(self.ops.log_softmax(logits), 1)
            return (1 - self.smoothing) * each - self.smoothing * flat
        return self.ops.mean(self._elementwise(logits, target), 1)

    def mean(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss; `weight` (n,) has a mean of one over all rows, not over these."""
        if weight is not None:
            return self.ops.mean(self.rows(logits, target) * weight)
        if self.name == "cross_entropy":
            return self.ops.mean(self.rows(logits, target))
        self._check(logits, target)
        return self.ops.mean(self._elementwise(logits, target) if self.own is None else self.own(logits, target))

    def _elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.name == "bce":
            soft = target * (1 - self.smoothing) + self.smoothing / 2 if self.smoothing else target
            return self.ops.softplus(logits) - logits * soft
        gap = logits - target
        if self.name == "mse":
            return gap * gap
        near = self.ops.clip(gap, -1.0, 1.0)
        return near * (gap - near / 2)  # gap**2 / 2 up to a gap of 1, |gap| - 1/2 beyond

    def _check(self, logits: Tensor, target: Tensor) -> None:
        width = self.spec.width if self.spec.kind != "values" else target.shape[1]
        if logits.shape[1] != width:
            raise ModelError(
                f"The net gives {logits.shape[1]} outputs for each row, and the labels need {width}; change its last "
                "layer, or let NewHead() put one that fits in its place."
            )


# ------------------------------------------------------------------------------------------ soft targets


def soft_targets(old: Floats, spec: OutputSpec, temperature: float) -> tuple[Floats, Floats]:
    """Return what an older model's outputs (n, k) are for `soft_loss`: targets (n, k), and their entropy (n,).

    Targets are probabilities at the temperature: of each class, or of each output to be on. Values stay as they are.
    """
    if spec.kind == "values":
        return old.astype(np.float32), np.zeros(len(old), dtype=np.float32)
    z = old.astype(np.float64) / temperature
    if _is_one_of(spec, z.shape[1]):
        log = log_softmax(z, axis=1)
        p, entropy = np.exp(log), -(np.exp(log) * log).sum(axis=1)
    else:
        p = expit(z)
        entropy = (np.logaddexp(0, z) - z * p).mean(axis=1)
    return p.astype(np.float32), entropy.astype(np.float32)


def soft_loss(
    logits: Tensor, target: Tensor, entropy: Tensor, spec: OutputSpec, ops: Ops, temperature: float
) -> Tensor:
    """Return the mean divergence from soft targets, over the outputs that the older model had.

    ``T**2 * KL(softmax(old / T) || softmax(new / T))`` (Hinton et al. 2015, eq. 1, and section 2.1 for the factor;
    Li and Hoiem 2016, eq. 2-4, up to the entropy of the old model, which is constant). Outputs that are each on or off
    are compared one by one; of values the squared distance is taken, which has no temperature.
    """
    k = target.shape[1]
    new = logits if logits.shape[1] == k else logits[:, :k]
    if spec.kind == "values":
        return ops.mean((new - target) * (new - target))
    z = new / temperature
    if _is_one_of(spec, k):
        crossed = -k * ops.mean(target * ops.log_softmax(z))
    else:
        crossed = ops.mean(ops.softplus(z) - z * target)
    return temperature**2 * (crossed - ops.mean(entropy))


def _is_one_of(spec: OutputSpec, k: int) -> bool:
    """Whether a row has one of k classes, and not several outputs that are each on or off."""
    return spec.kind == "softmax" and k > 1


# ---------------------------------------------------------------------------------------- stored outputs


def known_outputs(stored: Floats) -> tuple[Floats, Floats]:
    """Return stored outputs (n, k) with zeros for NaN, and which of them are known (1 or 0)."""
    known = ~np.isnan(stored)
    return np.where(known, stored, 0).astype(np.float32), known.astype(np.float32)


def stored_loss(logits: Tensor, target: Tensor, known: Tensor, ops: Ops) -> Tensor:
    """Return ``mean((h(x) - z)**2)`` over the outputs that are known (Buzzega et al. 2020, eq. 6).

    Outputs that joined later have no old value and are free.
    """
    k = target.shape[1]
    gap = (logits if logits.shape[1] == k else logits[:, :k]) - target
    return ops.mean(known * gap * gap) / ops.clip(ops.mean(known), 1 / (len(known) * k), 1.0)


def stored_weight(stored: Floats, spec: OutputSpec) -> float:
    """Return what `stored_loss` is multiplied by: 1, and less if the stored outputs are large log odds.

    ``min(1, (10 / rms)**2)``, rms being the root mean square of the known outputs. The gradient of a squared distance
    grows with the outputs, and its curvature in the weights with their square; those of the loss on labels do not. So
    for outputs of +-100, steps that suit the labels explode, and smaller steps learn no labels. Log odds of more than
    10 are as good as certain. Values have the unit of their labels, whose loss has the same curvature.

    Examples
    --------
    >>> z = np.array([[8.0, -8.0], [3.0, np.nan]])
    >>> softmax = OutputSpec("softmax", np.arange(2))
    >>> stored_weight(z, softmax), round(stored_weight(z * 10, softmax), 4)
    (1.0, 0.0219)
    """
    known = stored[~np.isnan(stored)].astype(np.float64)
    if spec.kind == "values" or not len(known):
        return 1.0
    return min(1.0, _LARGE**2 / max(float(np.square(known).mean()), 1e-12))


# ---------------------------------------------------------------------------------------------- weights


def class_weights(loss: Loss, spec: OutputSpec, y: Array) -> Floats | None:
    """Return the weight of each row due to its class (n,), or None if the recipe gives none.

    "balanced" is ``n / (k * count of the class)``, as in scikit-learn. Raise UsageError if there are no classes, or if
    neither the rows nor the net know a class.
    """
    given = None if loss.objective is None else loss.objective.class_weight
    if given is None:
        return None
    if spec.kind in ("values", "multilabel"):
        raise UsageError("class_weight= needs rows of one class each; here weigh the rows themselves.")
    found, at, count = np.unique(y, return_inverse=True, return_counts=True)
    if given == "balanced":
        weights: Floats = (len(y) / (len(found) * count))[at]
        return weights
    named = dict(given)
    assert spec.outputs is not None, "only values have no classes"
    strange = [name for name in named if name not in found and name not in spec.outputs]
    if strange:
        raise UsageError(f"class_weight= names {strange[0]!r}, which is no class; there are {found.tolist()[:10]}.")
    return np.array([float(named.get(name, 1.0)) for name in found.tolist()])[at]


def row_weights(loss: Loss, spec: OutputSpec, batch: Batch) -> Floats | None:
    """Return the weight of each row (n,), with a mean of one; None if all count alike."""
    given = [weight for weight in (batch.weight, class_weights(loss, spec, batch.labels)) if weight is not None]
    if not given:
        return None
    weight = np.prod(np.asarray(given, dtype=np.float64), axis=0)
    scaled: Floats = (weight / max(float(weight.mean()), 1e-12)).astype(np.float32)
    return scaled
