"""Every strategy keeps every promise of a strategy."""

import pytest

from incumbent.strategies import PRESETS, catalogue, parse
from incumbent.testing import check_strategy


@pytest.mark.parametrize("name", catalogue())
def test_it_keeps_its_promises(name):
    check_strategy(catalogue()[name]())


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_keeps_them_too(preset):
    check_strategy(parse(preset))
