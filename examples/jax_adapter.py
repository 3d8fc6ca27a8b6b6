"""An adapter for the nets of `jax_mlp`: they get every strategy for nets. docs/extending.md shows its entry point."""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import optax

from incumbent.errors import ModelError
from incumbent.models import Framework, Head
from incumbent.models.exact import RandomReLU
from incumbent.models.nets import ArrayRows, HeadLayer, Net, NetModel, Ops, Optimizer, OutputLayer
from jax_mlp import MLP

RULES = {
    "sgd": optax.identity(),
    "momentum": optax.trace(0.9),
    "adagrad": optax.scale_by_rss(0.0, 1e-10),
    "rmsprop": optax.scale_by_rms(0.9),
    "adam": optax.scale_by_adam(),
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
        self.net, self.ops, self.settings, self.loss = net, net.ops, settings, None
        decay = optax.add_decayed_weights(settings.weight_decay)  # before the rule it is L2, after it AdamW's
        clip = optax.identity() if settings.clip is None else optax.clip_by_global_norm(settings.clip)
        rule = RULES[settings.name.removesuffix("w")]
        self.rule = optax.chain(clip, rule, decay) if settings.name == "adamw" else optax.chain(clip, decay, rule)
        self.names = tuple(name for name in net.weight_names if name not in net.frozen)
        self.weights = [net.native.weights[name] for name in self.names]
        self.slots = self.rule.init(self.weights)

    def backward(self, loss, *at):
        def value(weights, *at):
            with self.net.at_rest(dict(zip(self.names, weights, strict=True))):
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


class JaxNet(Net):
    """What the engine needs of such a net."""

    ops, frozen = JaxOps(), frozenset()

    def __init__(self, native, frozen=frozenset(), solved=None):
        self.native, self.frozen, self.solved, self.now = native, frozenset(frozen), solved, {}

    def rows(self, x):
        x = np.asarray(x, np.float32)
        if x.ndim != 2:
            raise ModelError(f"A perceptron reads a table (n, d); the rows have the shape {x.shape}.")
        return ArrayRows(jnp.asarray(x))

    def forward(self, inputs):
        return self.native(inputs[""], self.native.weights | self.now)

    @contextlib.contextmanager
    def at_rest(self, traced=None):
        """Compute with the weights of the net, or with those that JAX traces to take gradients in them."""
        before, self.now = self.now, traced or {}
        try:
            yield
        finally:
            self.now = before

    @property
    def output_layer(self):
        return OutputLayer(self.native.widths[-1], is_linear=True)

    def optimizer(self, settings):
        return JaxOptimizer(self, settings)

    def finish(self):
        self.solved = None

    def weights(self):
        return {name: weight.copy() for name, weight in self.native.weights.items()}

    def load_weights(self, weights):
        for name, weight in weights.items():
            self.native.weights[name][...] = weight  # in place: an optimizer goes on with the same arrays
        self.solved = None

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

    def exact_head(self, classes):
        return self.solved

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
        return cls(native, about["frozen"], Head.from_arrays(np.load(head)) if head.exists() else None), ""


def handles(native: object) -> bool:
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
