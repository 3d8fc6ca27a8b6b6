"""Nets of every kind keep every promise of an adapter, and follow every strategy."""

import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

import nets  # noqa: E402  # needs torch
from incumbent.core import Memory, Recipe  # noqa: E402
from incumbent.models import wrap  # noqa: E402
from incumbent.strategies import (  # noqa: E402
    EWC,
    GDumb,
    Incremental,
    Interpolate,
    Online,
    Replay,
    Retrain,
    Stack,
    Vote,
    Weighted,
    catalogue,
    chain,
)
from incumbent.testing import check_model, check_strategy  # noqa: E402

SHORT = Incremental(lr=0.01, epochs=1)
SHARED = [
    Replay(100),
    chain(Replay(100), SHORT),
    chain(EWC(1.0), SHORT),
    chain(SHORT, Interpolate("auto")),
    chain(SHORT, Vote()),
    chain(SHORT, Weighted()),
    chain(SHORT, Stack()),
    Online("sgd", lr=0.01),
]


def short(strategy):
    """The same strategy with one epoch at a given rate, unless it says these itself."""
    said = strategy.prepare(Recipe(), Memory())
    if said.structure.start == "scratch" or said.optimizer != Recipe().optimizer:
        return strategy
    return chain(strategy, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("kind", nets.CASES)
def test_it_keeps_its_promises_with_what_all_models_share(kind):
    net, rows = nets.made(kind)
    check_model(net, rows, strategies=SHARED)


@pytest.mark.slow
@pytest.mark.parametrize("kind", nets.CASES)
def test_it_follows_every_strategy(kind):
    net, rows = nets.made(kind)
    own = [name for name in catalogue() if name not in ("Tune", "AppendTrees", "Analytic")]
    check_model(net, rows, strategies=[short(catalogue()[name]()) for name in own])


@pytest.mark.slow
def test_learning_from_scratch_keeps_them_too():
    net, rows = nets.made("MLP")
    check_model(net, rows, strategies=[Retrain(), GDumb(100)])


def test_strategies_are_tried_on_a_net():
    net, _ = nets.made("MLP")
    for name, kind in catalogue().items():
        if name not in ("Tune", "AppendTrees"):
            check_strategy(kind(), [wrap(net)])
