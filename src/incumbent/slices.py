"""The old place of `incumbent.gate.slices`, kept for one release."""

from incumbent._deprecated import moved_names

__getattr__ = moved_names(__name__, "incumbent.gate.slices")
