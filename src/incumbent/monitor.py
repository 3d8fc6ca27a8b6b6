"""The old place of `incumbent.evidence.live`, kept for one release."""

from incumbent._deprecated import deprecated_names

_NAMES = "Line LineMonitor LoggedLosses Monitor Tally from_log"

__getattr__ = deprecated_names(__name__, {name: f"incumbent.evidence.live.{name}" for name in _NAMES.split()})
