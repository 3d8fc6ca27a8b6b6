"""Store models as skops files, which run no code when they are read, with a list of the types that they may hold.

skops refuses types that it does not know. Those that a model needs are listed when the object, which the user already
has, is stored. Reading trusts these and nothing else.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
import types
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from incumbent.errors import ModelError, TrustError
from incumbent.models._framework import frameworks

_FORMAT = 1


def save_native(native: Any, path: Path) -> None:
    """Write an estimator as a skops file, and the types that must be trusted to read it as ``.json`` next to it.

    The file is read back and compared part by part, so that a model that cannot be stored exactly is refused now.

    Raises
    ------
    ModelError
        The model holds a lambda, a function or class that is local or of ``__main__``, or something that skops cannot
        store exactly.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import Ridge
    >>> path = Path(tempfile.mkdtemp()) / "model.skops"
    >>> save_native(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), path)
    >>> load_native(path).predict([[2.0]]).round(3).tolist()
    [1.0]
    """
    _check_names(native)
    io_ = skops_io()
    try:
        data = io_.dumps(native)
        trusted = io_.get_untrusted_types(data=data)
        with _quiet():
            again = io_.dumps(io_.loads(data, trusted=trusted))
    except Exception as error:  # skops runs the estimator's own code, which can raise anything
        raise _cannot_store(native, str(error).split("\n")[0]) from error
    difference = _first_difference(data, again)
    if difference:
        raise _cannot_store(native, f"{difference} comes back changed")
    path.write_bytes(data)
    manifest = {"format": _FORMAT, "trusted": trusted, "versions": _installed()}
    _manifest_of(path).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def load_native(path: Path) -> Any:
    """Read what `save_native` wrote, with the types in the list next to it."""
    return load_skops(path, trusted=_read_manifest(path))


def load_skops(path: Path, *, trusted: Sequence[str]) -> Any:
    """Read any skops file.

    Raises
    ------
    TrustError
        It holds a type that skops does not know and `trusted` does not name.
    ModelError
        It is missing or damaged, or a type in it is not installed here.
    """
    io_ = skops_io()
    try:
        with one_version_warning(path):
            return io_.load(path, trusted=list(trusted))
    except io_.exceptions.UntrustedTypesFoundException as error:
        foreign = sorted(set(unknown_types(path)) - set(trusted))
        raise TrustError(f"{path} holds {', '.join(foreign)}, which may not be loaded.") from error
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}.") from error
    except ImportError as error:
        raise ModelError(f"{path} needs the module {error.name!r}, which is not installed here.") from error
    except Exception as error:  # rebuilding objects runs the libraries' own code, which can raise anything
        raise ModelError(f"{path} cannot be read as a model: {str(error).splitlines()[0]}") from error


def unknown_types(path: Path) -> list[str]:
    """Return the types in a skops file that skops does not trust by itself."""
    try:
        return list(skops_io().get_untrusted_types(file=path))
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}.") from error
    except Exception as error:  # a damaged file fails in many ways: zip, JSON, missing keys
        raise ModelError(f"{path} is damaged or no skops file: {error}") from error


def skops_io() -> Any:
    """Import ``skops.io`` without torch, cupy and dask, which scikit-learn wraps: if installed, they cost seconds."""
    if "skops.io" not in sys.modules:
        wrappers = [f"sklearn.externals.array_api_compat.{name}" for name in ("torch", "cupy", "dask")]
        hidden = [name for name in wrappers if name not in sys.modules]
        for name in hidden:
            # None makes the import fail as if it were not installed
            sys.modules[name] = None  # type: ignore[assignment]  # documented for sys.modules, unknown to typeshed
        try:
            import skops.io.exceptions
        finally:
            for name in hidden:
                del sys.modules[name]
    import skops.io.exceptions

    return skops.io


@contextmanager
def one_version_warning(source: object) -> Iterator[None]:
    """Turn scikit-learn's warnings about other versions, one per estimator, into one warning about the file."""
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    old = [w.message for w in caught if isinstance(w.message, InconsistentVersionWarning)]
    for other in caught:
        if not isinstance(other.message, InconsistentVersionWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if old:
        first = old[0]
        warnings.warn(
            f"{source} was made with scikit-learn {first.original_sklearn_version} and is read with "
            f"{first.current_sklearn_version}: compare its predictions with known ones before you rely on it.",
            UserWarning,
            stacklevel=3,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the object exists in this process already
        yield


def _check_names(native: Any) -> None:
    strays: list[str] = []

    class Names(pickle.Pickler):
        """A pickler that only visits every function and class of the object."""

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, type | types.FunctionType) and (
                obj.__module__ == "__main__" or "<" in obj.__qualname__ or "." in obj.__qualname__
            ):
                strays.append(f"{obj.__module__}.{obj.__qualname__}")
            return NotImplemented

    try:
        Names(_Nowhere(), protocol=5).dump(native)
    except Exception as error:  # pickling runs the estimator's own code, which can raise anything
        if not strays:
            raise _cannot_store(native, str(error).split("\n")[0]) from error
    if strays:
        raise ModelError(
            f"{type(native).__name__} holds {', '.join(sorted(set(strays))[:5])}, which cannot be stored by name. "
            "Define it at the top of a module that can be imported (mymodels.py), and build the model from there."
        )


class _Nowhere(io.RawIOBase):
    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes  # large arrays come as buffers, which have no length


def _cannot_store(native: Any, why: str) -> ModelError:
    return ModelError(
        f"{type(native).__name__} cannot be stored in a format that runs no code when it is read: {why}. Replace that "
        "part, or keep the model in memory with incumbent.update(model, ...)."
    )


def _manifest_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_manifest(path: Path) -> list[str]:
    try:
        manifest = json.loads(_manifest_of(path).read_text(encoding="utf-8"))
        if manifest["format"] > _FORMAT:
            raise ModelError(f"{path} was written by a newer version of Incumbent: pip install --upgrade incumbent")
        return [str(name) for name in manifest["trusted"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The list of types of {path} cannot be read: {error}") from error


def _installed() -> dict[str, str]:
    found = {}
    packages = [framework.package for framework in frameworks() if framework.package in sys.modules]
    for name in ("scikit-learn", "skops", "numpy", *map(str, packages)):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _first_difference(data: bytes, again: bytes) -> str:
    """Return the path of the first part that differs between two skops files; empty if there is none."""
    with zipfile.ZipFile(io.BytesIO(data)) as one, zipfile.ZipFile(io.BytesIO(again)) as two:
        trail = _differing(json.loads(one.read("schema.json")), json.loads(two.read("schema.json")), one, two)
    return "" if trail is None else ".".join(p for p in trail if p not in ("content", "key_types")) or "it"


def _differing(a: Any, b: Any, one: zipfile.ZipFile, two: zipfile.ZipFile) -> list[str] | None:
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return []
        for key in a.keys() - {"__id__"}:  # identities and names of files differ between two writings
            if key == "file" and isinstance(a[key], str):
                trail: list[str] | None = None if _same_file(a[key], b[key], one, two) else []
            else:
                trail = _differing(a[key], b[key], one, two)
            if trail is not None:
                return [str(key), *trail]
        return None
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = (_differing(x, y, one, two) for x, y in zip(a, b, strict=True))
        return next((trail for trail in pairs if trail is not None), None)
    return None if a == b else []


def _same_file(a: str, b: str, one: zipfile.ZipFile, two: zipfile.ZipFile) -> bool:
    if one.getinfo(a).CRC == two.getinfo(b).CRC or not a.endswith(".npy"):
        return one.getinfo(a).CRC == two.getinfo(b).CRC
    # the bytes between the fields of a tree's nodes mean nothing
    x, y = (np.load(io.BytesIO(file.read(name)), allow_pickle=False) for file, name in ((one, a), (two, b)))
    if x.dtype.names is None or x.dtype != y.dtype or x.shape != y.shape:
        return False
    return all(np.array_equal(x[name], y[name], equal_nan=True) for name in x.dtype.names)
