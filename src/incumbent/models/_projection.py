"""The old place of `RandomReLU`, which models stored by version 0.1 name."""

from incumbent.models.exact._projection import RandomReLU as RandomReLU

__all__ = ["RandomReLU"]
