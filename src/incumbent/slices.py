"""The old place of `incumbent.gate.slices`, kept for one release."""

from incumbent._deprecated import deprecated_names

_HOME = {
    "Confirmed": "incumbent.gate.slices.Confirmed",
    "Slice": "incumbent.gate.slices.Slice",
    "confirm": "incumbent.gate.slices.confirm_slices",
    "find": "incumbent.gate.slices.find_slices",
    "judge": "incumbent.gate.slices.check_slices",
    "losses": "incumbent.gate.slices.losses",
    "step_up": "incumbent.gate.slices.benjamini_hochberg",
    "unharmed": "incumbent.gate.slices.no_slice_worse",
}

__getattr__ = deprecated_names(__name__, _HOME)
