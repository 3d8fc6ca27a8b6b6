"""What a net minimises: the task loss, soft targets, and outputs as they once were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from incumbent.core import Array, Batch, Floats, Loss, TaskObjective
from incumbent.errors import ModelError, UsageError
from incumbent.models.torch._head import Speech
from incumbent.models.torch._input import imported

NAMES = ("cross_entropy", "bce", "mse", "huber")
_LARGE = 10.0  # log odds of 22,000 to 1
_FITS = {"softmax": ("cross_entropy",), "binary": ("bce",), "multilabel": ("bce",), "values": ("mse", "huber")}


@dataclass(frozen=True, eq=False)
class TaskLoss:
    """The loss on labels: cross-entropy, binary cross-entropy, squared error, Huber's, or a function of the user's.

    Parameters
    ----------
    speech : Speech
        How the outputs are read.
    name : str
        One of `NAMES`, or "module:function" of outputs (n, k) and targets that gives (n,) losses, or their mean.
    smoothing : float
        Share of each label that is spread over all classes (Szegedy et al. 2016, section 7):
        ``(1 - s) * onehot(y) + s / k``.

    Examples
    --------
    >>> loss = TaskLoss.of(Loss(), Speech("softmax", np.array(["no", "yes"])))
    >>> loss.name, round(loss.mean(torch.zeros(3, 2), torch.tensor([0, 1, 1])).item(), 4)
    ('cross_entropy', 0.6931)
    """

    speech: Speech
    name: str
    smoothing: float = 0.0
    own: Callable[[Tensor, Tensor], Tensor] | None = None

    @staticmethod
    def of(loss: Loss, speech: Speech) -> TaskLoss:
        """Return the loss that a recipe names, or what fits the labels where it names none.

        Raises
        ------
        UsageError
            There is no such loss, or it does not fit the labels.
        """
        fits, asked = _FITS[speech.kind], loss.objective or TaskObjective()
        name = asked.loss or fits[0]
        if ":" in name:
            return TaskLoss(speech, name, asked.smoothing, imported(name, "task loss"))
        if name not in fits:
            what = "values" if speech.kind == "values" else "classes"
            known = ", ".join(map(repr, fits))
            raise UsageError(
                f'The loss {name!r} does not fit a net that predicts {what}; {known} or "module:function".'
            )
        return TaskLoss(speech, name, asked.smoothing if speech.kind != "values" else 0.0)

    def rows(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each row (n,).

        Raises
        ------
        ModelError
            The outputs and the targets have different shapes.
        """
        self._check(logits, target)
        if self.own is not None:
            each = self.own(logits, target)
            if each.ndim == 0:
                raise UsageError(f"{self.name} gives one number; rows can only be weighed by a loss for each row (n,).")
            return each.reshape(len(logits), -1).mean(dim=1)
        if self.name == "cross_entropy":
            return F.cross_entropy(logits, target, reduction="none", label_smoothing=self.smoothing)
        return self._elementwise(logits, target, "none").mean(dim=1)

    def mean(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss; `weight` (n,) is relative to a mean of one over all rows, not over these."""
        if weight is not None:
            return (self.rows(logits, target) * weight).mean()
        self._check(logits, target)
        if self.own is not None:
            return self.own(logits, target).mean()
        if self.name == "cross_entropy":
            return F.cross_entropy(logits, target, label_smoothing=self.smoothing)
        return self._elementwise(logits, target, "mean")

    def _elementwise(self, logits: Tensor, target: Tensor, reduction: str) -> Tensor:
        if self.name == "bce":
            soft = target * (1 - self.smoothing) + self.smoothing / 2 if self.smoothing else target
            return F.binary_cross_entropy_with_logits(logits, soft, reduction=reduction)
        measure = F.mse_loss if self.name == "mse" else F.huber_loss
        return measure(logits, target, reduction=reduction)

    def _check(self, logits: Tensor, target: Tensor) -> None:
        width = self.speech.width if self.speech.kind != "values" else target.shape[1]
        if logits.shape[1] != width:
            raise ModelError(
                f"The net gives {logits.shape[1]} outputs for each row, and the labels need {width}; change its last "
                "layer, or let NewHead() put one that fits in its place."
            )


def class_weights(loss: Loss, speech: Speech, y: Array) -> Floats | None:
    """Return how much each row counts because of its class (n,): as the recipe says, or so that classes count alike.

    "balanced" is ``n / (k * count of the class)``, as scikit-learn has it.

    Raises
    ------
    UsageError
        There are no classes, or one is named that the rows and the net do not know.
    """
    asked = None if loss.objective is None else loss.objective.class_weight
    if asked is None:
        return None
    if speech.kind in ("values", "multilabel"):
        raise UsageError("class_weight= needs rows of one class each; here weigh the rows themselves.")
    found, at, count = np.unique(y, return_inverse=True, return_counts=True)
    if asked == "balanced":
        weights: Floats = (len(y) / (len(found) * count))[at]
        return weights
    told = dict(asked)
    assert speech.outputs is not None, "only values have no classes"
    strange = [name for name in told if name not in found and name not in speech.outputs]
    if strange:
        raise UsageError(f"class_weight= names {strange[0]!r}, which is no class; there are {found.tolist()[:10]}.")
    return np.array([float(told.get(name, 1.0)) for name in found.tolist()])[at]


def row_weights(loss: Loss, speech: Speech, batch: Batch) -> Tensor | None:
    """Return how much each row counts (n,), with a mean of one; None where all count alike."""
    by_class = class_weights(loss, speech, batch.labels)
    if batch.weight is None and by_class is None:
        return None
    weight = np.ones(len(batch)) if batch.weight is None else np.asarray(batch.weight, dtype=np.float64)
    weight = weight if by_class is None else weight * by_class
    return torch.from_numpy((weight / max(float(weight.mean()), 1e-12)).astype(np.float32))


def soft_loss(logits: Tensor, old: Tensor, speech: Speech, temperature: float) -> Tensor:
    """Return the mean divergence from what an older model said, over the outputs that it had.

    ``T**2 * KL(softmax(old / T) || softmax(new / T))`` (Hinton et al. 2015, eq. 1, and section 2.1 for the factor;
    Li and Hoiem 2016, eq. 2-4, up to the entropy of the old model, which is constant). Outputs that are each on or off
    are compared one by one; of values the squared distance is taken, which has no temperature.
    """
    new = logits[:, : old.shape[1]]
    if speech.kind == "values":
        return F.mse_loss(new, old)
    if speech.kind == "softmax" and old.shape[1] > 1:
        p, q = (old / temperature).log_softmax(1), (new / temperature).log_softmax(1)
        return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=True)
    p_on, soft = (old / temperature).sigmoid(), new / temperature
    entropy = F.binary_cross_entropy_with_logits(old / temperature, p_on)
    return temperature**2 * (F.binary_cross_entropy_with_logits(soft, p_on) - entropy)


def logit_loss(logits: Tensor, stored: Tensor) -> Tensor:
    """Return the mean squared distance to outputs as they once were, over those that are known (not NaN).

    ``mean((h(x) - z)**2)`` (Buzzega et al. 2020, eq. 6): outputs that came later have no old value and are left free.
    """
    new = logits[:, : stored.shape[1]]
    known = ~stored.isnan()
    gap = torch.where(known, new - stored.nan_to_num(), torch.zeros_like(new))
    return gap.square().sum() / known.sum().clamp_min(1)


def logit_share(stored: Tensor, speech: Speech) -> float:
    """Return what `logit_loss` is multiplied with: 1, and less where the stored outputs are large log odds.

    ``min(1, (10 / rms)**2)``, rms being the root of the mean square of the outputs that are known. The slope of a
    squared distance grows with the outputs, and its curvature in the weights with their square; of the loss on labels
    neither does. So where a net says +-100, steps that labels bear explode on outputs, and smaller ones leave labels no
    say. Log odds of more than 10 are as good as certain, and how much more is nothing to remember. Outputs that are
    values are in the units of their labels, whose loss is curved alike, and stay as they are.

    Examples
    --------
    >>> z = torch.tensor([[8.0, -8.0], [3.0, float("nan")]])
    >>> softmax = Speech("softmax", np.arange(2))
    >>> logit_share(z, softmax), round(logit_share(z * 10, softmax), 4)
    (1.0, 0.0219)
    """
    known = stored[~stored.isnan()].double()
    if speech.kind == "values" or not len(known):
        return 1.0
    return min(1.0, _LARGE**2 / max(float(known.square().mean()), 1e-12))
