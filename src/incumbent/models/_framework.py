"""What the folder of a framework brings, and the table that finds it. No other file of this package names a framework.

To add a framework, write its folder and a line in `_TABLE`, or in another package an entry point in the group
``incumbent.models``. Both name an adapter (``"package.module:Class"``, with `handles` in the same module) or a
`Framework`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from incumbent.core import Model
from incumbent.errors import MissingDependency

# In order of search, after the entry points: the more specific one first, because a Keras model can be a torch module.
_TABLE = {
    "blend": "incumbent.models.finish._blend:BlendModel",
    "torch": "incumbent.models.torch._framework:FRAMEWORK",
    "lightgbm": "incumbent.models.lightgbm._framework:FRAMEWORK",
    "xgboost": "incumbent.models.xgboost._framework:FRAMEWORK",
    "tables": "incumbent.models.tables._framework:FRAMEWORK",
}


@dataclass(frozen=True)
class ModelFile:
    """A file that may hold a model, and how to open it.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        Its name in messages.
    head : bytes
        Its first bytes, 4,096 or fewer.
    trust_pickle : bool
        Whether code that the file names may run.
    factory : callable or "package.module:name", optional
        Builds the model whose weights the file holds.
    arguments : mapping
        What the factory is called with.
    model_class : str
        The class of the model, if a description in the same folder names it.
    """

    path: Path
    name: str
    head: bytes
    trust_pickle: bool = False
    factory: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    model_class: str = ""


def _call(adapter: Any, native: Any, **options: Any) -> Model:
    made: Model = adapter(native, **options)
    return made


@dataclass(frozen=True, kw_only=True)
class Framework:
    """A framework: what it handles, which files it opens, and how to install it.

    Parameters
    ----------
    adapters : mapping of str to str
        ``"package.module:Class"`` of each adapter, by the key under which models are stored. The module has a function
        ``handles(native) -> bool`` too. The first adapter that handles a model gets it.
    models : str
        Its models, for messages, such as "LightGBM models and boosters".
    package : str, optional
        The package to import. As long as it is not imported, no model can belong to this framework.
    extra : str, optional
        What installs the package: ``pip install 'incumbent[extra]'``.
    options : tuple of str
        Arguments of `wrap` that its adapters take.
    wrap : callable
        ``(adapter class, native, **options) -> Model``; by default it calls the class.
    files : tuple of str
        The kinds of files that it opens, for messages.
    opens : callable
        Whether it opens a `ModelFile`, by the first bytes or the suffix.
    open : callable, optional
        Opens a `ModelFile` and returns the native model. It runs no code that the file names unless
        `ModelFile.trust_pickle` is set.
    mlflow : (str, str), optional
        MLflow's flavor for its models, and the key of that flavor which names the model file.
    safe_parts : tuple of str
        Prefixes of types, beyond its estimators, that a skops file may hold without `trust_pickle`.
    """

    adapters: Mapping[str, str]
    models: str
    package: str | None = None
    extra: str | None = None
    options: tuple[str, ...] = ()
    wrap: Callable[..., Model] = _call
    files: tuple[str, ...] = ()
    opens: Callable[[ModelFile], bool] = lambda file: False
    open: Callable[[ModelFile], Any] | None = None
    mlflow: tuple[str, str] | None = None
    safe_parts: tuple[str, ...] = ()

    def find_adapter(self, native: Any) -> Any | None:
        """Return the adapter class for a native model; None if it is not of this framework."""
        if self.package is not None and self.package not in sys.modules:
            return None
        homes = (path.partition(":") for path in self.adapters.values())
        return next((_read(module, name) for module, _, name in homes if _read(module, "handles")(native)), None)

    def load_adapter(self, key: str) -> Any:
        """Return the adapter class for models stored under a key, or raise `MissingDependency`."""
        self.require(f"A stored model of the kind {key!r}")
        module, _, name = self.adapters[key].partition(":")
        return _read(module, name)

    def require(self, what: str) -> Any:
        """Import the package; if it is not installed, raise `MissingDependency`, which names `what` needs it."""
        if self.package is None:
            return None
        try:
            return import_module(self.package)
        except ImportError as error:
            wanted = self.package if self.extra is None else f"'incumbent[{self.extra}]'"
            raise MissingDependency(f"{what} needs {self.package}. Install it with: pip install {wanted}") from error


def _read(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


@cache
def frameworks() -> tuple[Framework, ...]:
    """Return every framework: those of other packages first, as they may be more specific."""
    outside = {point.name: point.value for point in entry_points(group="incumbent.models")}
    return tuple(_framework(name, path) for name, path in ({**outside, **_TABLE}).items())


def is_built_in(key: str) -> bool:
    """Return whether a stored model has an adapter of Incumbent itself."""
    return any(key in _framework(name, path).adapters for name, path in _TABLE.items())


def _framework(name: str, path: str) -> Framework:
    module, _, member = path.partition(":")
    found = _read(module, member)
    return found if isinstance(found, Framework) else Framework(adapters={name: path}, models=f"models of {name}")
