"""The old place of `incumbent.metrics` and `incumbent.evidence`, kept for one release."""

from incumbent._deprecated import moved_names

__getattr__ = moved_names(__name__, "incumbent.metrics", "incumbent.evidence")
