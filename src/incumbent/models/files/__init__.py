"""Open model files: what is in them, whether that may run, and the stored form of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incumbent._on_demand import on_demand

if TYPE_CHECKING:
    from incumbent.models.files._open import open_model as open_model
    from incumbent.models.files._pickles import names_in as names_in
    from incumbent.models.files._safe import load_native as load_native
    from incumbent.models.files._safe import load_skops as load_skops
    from incumbent.models.files._safe import save_native as save_native

_HOME = {"open_model": "_open", "names_in": "_pickles"} | dict.fromkeys(
    ("load_native", "load_skops", "save_native"), "_safe"
)

__all__ = sorted(_HOME)

__getattr__, __dir__ = on_demand(__name__, _HOME)
