"""An adapter for the nets of `jax_mlp`: every strategy for nets, from one file outside of Incumbent.

It has tensor operations, an optimizer, the last layer and the net. An entry point lets Incumbent find it::

    [project.entry-points."incumbent.models"]
    jax = "jax_adapter:FRAMEWORK"
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax_mlp import MLP

from incumbent.errors import ModelError
from incumbent.models import Framework
from incumbent.models.nets import ExactHead, HeadLayer, Net, NetModel, Ops, Optimizer, OutputLayer, RandomReLU

RULES = {
    "sgd": optax.identity(),
    "momentum": optax.trace(0.9),
    "adagrad": optax.scale_by_rss(0.0, 1e-10),
    "rmsprop": optax.scale_by_rms(0.9),
    "adam": optax.scale_by_adam(),
    "adamw": optax.scale_by_adam(),
}


class JaxOps(Ops):
    """The tensor operations."""

    asarray = staticmethod(jnp.asarray)
    numpy = staticmethod(np.asarray)
    concat = staticmethod(jnp.concatenate)
    mean = staticmethod(jnp.mean)
    log_softmax = staticmethod(jax.nn.log_softmax)
    softplus = staticmethod(jax.nn.softplus)
    log = staticmethod(jnp.log)
    clip = staticmethod(jnp.clip)


class JaxOptimizer(Optimizer):
    """Gradients by JAX, the rule by optax. Weights stay NumPy arrays: the engine changes them in place."""

    def __init__(self, net, settings):
        self.net, self.settings, self.loss, self.slopes = net, settings, None, []
        decay = optax.add_decayed_weights(settings.weight_decay)  # before the rule it is L2, after it AdamW's
        clip = optax.identity() if settings.clip is None else optax.clip_by_global_norm(settings.clip)
        order = (RULES[settings.name], decay) if settings.name == "adamw" else (decay, RULES[settings.name])
        self.rule = optax.chain(clip, *order)
        self.names = tuple(name for name in net.weight_names if name not in net.frozen)
        self.weights = [net.native.weights[name] for name in self.names]
        self.slots = self.rule.init(self.weights)

    def backward(self, loss, *at):
        def value(weights, *at):
            with self.net.traced(dict(zip(self.names, weights, strict=True))):
                return loss(*at)

        if self.loss != loss:  # compiled once: only the positions change
            self.loss, self.compiled = loss, jax.jit(jax.value_and_grad(value))
        found, slopes = self.compiled(self.weights, *at)
        self.slopes = [np.array(slope) for slope in slopes]
        return found

    def gradients(self):
        return self.slopes

    def update(self, lr):
        steps, slots = self.rule.update(self.slopes, self.slots, self.weights)
        self.slots = jax.tree.map(np.array, slots)
        for weight, step, factor in zip(self.weights, steps, self.rate_factors(), strict=True):
            weight -= lr * factor * np.asarray(step)

    def velocity(self):
        return self.slots[2].trace if self.settings.name == "momentum" else None

    def tensors(self, values):
        return [np.array(value, np.float32) for value in values.values()]

    def arrays(self, tensors):
        return {name: np.array(tensor) for name, tensor in zip(self.names, tensors, strict=True)}

    def state(self):
        return {str(i): np.array(leaf) for i, leaf in enumerate(jax.tree.leaves(self.slots))}

    def load_state(self, state):
        self.slots = jax.tree.unflatten(jax.tree.structure(self.slots), [state[str(i)] for i in range(len(state))])


class LastLayer(HeadLayer):
    """The layer that makes the outputs."""

    def __init__(self, native):
        self.native, self.name = native, f"layer{len(native.widths) - 2}"
        self.weight_names = (f"{self.name}.weight", f"{self.name}.bias")

    def weights(self):
        return tuple(self.native.weights[name].copy() for name in self.weight_names)

    def set_weights(self, weight, bias):
        self.native.weights |= dict(zip(self.weight_names, map(np.float32, (weight, bias)), strict=True))
        self.native.widths = (*self.native.widths[:-1], len(bias))

    def features(self, inputs):
        return np.asarray(self.native(inputs[""], layers=len(self.native.widths) - 2))

    @property
    def projection(self):
        return None if self.native.projection is None else self.native.projection.transform


class Rows:
    """Rows that are taken in mini-batches."""

    def __init__(self, x):
        self.x = jnp.asarray(np.asarray(x, np.float32))
        if self.x.ndim != 2:
            raise ModelError(f"A multilayer perceptron reads a table (n, d); the rows have the shape {self.x.shape}.")

    def __len__(self):
        return len(self.x)

    def at(self, at):
        return {"": self.x[at]}


class JaxNet(Net):
    """What the engine needs of such a net."""

    ops, frozen = JaxOps(), frozenset()

    def __init__(self, native, frozen=frozenset(), solved=None):
        self.native, self.frozen, self.solved, self.now = native, frozenset(frozen), solved, {}

    def rows(self, x):
        return Rows(x)

    def forward(self, inputs):
        return self.native(inputs[""], self.native.weights | self.now)

    @contextlib.contextmanager
    def traced(self, weights):
        """Compute with these weights, to take gradients in them."""
        before, self.now = self.now, weights
        try:
            yield
        finally:
            self.now = before

    def at_rest(self):
        return self.traced({})

    @property
    def output_layer(self):
        return OutputLayer(self.native.widths[-1], is_linear=True)

    def optimizer(self, settings):
        return JaxOptimizer(self, settings)

    def learn(self, *, statistics):
        """There is no dropout and no batch statistics."""

    def finish(self):
        self.solved = None

    def gradient_powers(self, inputs, target, scores):
        learning = {name: weight for name, weight in self.native.weights.items() if name not in self.frozen}
        total = {name: np.zeros_like(weight) for name, weight in learning.items()}
        for score in scores(self.forward(inputs)):

            def value(weights, row, goal, score=score):
                with self.traced(weights):
                    return score.value(self.forward({"": row[None]}), goal[None])[0]

            weight = np.ones(len(target), np.float32) if score.weight is None else score.weight
            slopes = jax.vmap(jax.grad(value), (None, 0, 0))(learning, inputs[""], target)
            for name, slope in slopes.items():
                total[name] += np.tensordot(weight, np.abs(slope) ** score.power, 1)
        return total

    def weights(self):
        return {name: weight.copy() for name, weight in self.native.weights.items()}

    def load_weights(self, weights):
        for name, weight in weights.items():
            self.native.weights[name][...] = weight  # in place: an optimizer goes on with the same arrays
        self.solved = None

    def copy(self):
        return type(self)(copy.deepcopy(self.native), self.frozen, self.solved)

    def freeze(self, weights, parts=frozenset()):
        self.frozen = frozenset(weights)

    def head(self, x=None, *, name=None):
        return LastLayer(self.native)

    def redrawn(self, seed):
        return type(self)(MLP(*self.native.widths, seed=seed))

    def with_exact_head(self, head, name):
        made = self.copy()
        made.native.projection, made.solved = head.lift, head
        made.head().set_weights(head.temperature * head.coef, head.temperature * head.intercept)
        return made

    def with_only_a_head(self, x, width):
        return self if len(self.native.widths) == 2 else type(self)(MLP(np.shape(x)[1], width))

    def exact_head(self, classes):
        return None if self.solved is None else dataclasses.replace(self.solved, classes=classes)

    def save(self, folder):
        np.savez(folder / "weights.npz", **self.native.weights)
        if self.solved is not None:
            np.savez(folder / "head.npz", **self.solved.to_arrays())
        projection = self.native.projection and self.native.projection.describe()
        return {"widths": self.native.widths, "frozen": sorted(self.frozen), "projection": projection}

    @classmethod
    def load(cls, folder, about):
        native, head = MLP(*about["widths"]), folder / "head.npz"
        native.weights = dict(np.load(folder / "weights.npz"))
        native.projection = about["projection"] and RandomReLU.from_description(about["projection"])
        return cls(native, about["frozen"], ExactHead.from_arrays(np.load(head)) if head.exists() else None), ""


def handles(native: Any) -> bool:
    """Return whether a model is one of these."""
    return isinstance(native, MLP)


class JaxModel(NetModel):
    """The adapter."""

    framework = JaxNet


FRAMEWORK = Framework(
    adapters={"jax": "jax_adapter:JaxModel"},
    models="multilayer perceptrons in JAX",
    package="jax",
    options=("classes", "task"),
    wrap=lambda adapter, native, **options: adapter.from_net(JaxNet(native), **options),
)
