"""Every strategy keeps every promise of a strategy."""

import pytest
from natives import one_in

from incumbent.strategies import PRESETS, catalogue, parse
from incumbent.testing import check_strategy


@pytest.mark.parametrize("name", one_in(4, catalogue()))
def test_it_keeps_its_promises(name):
    check_strategy(catalogue()[name]())


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_keeps_them_too(preset):
    check_strategy(parse(preset))
