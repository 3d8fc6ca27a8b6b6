"""Open the model that a user has: recognise the kind of file by its content, and run no code without permission."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from incumbent.errors import ModelError, TrustError, UsageError
from incumbent.models._framework import ModelFile, frameworks
from incumbent.models.files._harmless import is_harmless
from incumbent.models.files._mlflow import fetched, find_model_file, is_mlflow
from incumbent.models.files._pickle_files import LEAVE, is_pickle, load_pickle, shorten
from incumbent.models.files._safe import load_skops, unknown_types
from incumbent.words import joined

_OTHERS = {
    b"PAR1": "a Parquet table",
    b"ARROW1": "an Arrow table",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file (Keras models are not supported yet)",
    b"SQLite": "a database",
    b"%PDF": "a PDF",
}


def open_model(
    source: str | Path,
    *,
    trust_pickle: bool = False,
    factory: Any = None,
    arguments: Mapping[str, Any] | None = None,
) -> Any:
    """Open a model file, or a model in an MLflow registry, and return the native model in it.

    Parameters
    ----------
    source : str or Path
        A skops file; a joblib, pickle or cloudpickle file, compressed or not; a file of a framework, such as a LightGBM
        text file, an XGBoost JSON or UBJSON file, or a safetensors file with the weights of a net; a folder that MLflow
        wrote; ``models:/NAME@alias``, ``models:/NAME/3`` or ``runs:/ID/path``.
    trust_pickle : bool
        Whether code that the file names may run. A pickle is a program, so this is off unless you trust its author.
    factory : callable or "package.module:name", optional
        Builds the net whose weights the file holds.
    arguments : mapping, optional
        What the factory is called with.

    Returns
    -------
    object
        The native model.

    Raises
    ------
    TrustError
        Opening the file would run code from it, and `trust_pickle` is off. The message lists what it would load.
    ModelError
        There is no such file, it is not a model, or it cannot be read here.
    MissingDependency
        The framework of the model is not installed.

    Examples
    --------
    >>> import tempfile, joblib
    >>> from sklearn.linear_model import Ridge
    >>> path = tempfile.mkdtemp() + "/model.joblib"
    >>> _ = joblib.dump(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), path)
    >>> open_model(path, trust_pickle=True)
    Ridge()
    """
    file = ModelFile(Path(source), str(source), b"", trust_pickle, factory, arguments or {})
    if isinstance(source, str) and is_mlflow(source):
        with fetched(source) as path:
            return _open_path(replace(file, path=path))
    if not file.path.exists():
        raise ModelError(f"There is no file {source}; expected {_expected()}.")
    return _open_path(file)


def _open_path(file: ModelFile) -> Any:
    if file.path.is_dir():
        if not (file.path / "MLmodel").is_file():
            raise ModelError(f"{file.name} is a folder; expected {_expected()}.")
        file = find_model_file(file)
    try:
        with file.path.open("rb") as held:
            file = replace(file, head=held.read(4096))
    except OSError as error:
        raise ModelError(f"{file.name} cannot be read: {error.strerror}.") from error
    if not file.head:
        raise ModelError(f"{file.name} is empty; expected {_expected()}.")
    framework = next((one for one in frameworks() if one.open is not None and one.opens(file)), None)
    if file.factory is not None and (framework is None or "factory" not in framework.options):
        raise UsageError(f"factory= builds the net for a file of weights, and {file.name} holds something else.")
    if framework is not None and framework.open is not None:
        return framework.open(file)
    return _check_predicts(_open_general(file), file.name)


def _open_general(file: ModelFile) -> Any:
    """Open a file of no framework in particular: skops or a pickle."""
    if file.head[:4] == b"PK\x03\x04":
        return _open_zip(file)
    if is_pickle(file.path, file.head):
        return load_pickle(file.path, file.name, trust_pickle=file.trust_pickle)
    kind = next((kind for magic, kind in _OTHERS.items() if file.head.startswith(magic)), "no known kind of model file")
    raise ModelError(f"{file.name} is {kind}; expected {_expected()}.")


def _open_zip(file: ModelFile) -> Any:
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ModelError(f"{file.name} is damaged: {error}.") from error
    if "schema.json" in members:
        return _open_skops(file)
    if "config.json" in members and "metadata.json" in members:
        raise ModelError(f"{file.name} is a Keras file, which is not supported yet; expected {_expected()}.")
    raise ModelError(f"{file.name} is a zip archive without a model in it; expected {_expected()}.")


def _open_skops(file: ModelFile) -> Any:
    unknown = unknown_types(file.path)
    foreign = [] if file.trust_pickle else [kind for kind in unknown if not is_harmless(kind)]
    if foreign:
        raise TrustError(
            f"{file.name} holds types that are not known to be harmless: {shorten(foreign)}. "
            f"If you trust its author, {LEAVE}."
        )
    return load_skops(file.path, trusted=unknown)


def _check_predicts(native: Any, name: str) -> Any:
    if callable(getattr(native, "predict", None)):
        return native
    kind = type(native).__name__
    parts = f" with the keys {', '.join(map(repr, list(native)[:5]))}" if isinstance(native, dict) else ""
    advice = "Save the model itself into the file" if isinstance(native, dict | list | tuple) else "Save a fitted model"
    raise ModelError(f"{name} holds a {kind}{parts}, which cannot predict. {advice}.")


def _expected() -> str:
    kinds = ["skops", "joblib", "pickle", *(kind for framework in frameworks() for kind in framework.files)]
    return f"a {joined(kinds, 'or')} file, or models:/NAME@alias of an MLflow registry"
