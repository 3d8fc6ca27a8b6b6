"""Every scikit-learn estimator keeps every promise of an adapter."""

import pytest
from natives import MODELS, made, one_in

from incumbent.testing import check_model


@pytest.mark.parametrize("name", one_in(4, MODELS))
def test_it_keeps_its_promises(name):
    native, rows = made(name)
    check_model(native, rows)
