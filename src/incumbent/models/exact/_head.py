"""A linear layer on frozen features that is solved exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incumbent.core import Array, Batch, Floats, Prediction
from incumbent.models.exact._grid import Grid
from incumbent.models.exact._ridge import Solution
from incumbent.models.exact._statistics import storable


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer on frozen features, solved exactly. `fit_exact_head` makes it.

    Parameters
    ----------
    coef, intercept : (k, m) and (k,) arrays
        Weights of the scores; one row for a numeric target.
    classes : (k,) array, optional
        The classes, sorted.
    lift : transformer, optional
        The step between the features and the layer: a `RandomReLU`, a scaler, or nothing.
    temperature : float
        Class probabilities are ``softmax(temperature * scores)``.
    ridge : float
        The penalty it was solved with.
    token : str
        Identifies the features, so that statistics of other features are never mixed in.
    solution : Solution, optional
        What it was solved from; not stored with the model.
    train : Batch, optional
        The rows that it was fitted to last; not stored with the model.
    """

    coef: Floats
    intercept: Floats
    classes: Array | None
    lift: Any
    temperature: float
    ridge: float
    token: str
    solution: Solution | None = field(default=None, repr=False)
    train: Batch | None = field(default=None, repr=False)

    @staticmethod
    def from_solution(solution: Solution, lift: Any, temperature: float, token: str, train: Batch | None) -> Head:
        """Return the head of a solution."""
        classes, coef, intercept = solution.statistics.classes, solution.coef.T, solution.intercept
        return Head(coef, intercept, classes, lift, temperature, solution.ridge, token, solution, train)

    @property
    def width(self) -> int:
        """Number of projected features; 0 without a projection."""
        return int(getattr(self.lift, "width", 0))  # a scaler has none

    @property
    def grid(self) -> Grid | None:
        """The grid of the projected features; None if they lie on none."""
        return getattr(self.lift, "grid", None)

    def scores(self, inputs: Array) -> Floats:
        """Return the scores (n, k) of rows, from the input (n, m) of the layer."""
        made: Floats = inputs @ self.coef.T + self.intercept
        return made

    def predict(self, features: Any) -> Prediction:
        """Predict rows from their features (n, d)."""
        from scipy.special import softmax

        from incumbent.models.exact._projection import to_numbers

        features = to_numbers(features)
        scores = self.scores(features if self.lift is None else self.lift.transform(features))
        if self.classes is None:
            return Prediction(scores[:, 0])
        return Prediction(self.classes[scores.argmax(axis=1)], softmax(self.temperature * scores, axis=1), self.classes)

    def to_arrays(self) -> dict[str, Array]:
        """Return the head as plain arrays by name, for `numpy.savez`. `from_arrays` reads them."""
        own = {name: np.asarray(getattr(self, name)) for name in ("coef", "intercept", "temperature", "ridge", "token")}
        if self.classes is not None:
            own["classes"] = storable(self.classes)
        if self.lift is not None:
            own |= {"mean": self.lift.mean_, "scale": self.lift.scale_}
        if self.width:
            described = self.lift.describe()
            own["projection"] = np.array([described[name] for name in ("width", "each", "seed", "check")])
        return own

    @staticmethod
    def from_arrays(arrays: Mapping[str, Array]) -> Head:
        """Return the head that `to_arrays` took apart."""
        lift = _read_lift(arrays) if "mean" in arrays else None
        temperature, ridge = float(arrays["temperature"]), float(arrays["ridge"])
        weights = arrays["coef"], arrays["intercept"], arrays.get("classes")
        return Head(*weights, lift, temperature, ridge, str(arrays["token"]))


def _read_lift(arrays: Mapping[str, Array]) -> Any:
    mean, scale = arrays["mean"], arrays["scale"]
    if "projection" in arrays:
        from incumbent.models.exact._projection import RandomReLU

        width, each, seed, check = arrays["projection"].tolist()
        described = {"width": width, "each": bool(each), "seed": seed, "check": check, "mean": mean, "scale": scale}
        return RandomReLU.from_description(described)
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_, scaler.n_features_in_ = mean, scale, scale**2, len(mean)
    return scaler
