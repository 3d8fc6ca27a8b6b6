"""Adapters: a folder for each family of frameworks. `wrap` puts the right one around a native model.

The names are loaded on first use: no framework is imported before a model of it is in hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._deprecated import deprecated_names
from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.models._framework import Framework as Framework
    from incumbent.models._framework import ModelFile as ModelFile
    from incumbent.models._wrap import load as load
    from incumbent.models._wrap import save as save
    from incumbent.models._wrap import wrap as wrap
    from incumbent.models.exact._features import passed as passed
    from incumbent.models.exact._features import predict as predict
    from incumbent.models.exact._learned import absorb as absorb
    from incumbent.models.exact._learned import extended as extended
    from incumbent.models.exact._learned import forget as forget
    from incumbent.models.files._open import open_model as open_model
    from incumbent.models.finish._blend import Blend as Blend
    from incumbent.models.finish._fit_challenger import fit_challenger as fit_challenger

_HOME = {
    "Blend": "finish._blend",
    "Framework": "_framework",
    "ModelFile": "_framework",
    "absorb": "exact._learned",
    "extended": "exact._learned",
    "fit_challenger": "finish._fit_challenger",
    "forget": "exact._learned",
    "load": "_wrap",
    "open_model": "files._open",
    "passed": "exact._features",
    "predict": "exact._features",
    "save": "_wrap",
    "wrap": "_wrap",
}

__all__ = [
    "Blend",
    "Framework",
    "ModelFile",
    "absorb",
    "extended",
    "fit_challenger",
    "forget",
    "load",
    "open_model",
    "passed",
    "predict",
    "save",
    "wrap",
]

_get, __dir__ = on_demand(__name__, _HOME)

_MOVED = {
    "carry": "incumbent.memory.accumulate_importance",
    "follow": "fit_challenger",
    "recalled": "incumbent.memory.stored_logits",
}
__getattr__ = deprecated_names(__name__, _MOVED, _get)
