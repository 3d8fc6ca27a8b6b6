"""Adapters: a folder for each family of frameworks. `wrap` puts the right one around a native model.

The names are loaded on first use: no framework is imported before one of its models is used.
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
    from incumbent.models.exact._features import predict as predict
    from incumbent.models.exact._features import predict_and_cache as predict_and_cache
    from incumbent.models.exact._fit import fit_exact_head as fit_exact_head
    from incumbent.models.exact._head import Head as Head
    from incumbent.models.exact._update import add_rows as add_rows
    from incumbent.models.exact._update import forget as forget
    from incumbent.models.exact._update import head_statistics as head_statistics
    from incumbent.models.exact._update import update_statistics as update_statistics
    from incumbent.models.files._open import open_model as open_model
    from incumbent.models.finish._blend import Blend as Blend
    from incumbent.models.finish._fit_challenger import fit_challenger as fit_challenger

_HOME = {
    "Blend": "finish._blend",
    "Framework": "_framework",
    "Head": "exact._head",
    "ModelFile": "_framework",
    "add_rows": "exact._update",
    "fit_challenger": "finish._fit_challenger",
    "fit_exact_head": "exact._fit",
    "forget": "exact._update",
    "head_statistics": "exact._update",
    "load": "_wrap",
    "open_model": "files._open",
    "predict": "exact._features",
    "predict_and_cache": "exact._features",
    "save": "_wrap",
    "update_statistics": "exact._update",
    "wrap": "_wrap",
}

__all__ = [
    "Blend",
    "Framework",
    "Head",
    "ModelFile",
    "add_rows",
    "fit_challenger",
    "fit_exact_head",
    "forget",
    "head_statistics",
    "load",
    "open_model",
    "predict",
    "predict_and_cache",
    "save",
    "update_statistics",
    "wrap",
]

_get, __dir__ = on_demand(__name__, _HOME)

_MOVED = {
    "absorb": "update_statistics",
    "carry": "incumbent.memory.accumulate_importance",
    "extended": "add_rows",
    "follow": "fit_challenger",
    "passed": "predict_and_cache",
    "recalled": "incumbent.memory.stored_logits",
}
__getattr__ = deprecated_names(__name__, _MOVED, _get)
