"""A second framework: multilayer perceptrons in NumPy, with what `incumbent.models.nets` needs of them."""

from __future__ import annotations

import contextlib
import copy

import numpy as np
from tape import NumpyOps, Var, of, relu

from incumbent.errors import ModelError
from incumbent.models import Head
from incumbent.models.exact import RandomReLU
from incumbent.models.nets import ArrayRows, HeadLayer, Net, NetModel, Optimizer, OutputLayer


class Dense:
    """A linear layer of this framework: its kernel is (inputs, outputs). A projection may come before it."""

    def __init__(self, kernel, bias, projection=None, solved=None):
        self.kernel, self.bias, self.projection, self.solved = kernel, bias, projection, solved


def drawn(inputs, outputs, rng):
    return Dense(rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs)), np.zeros(outputs))


class MLP:
    """A native model as a user has it."""

    def __init__(self, *widths, dropout=0.0, seed=0):
        rng = np.random.default_rng(seed)
        self.dropout = dropout
        self.layers = [drawn(a, b, rng) for a, b in zip(widths, widths[1:], strict=False)]


class NumpyNet(Net):
    """What the engine needs of such a model; see `incumbent.models.nets.Net`."""

    ops, frozen = NumpyOps(), frozenset()

    def __init__(self, native, frozen=frozenset()):
        self.native, self.frozen = native, frozen
        self.training, self.rng, self.leaves = False, np.random.default_rng(0), None

    # ---------------------------------------------------------------------------------------- forward

    def rows(self, x):
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2:
            raise ModelError(f"A multilayer perceptron reads a table (n, d), and the rows have shape {x.shape}.")
        return ArrayRows(x)

    def forward(self, inputs):
        return self.through(inputs[""], len(self.native.layers))

    def through(self, x, layers):
        """Return what the first so many layers make of rows."""
        for i, layer in enumerate(self.native.layers[:layers]):
            if layer.projection is not None:
                x = layer.projection.transform(of(x))
            x = x @ self.weight(f"layer{i}.kernel") + self.weight(f"layer{i}.bias")
            if i < len(self.native.layers) - 1:
                x = relu(x)
                if self.training and self.native.dropout:
                    keep = 1 - self.native.dropout
                    x = x * ((self.rng.random(x.shape) < keep) / keep)
        return x

    def weight(self, name):
        """Return a weight, as a leaf of the tape while gradients are taken."""
        layer, kind = self.place(name)
        if self.leaves is None or name in self.frozen:
            return getattr(layer, kind)
        return self.leaves.setdefault(name, Var(getattr(layer, kind)))

    def place(self, name):
        part, _, kind = name.partition(".")
        return self.native.layers[int(part.removeprefix("layer"))], kind

    @contextlib.contextmanager
    def at_rest(self):
        before, self.training = (self.training, self.leaves), False
        self.leaves = None
        try:
            yield
        finally:
            self.training, self.leaves = before

    @contextlib.contextmanager
    def seeded(self, seed):
        before, self.rng = self.rng, np.random.default_rng(seed)
        try:
            yield
        finally:
            self.rng = before

    @property
    def output_layer(self):
        return OutputLayer(len(self.native.layers[-1].bias), is_linear=True)

    # --------------------------------------------------------------------------------------- training

    def learn(self, *, statistics):
        self.training = True

    def optimizer(self, settings):
        return NumpyOptimizer(self, settings)

    def finish(self):
        self.training = False
        self.native.layers[-1].solved = None

    def gradients(self, value):
        """Compute a number, and its gradient in every weight that learns, in the layout of this framework."""
        self.leaves = {}
        loss = value()
        loss.backward()
        leaves, self.leaves = self.leaves, None
        zero = {name: np.zeros_like(getattr(*self.place(name))) for name in self.weight_names}
        found = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
        return loss, {name: g for name, g in (zero | found).items() if name not in self.frozen}

    # ---------------------------------------------------------------------------------------- weights

    @property
    def weight_names(self):
        return tuple(f"layer{i}.{kind}" for i in range(len(self.native.layers)) for kind in ("kernel", "bias"))

    def weights(self):
        return turned({name: getattr(*self.place(name)) for name in self.weight_names})

    def load_weights(self, weights):
        for name, value in turned(weights).items():
            layer, kind = self.place(name)
            held = getattr(layer, kind)
            if held is None:
                setattr(layer, kind, value)
            else:
                held[...] = value  # in place: an optimizer goes on with the same arrays
        self.native.layers[-1].solved = None

    def copy(self):
        return NumpyNet(copy.deepcopy(self.native), self.frozen)

    # -------------------------------------------------------------------------------------- structure

    def freeze(self, weights, parts=frozenset()):
        self.frozen = frozenset(weights)

    def head(self, x=None, *, name=None):
        return LastLayer(self)

    def redrawn(self, seed):
        widths = [len(self.native.layers[0].kernel), *(len(layer.bias) for layer in self.native.layers)]
        return NumpyNet(MLP(*widths, dropout=self.native.dropout, seed=seed))

    # -------------------------------------------------------------------------- exact heads and files

    def with_exact_head(self, head, name):
        made = self.copy()
        kernel, bias = head.temperature * head.coef.T, head.temperature * head.intercept
        solved = {"ridge": head.ridge, "temperature": head.temperature, "token": head.token}
        made.native.layers[-1] = Dense(np.array(kernel), np.array(bias), head.lift, solved)
        return made

    def with_only_a_head(self, x, width):
        return self if len(self.native.layers) == 1 else NumpyNet(MLP(np.shape(x)[1], width))

    def exact_head(self, classes):
        last = self.native.layers[-1]
        if last.solved is None:
            return None
        scale = last.solved["temperature"]
        coef, intercept = last.kernel.T / scale, last.bias / scale
        return Head(coef, intercept, classes, last.projection, scale, last.solved["ridge"], last.solved["token"])

    def save(self, folder):
        last = self.native.layers[-1]
        np.savez(folder / "weights.npz", **self.weights())
        projection = None if last.projection is None else last.projection.describe()
        return {
            "dropout": self.native.dropout,
            "projection": projection,
            "solved": last.solved,
            "fixed": [*self.frozen],
        }

    @classmethod
    def load(cls, folder, about):
        with np.load(folder / "weights.npz") as file:
            weights = dict(file)
        made = MLP(dropout=about["dropout"])
        made.layers = [Dense(None, None) for _ in range(len(weights) // 2)]
        net = cls(made, frozenset(about["fixed"]))
        net.load_weights(weights)
        stored = about["projection"]
        made.layers[-1].projection = None if stored is None else RandomReLU.from_description(stored)
        made.layers[-1].solved = about["solved"]
        return net, ""


def turned(values):
    """Return kernels as (outputs, inputs), or back."""
    return {name: value.T.copy() if value.ndim == 2 else value.copy() for name, value in values.items()}


class LastLayer(HeadLayer):
    """The head; see `incumbent.models.nets.HeadLayer`."""

    def __init__(self, net):
        self.net, self.name = net, net.parts[-1]
        self.layer = net.native.layers[-1]
        self.weight_names = (f"{self.name}.kernel", f"{self.name}.bias")

    def weights(self):
        return self.layer.kernel.T.copy(), self.layer.bias.copy()

    def set_weights(self, weight, bias):
        self.layer.kernel, self.layer.bias = weight.T.copy(), bias.copy()

    def features(self, inputs):
        return self.net.through(inputs[""], len(self.net.native.layers) - 1).astype(np.float32)

    @property
    def projection(self):
        return None if self.layer.projection is None else self.layer.projection.transform


class NumpyOptimizer(Optimizer):
    """The published rules; see `incumbent.models.nets.Optimizer`."""

    def __init__(self, net, settings):
        self.net, self.settings, self.count = net, settings, 0
        self.names = tuple(name for name in net.weight_names if name not in net.frozen)
        self.weights = [getattr(*net.place(name)) for name in self.names]
        self.first, self.second = ([np.zeros_like(w) for w in self.weights] for _ in range(2))
        self.slopes = []

    def backward(self, loss, *at):
        value, found = self.net.gradients(lambda: loss(*at))
        self.slopes = [found[name] for name in self.names]
        return value.value

    def update(self, lr):
        self.count += 1
        norm = np.sqrt(sum(np.square(g).sum() for g in self.slopes))
        clip = 1.0 if self.settings.clip is None else min(1.0, self.settings.clip / max(norm, 1e-12))
        for i, (w, factor) in enumerate(zip(self.weights, self.rate_factors(), strict=True)):
            g, decay = self.slopes[i] * clip, self.settings.weight_decay
            if self.settings.name == "adamw":
                w -= lr * factor * decay * w
            else:
                g = g + decay * w
            w -= lr * factor * self.step(i, g)

    def step(self, i, g):
        first, second, name = self.first, self.second, self.settings.name
        if name == "sgd":
            return g
        if name == "momentum":
            first[i] = 0.9 * first[i] + g
            return first[i]
        if name == "adagrad":
            second[i] = second[i] + g * g
            return g / (np.sqrt(second[i]) + 1e-10)
        if name == "rmsprop":
            second[i] = 0.9 * second[i] + 0.1 * g * g
            return g / (np.sqrt(second[i]) + 1e-8)
        first[i], second[i] = 0.9 * first[i] + 0.1 * g, 0.999 * second[i] + 0.001 * g * g
        return first[i] / (1 - 0.9**self.count) / (np.sqrt(second[i] / (1 - 0.999**self.count)) + 1e-8)

    def gradients(self):
        return self.slopes

    def velocity(self):
        return self.first if self.settings.name == "momentum" else None

    def tensors(self, values):
        return list(turned({name: np.asarray(value, dtype=np.float64) for name, value in values.items()}).values())

    def arrays(self, tensors):
        return turned(dict(zip(self.names, tensors, strict=True)))

    def state(self):
        pairs = zip(self.first, self.second, strict=True)
        return {"count": np.array(self.count)} | {
            f"{kind}{i}": value for i, both in enumerate(pairs) for kind, value in zip("ab", both, strict=True)
        }

    def load_state(self, state):
        self.count = int(state["count"])
        self.first = [state[f"a{i}"] for i in range(len(self.names))]
        self.second = [state[f"b{i}"] for i in range(len(self.names))]


class NumpyModel(NetModel):
    """The adapter of this framework."""

    framework = NumpyNet
