"""Reverse-mode gradients in NumPy: just the operations that nets of the tests need."""

from __future__ import annotations

import numpy as np

from incumbent.models.nets import Ops


class Var:
    """An array that remembers what it was computed from."""

    __array_ufunc__ = None  # so that array * Var is computed here

    def __init__(self, value, parents=()):
        self.value, self.parents, self.grad = np.asarray(value), parents, None

    shape = property(lambda self: self.value.shape)

    def __len__(self):
        return len(self.value)

    def __float__(self):
        return float(self.value)

    def __add__(self, other):
        return Var(self.value + of(other), [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        return Var(self.value * of(other), [(self, lambda g: g * of(other)), (other, lambda g: g * self.value)])

    def __truediv__(self, other):
        return Var(
            self.value / of(other),
            [(self, lambda g: g / of(other)), (other, lambda g: -g * self.value / of(other) ** 2)],
        )

    def __matmul__(self, other):
        return Var(self.value @ of(other), [(self, lambda g: g @ of(other).T), (other, lambda g: self.value.T @ g)])

    def __rmatmul__(self, other):
        return Var(other @ self.value, [(self, lambda g: other.T @ g)])

    def __getitem__(self, at):
        def back(g):
            full = np.zeros_like(self.value)
            np.add.at(full, at, g)
            return full

        return Var(self.value[at], [(self, back)])

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + other * -1.0

    def __rsub__(self, other):
        return self * -1.0 + other

    __radd__, __rmul__ = __add__, __mul__

    def reshape(self, *shape):
        return Var(self.value.reshape(*shape), [(self, lambda g: g.reshape(self.value.shape))])

    def backward(self):
        """Add the gradient of this number to every array that it was computed from."""
        order, seen = [], set()

        def visit(var):
            if id(var) not in seen:
                seen.add(id(var))
                for parent, _ in var.parents:
                    if isinstance(parent, Var):
                        visit(parent)
                order.append(var)

        visit(self)
        self.grad = np.ones_like(self.value)
        for var in reversed(order):
            for parent, back in var.parents:
                if isinstance(parent, Var):
                    g = summed_to(back(var.grad), parent.value.shape)
                    parent.grad = g if parent.grad is None else parent.grad + g


def of(x):
    """Return the numbers of an array or Var."""
    return x.value if isinstance(x, Var) else x


def summed_to(g, shape):
    """Return a gradient in the shape of what was broadcast."""
    g = np.asarray(g)
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def elementwise(x, value, slope):
    """Return a function of each number, with its derivative; an array stays an array."""
    return Var(value, [(x, lambda g: g * slope)]) if isinstance(x, Var) else value


def relu(x):
    return elementwise(x, np.maximum(of(x), 0), of(x) > 0)


class NumpyOps(Ops):
    """The operations of `incumbent.models.nets.Ops`, in double precision."""

    def asarray(self, x):
        x = np.asarray(x)
        return x.astype(np.float64) if x.dtype.kind == "f" else x

    def numpy(self, x):
        return of(x)

    def concat(self, parts):
        return np.concatenate(parts)

    def mean(self, x, axis=None):
        value = of(x).mean(axis=axis)
        if not isinstance(x, Var):
            return value
        shape, count = x.shape, x.value.size / max(1, value.size)
        return Var(
            value,
            [(x, lambda g: np.broadcast_to(g if axis is None else np.expand_dims(g, axis), shape) / count)],
        )

    def log_softmax(self, z):
        top = of(z) - of(z).max(axis=-1, keepdims=True)
        value = top - np.log(np.exp(top).sum(axis=-1, keepdims=True))
        if not isinstance(z, Var):
            return value
        return Var(value, [(z, lambda g: g - np.exp(value) * g.sum(axis=-1, keepdims=True))])

    def softplus(self, z):
        return elementwise(z, np.logaddexp(0, of(z)), 1 / (1 + np.exp(-of(z))))

    def log(self, x):
        return elementwise(x, np.log(of(x)), 1 / of(x))

    def clip(self, x, low, high):
        return elementwise(x, np.clip(of(x), low, high), (of(x) >= low) & (of(x) <= high))
