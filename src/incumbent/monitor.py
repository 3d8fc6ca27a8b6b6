"""The old place of `incumbent.evidence.live`, kept for one release."""

from incumbent._deprecated import deprecated_names

_HOME = {
    "Line": "incumbent.evidence.live.PrequentialTally",
    "LineMonitor": "incumbent.evidence.live.PrequentialMonitor",
    "LoggedLosses": "incumbent.evidence.live.LoggedLosses",
    "Monitor": "incumbent.evidence.live.Monitor",
    "Tally": "incumbent.evidence.live.EProcess",
    "from_log": "incumbent.evidence.live.from_log",
}

__getattr__ = deprecated_names(__name__, _HOME)
