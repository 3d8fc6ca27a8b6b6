"""The old place of `incumbent.gate.slices`, kept for one release."""

from incumbent._deprecated import deprecated_names

_NAMES = "Confirmed Slice confirm find judge losses step_up unharmed"

__getattr__ = deprecated_names(__name__, {name: f"incumbent.gate.slices.{name}" for name in _NAMES.split()})
