"""Gradient steps for linear models, from the champion's weights."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from incumbent.core import Floats
from incumbent.errors import BudgetSpent, ModelError
from incumbent.models.tables._native import slices
from incumbent.models.tables._optimisers import stepper
from incumbent.models.tables._problem import Problem

LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # tried if no rate is given
_TRIAL_ROWS = 2_000


@dataclass(frozen=True)
class Schedule:
    """How the steps are taken: the optimizer, its rate, and the order of rows."""

    optimizer: str
    lr: float
    epochs: int
    batch_size: int
    ordered: bool
    seed: int
    deadline: float = math.inf


def descend(problem: Problem, coef: Floats, intercept: Floats, plan: Schedule) -> tuple[Floats, Floats]:
    """Return coefficients (k, d) and intercepts (k,) after stochastic gradient steps from those given.

    Steps are taken in standardised coordinates (a change of variables, not of the model), so that one learning rate
    suits every column. With mini-batches the rate falls linearly to zero; row by row it is constant.
    """
    mean, scale = _moments(problem.x)
    if not problem.intercept:
        mean = np.zeros_like(mean)  # centring needs an intercept
    w, b = coef * scale, intercept + coef @ mean
    step_w, step_b = stepper(plan.optimizer), stepper(plan.optimizer)
    rng, n = np.random.default_rng(plan.seed), len(problem.target)
    x = _standardised(problem.x, mean, scale)
    total, done = plan.epochs * math.ceil(n / plan.batch_size), 0
    norm = problem.weight.mean()
    for _ in range(plan.epochs):
        order = np.arange(n) if plan.ordered else rng.permutation(n)
        for part in slices(n, plan.batch_size):
            if done % 64 == 0 and time.monotonic() > plan.deadline:
                raise BudgetSpent("The budget ended during gradient steps; give a longer --budget or fewer epochs.")
            at = order[part]
            rows = x[at]
            weight = (problem.weight[at] / (norm * len(at)))[:, None]
            slope = problem.loss.slope(rows @ w.T + b, problem.target[at]) * weight
            coef_now = w / scale
            by_coef, by_intercept = _penalty_slope(problem, coef_now, b - coef_now @ mean, coef, intercept)
            lr = plan.lr * (1 - done / total if plan.batch_size > 1 else 1.0)
            # chain rule of w = coef * scale, b = intercept + coef @ mean
            w = w + step_w(slope.T @ rows + (by_coef - np.outer(by_intercept, mean)) / scale, lr)
            if problem.intercept:
                b = b + step_b(slope.sum(axis=0) + by_intercept, lr)
            done += 1
    coef_now = w / scale
    moved = coef_now, b - coef_now @ mean if problem.intercept else intercept
    if not all(np.isfinite(part).all() for part in moved):
        raise ModelError(f"Gradient steps with lr={plan.lr:g} diverged; give a smaller lr, or none to have one chosen.")
    return moved


def choose_rate(problem: Problem, coef: Floats, intercept: Floats, plan: Schedule, held_out: Problem | None) -> float:
    """Return the learning rate whose short trial has the smallest loss on other rows.

    These are `held_out`, or a fifth of the problem's own rows.
    """
    n = len(problem.target)
    order = np.random.default_rng(plan.seed).permutation(n)
    if held_out is None:
        held_out = problem.rows(order[: max(1, n // 5)])
        order = order[max(1, n // 5) :] if n > 1 else order
    trial = problem.rows(np.sort(order[:_TRIAL_ROWS] if plan.batch_size > 1 else order[: _TRIAL_ROWS // 4]))
    errors = {}
    for lr in LEARNING_RATES:
        try:
            errors[lr] = held_out.error(*descend(trial, coef, intercept, replace(plan, lr=lr, epochs=1)))
        except ModelError:
            break  # it diverged, and a larger rate would too
    finite = {lr: error for lr, error in errors.items() if math.isfinite(error)}
    return min(finite, key=finite.__getitem__) if finite else LEARNING_RATES[0]


def _penalty_slope(
    problem: Problem, coef: Floats, intercept: Floats, start_coef: Floats, start_intercept: Floats
) -> tuple[Floats, Floats]:
    by_coef = problem.l2 * coef + problem.l1 * np.sign(coef)
    by_intercept = np.zeros_like(intercept)
    if problem.pull:
        importance = problem.importance or {}
        by_coef = by_coef + problem.pull * importance.get("coef", 1.0) * (coef - start_coef)
        by_intercept = problem.pull * importance.get("intercept", 1.0) * (intercept - start_intercept)
    return by_coef, by_intercept


def _moments(x: Any) -> tuple[Floats, Floats]:
    if hasattr(x, "tocsr"):  # centring would fill a sparse matrix
        second = np.asarray(x.multiply(x).mean(axis=0)).ravel()
        mean, scale = np.zeros(x.shape[1]), np.sqrt(second)
    else:
        mean, scale = x.mean(axis=0), x.std(axis=0)
    return mean, np.where(scale > 1e-12 * (1 + abs(mean)), scale, 1.0)


def _standardised(x: Any, mean: Floats, scale: Floats) -> Any:
    return x.multiply(1 / scale).tocsr() if hasattr(x, "tocsr") else (x - mean) / scale
