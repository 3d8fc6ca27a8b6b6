from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from incumbent import Gate, Registry
from rows import OLD, fitted, points


@pytest.fixture
def registry(shared_store) -> Registry:
    return Registry(shared_store)


@pytest.fixture
def brought_in(registry, name) -> Callable[..., str]:
    """Bring in a model under a name of this test: it learned from too few rows, so that updates can promote."""

    def make(live: Any = None, **options: Any) -> str:
        past = points(200, OLD, seed=3)
        native = fitted(LogisticRegression(), past[:12]) if live is None else live
        registry.init(name, native, past, **{"target": "label", "gate": Gate(tolerance=None), **options})
        return name

    return make
