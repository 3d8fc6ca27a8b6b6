"""The adapter for PyTorch: what `incumbent.models.nets` needs of the framework, and how its files are opened.

The names are loaded on first use, so that asking whether a model is a PyTorch module does not import PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.models.torch._analytic import exact_layer as exact_layer
    from incumbent.models.torch._images import explain_images as explain_images
    from incumbent.models.torch._images import first_convolution as first_convolution
    from incumbent.models.torch._layers import features_of as features_of
    from incumbent.models.torch._model import TorchModel as TorchModel
    from incumbent.models.torch._net import TorchNet as TorchNet
    from incumbent.models.torch._ops import TorchOps as TorchOps

_HOME = {
    "TorchModel": "_model",
    "TorchNet": "_net",
    "TorchOps": "_ops",
    "exact_layer": "_analytic",
    "explain_images": "_images",
    "features_of": "_layers",
    "first_convolution": "_images",
}

__all__ = ["TorchModel", "TorchNet", "TorchOps", "exact_layer", "explain_images", "features_of", "first_convolution"]

__getattr__, __dir__ = on_demand(__name__, _HOME)
