"""How much each weight of a net matters for some rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from incumbent.core import Array, Floats, Importance
from incumbent.models.nets._net import Net, Score
from incumbent.models.nets._ops import Ops, Tensor
from incumbent.models.nets._output_spec import OutputSpec

MOST_ROWS = 1_000
"""Rows that importances are averaged over: a mean over so many is known to a few per cent."""
_CHUNK = 256


def importances(
    net: Net, x: object, spec: OutputSpec, kind: Importance, target: Array | None = None
) -> dict[str, Floats]:
    r"""Return how much each weight that learns matters for the rows, by name; a mean over rows, at rest.

    Of more than `MOST_ROWS` rows, evenly spaced ones are taken. The likelihood is categorical, Bernoulli for each
    output, or normal of unit variance, as `spec` says. The kinds:

    - "fisher", :math:`F_j = \frac1n \sum_i E_{y \sim p(y|x_i)} [(\partial \log p(y|x_i) / \partial w_j)^2]`, exact: the
      sum over all labels (Kunstner et al. 2019, eq. 4; Kirkpatrick et al. 2017).
    - "empirical": the same at the true labels, `target` as the task loss takes it (Kunstner et al. 2019, eq. 3).
    - "output", :math:`\Omega_j = \frac1n \sum_i |\partial \|f(x_i)\|_2^2 / \partial w_j|` (Aljundi et al. 2018, eq. 3
      with the squared norm of section 4.1).
    """
    rows = net.rows(x)
    n = len(rows)
    at = np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(np.int64))
    total: dict[str, Floats] = {}
    scores = _scores(spec, kind, net.ops)
    for start in range(0, len(at), _CHUNK):
        part = at[start : start + _CHUNK]
        seen = np.zeros(len(part), dtype=np.float32) if target is None else target[part]
        found = net.gradient_powers(rows.at(net.ops.asarray(part)), net.ops.asarray(seen), scores)
        total = {name: value + total.get(name, 0.0) for name, value in found.items()}
    return {name: value / len(at) for name, value in total.items()}


def _scores(spec: OutputSpec, kind: Importance, ops: Ops) -> Callable[[Tensor], list[Score]]:
    """Return the scores to differentiate, for given outputs."""

    def log_likelihood(j: int) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the log probability of class j, or output j if outputs are independent of each other."""

        def value(f: Tensor, _: Tensor) -> Tensor:
            logits = spec.logits(f, ops)
            return (ops.log_softmax(logits) if spec.kind == "softmax" else logits)[:, j]

        return value

    def scores(out: Tensor) -> list[Score]:
        if kind == "output":
            return [Score(lambda f, _: ops.mean(f * f, 1) * f.shape[1], power=1)]
        if kind == "empirical":
            return [Score(lambda f, y: _log_likelihood(spec, f, y, ops))]
        chance = _variances(spec, ops.numpy(spec.logits(out, ops)))
        return [Score(log_likelihood(j), ops.asarray(chance[:, j])) for j in range(out.shape[1])]

    return scores


def _variances(spec: OutputSpec, logits: Array) -> Array:
    """Return ``E[(d log p / d output_j)**2]`` (n, k): p of a class, p (1 - p) of a label, 1 of a value."""
    if spec.kind == "values":
        return np.ones_like(logits)
    p: Array = softmax(logits, axis=1) if spec.kind == "softmax" else expit(logits)
    return p if spec.kind == "softmax" else p * (1 - p)


def _log_likelihood(spec: OutputSpec, f: Tensor, target: Tensor, ops: Ops) -> Tensor:
    """Return the log likelihood of each row's label, up to a constant (n,)."""
    logits = spec.logits(f, ops)
    if spec.kind == "softmax":
        return -ops.cross_entropy(logits, target)
    k = logits.shape[1]
    if spec.kind == "values":
        return -k * ops.mean((logits - target) * (logits - target), 1) / 2
    return -k * ops.mean(ops.softplus(logits) - logits * target, 1)
