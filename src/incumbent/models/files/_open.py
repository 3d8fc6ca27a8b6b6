"""Open the model that a user has: find out what kind of file it is from its content, and run no code without leave."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from incumbent.errors import MissingDependency, ModelError, TrustError, UsageError
from incumbent.models.files._harmless import is_harmless
from incumbent.models.files._pickles import names_in
from incumbent.models.files._safe import load_skops, one_version_warning, unknown_types

_MLFLOW = ("models:/", "runs:/")
_LEAVE = "pass --trust-pickle (in Python: trust_pickle=True)"
_KINDS = (
    "a skops, joblib, pickle, LightGBM, XGBoost, safetensors or PyTorch file, or models:/NAME@alias of an MLflow "
    "registry"
)
# Libraries whose names in a pickle are expected; a reader wants to see the others first.
_FAMILIAR = ("sklearn.", "numpy.", "scipy.", "pandas.", "lightgbm.", "xgboost.", "joblib.", "collections.", "copyreg.")
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
        A skops file; a joblib, pickle or cloudpickle file, compressed or not; a LightGBM text file; an XGBoost JSON or
        UBJSON file; a safetensors file or a PyTorch `state_dict` with the weights of a net; a folder that MLflow wrote;
        ``models:/NAME@alias``, ``models:/NAME/3`` or ``runs:/ID/path``.
    trust_pickle : bool
        Whether code that the file names may run. A pickle is a program, so this is off unless you know who made it.
    factory : callable or "package.module:name", optional
        What builds the net whose weights the file holds.
    arguments : mapping, optional
        What it is called with.

    Returns
    -------
    object
        The model as its own framework knows it.

    Raises
    ------
    TrustError
        Opening the file would run code from it, and `trust_pickle` is off; the message lists what it would load.
    ModelError
        There is no such file, it is no model, or it cannot be read here.
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
    if isinstance(source, str) and source.startswith(_MLFLOW):
        return _from_mlflow(source, trust_pickle=trust_pickle)
    path = Path(source)
    if path.is_dir():
        if (path / "MLmodel").is_file():
            return _from_mlflow_folder(path, str(source), trust_pickle=trust_pickle)
        raise ModelError(f"{source} is a folder; expected {_KINDS}.")
    if not path.exists():
        raise ModelError(f"There is no file {source}; expected {_KINDS}.")
    if _holds_weights(path):
        return _net(path, str(source), factory, arguments or {}, trust_pickle=trust_pickle)
    if factory is not None:
        raise UsageError(f"factory= builds the net for a file of weights, and {source} holds something else.")
    return _checked(_from_file(path, str(source), trust_pickle=trust_pickle), str(source))


def _holds_weights(path: Path) -> bool:
    """Whether a file is one of safetensors (a length, then JSON) or of PyTorch (a zip archive around a pickle)."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    if len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return True
    if head[:4] != b"PK\x03\x04" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(member.endswith("data.pkl") for member in archive.namelist())


def _net(path: Path, name: str, factory: Any, arguments: Mapping[str, Any], *, trust_pickle: bool) -> Any:
    try:
        import torch  # noqa: F401  # whether it is there is asked here, for a sentence that says what to install
    except ImportError as error:
        raise MissingDependency(
            f"Opening {name} needs torch. Install it with: pip install 'incumbent[torch]'"
        ) from error
    from incumbent.models.torch._open import open_net

    return open_net(path, name, factory=factory, arguments=arguments, trust_pickle=trust_pickle)


def _from_file(path: Path, name: str, *, trust_pickle: bool) -> Any:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ModelError(f"{name} cannot be read: {error.strerror}.") from error
    if not head:
        raise ModelError(f"{name} is empty; expected {_KINDS}.")
    if head[:4] == b"PK\x03\x04":
        return _from_zip(path, name, trust_pickle=trust_pickle)
    if head[:5] in (b"tree\n", b"tree\r"):
        return _lightgbm(path, name)
    if (head.lstrip()[:1] == b"{" and b'"learner"' in head) or (head[:1] == b"{" and b"learner" in head[:64]):
        return _xgboost(path, name)
    if head[:4] == b"binf" or (path.suffix == ".xgb" and head[:1] != b"\x80"):
        return _xgboost(path, name)
    if _is_pickle(path, head):
        return _from_pickle(path, name, trust_pickle=trust_pickle)
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), "no model file that is known here")
    raise ModelError(f"{name} is {kind}; expected {_KINDS}.")


def _checked(native: Any, name: str) -> Any:
    if callable(getattr(native, "predict", None)):
        return native
    kind = type(native).__name__
    parts = f" with the keys {', '.join(map(repr, list(native)[:5]))}" if isinstance(native, dict) else ""
    advice = "Save the model itself into the file" if isinstance(native, dict | list | tuple) else "Save a fitted model"
    raise ModelError(f"{name} holds a {kind}{parts}, and no model that can predict. {advice}.")


# ----------------------------------------------------------------------------------------------------- skops


def _from_zip(path: Path, name: str, *, trust_pickle: bool) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ModelError(f"{name} is damaged: {error}.") from error
    if "schema.json" in members:
        return _from_skops(path, name, trust_pickle=trust_pickle)
    if "config.json" in members and "metadata.json" in members:
        raise ModelError(f"{name} is a Keras file, which is not supported yet; expected {_KINDS}.")
    raise ModelError(f"{name} is a zip archive without a model in it; expected {_KINDS}.")


def _from_skops(path: Path, name: str, *, trust_pickle: bool) -> Any:
    unknown = unknown_types(path)
    foreign = [] if trust_pickle else [kind for kind in unknown if not is_harmless(kind)]
    if foreign:
        raise TrustError(
            f"{name} holds types that are not known to be harmless: {_listed(foreign)}. "
            f"If you know who made it, {_LEAVE}."
        )
    return load_skops(path, trusted=unknown)


# ---------------------------------------------------------------------------------------------------- pickle


def _inflated(path: Path) -> IO[bytes]:
    """Open a file that may be compressed as joblib and people do it; closed by whoever reads it."""
    with path.open("rb") as file:
        magic = file.read(6)
    openers: list[tuple[bytes, Callable[..., Any]]] = [
        (b"\x1f\x8b", gzip.open),
        (b"BZh", bz2.open),
        (b"\xfd7zXZ", lzma.open),
        (b"]\x00", lzma.open),
    ]
    for start, opener in openers:
        if magic.startswith(start):
            opened: IO[bytes] = opener(path, "rb")
            return opened
    if _is_zlib(magic):
        from joblib.compressor import BinaryZlibFile

        inflated: IO[bytes] = io.BufferedReader(BinaryZlibFile(str(path), "rb"))
        return inflated
    return path.open("rb")


def _is_zlib(magic: bytes) -> bool:
    return len(magic) > 1 and magic[0] == 0x78 and (magic[0] * 256 + magic[1]) % 31 == 0


def _is_pickle(path: Path, head: bytes) -> bool:
    if head.startswith(b"\x04\x22\x4d\x18"):  # LZ4, which only joblib uses here
        return True
    try:
        with _inflated(path) as file:
            start = file.read(2)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return path.suffix in (".pkl", ".pickle", ".joblib")
    if len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5:
        return True
    # protocols 0 and 1 have no mark of their own
    return path.suffix in (".pkl", ".pickle", ".joblib") and start[:1] in b"(c]}l"


def _from_pickle(path: Path, name: str, *, trust_pickle: bool) -> Any:
    if not trust_pickle:
        raise TrustError(
            f"Opening {name} would run code from it: {_would_load(path)}. If you know who made it, {_LEAVE}."
        )
    import joblib

    try:
        with one_version_warning(name):
            return joblib.load(path)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{name} needs the module {error.name!r}, which is not installed here; install it, or run from the "
            "folder that holds it."
        ) from error
    except AttributeError as error:
        raise ModelError(
            f"{name} needs something that is not there ({error}); it was made with other versions of its libraries, "
            "or in a script whose own functions must be importable here."
        ) from error
    except Exception as error:  # a pickle is a program: it can fail in any way
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name} cannot be read: {first}. It is damaged, or was made with other versions of its libraries."
        ) from error


def _would_load(path: Path) -> str:
    try:
        with _inflated(path) as file:
            found = names_in(file)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return "what it would load cannot be told, as it is damaged or compressed in an unknown way"
    unusual = [n for n in found.names if not n.startswith(_FAMILIAR)]
    ordered = unusual + [n for n in found.names if n not in unusual]
    listed = f"it loads {_listed(ordered, 12)}" if ordered else "it names nothing that can be seen"
    return listed if found.complete else f"{listed}, and perhaps more: the list may be incomplete"


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# -------------------------------------------------------------------------------------------------- boosters


def _lightgbm(path: Path, name: str) -> Any:
    lightgbm = _framework("lightgbm")
    if not any(end in path.read_bytes() for end in (b"\nend of trees", b"\nfeature importances:")):
        raise ModelError(f"{name} looks like a LightGBM model but is cut off or damaged: its trees do not end.")
    try:
        return lightgbm.Booster(model_file=str(path))
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(
            f"{name} looks like a LightGBM model but cannot be read: {str(error).splitlines()[0]}"
        ) from error


def _xgboost(path: Path, name: str, kind: str = "Booster") -> Any:
    xgboost = _framework("xgboost")
    native = getattr(xgboost, kind)()
    try:
        native.load_model(str(path) if path.suffix in (".json", ".ubj") else bytearray(path.read_bytes()))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ModelError(
            f"{name} looks like an XGBoost model but cannot be read: {_first_words(error)}. The binary format of old "
            "versions is no longer supported: load it with the version that made it, and save it as .ubj or .json."
        ) from error
    return native


def _first_words(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].split("] ")[-1].split(": ", 1)[-1].rstrip(".")


def _framework(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependency(
            f"Opening this model needs {name}. Install it with: pip install 'incumbent[boosting]'"
        ) from error


# ---------------------------------------------------------------------------------------------------- MLflow


def _from_mlflow(uri: str, *, trust_pickle: bool) -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        try:
            fetched = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
        except Exception as error:  # MLflow raises its own, and those of whatever store it talks to
            raise ModelError(
                f"{uri} cannot be fetched from MLflow ({mlflow.get_tracking_uri()}): {str(error).splitlines()[0]}. "
                "MLFLOW_TRACKING_URI names the store."
            ) from error
        path = Path(fetched)
        if path.is_file():
            return _checked(_from_file(path, uri, trust_pickle=trust_pickle), uri)
        return _from_mlflow_folder(path, uri, trust_pickle=trust_pickle)


def _from_mlflow_folder(folder: Path, name: str, *, trust_pickle: bool) -> Any:
    from mlflow.models import Model

    try:
        flavours = Model.load(str(folder)).flavors
    except Exception as error:  # a damaged description fails in as many ways as it has parts
        raise ModelError(f"{name} holds no MLflow model that can be read: {error}.") from error
    for flavour, key in (("sklearn", "pickled_model"), ("lightgbm", "data"), ("xgboost", "data")):
        if flavour in flavours and flavours[flavour].get(key):
            path = (folder / flavours[flavour][key]).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise ModelError(f"{name} names the model file {flavours[flavour][key]}, which is not in it.")
            kind = str(flavours[flavour].get("model_class", "")).rpartition(".")[2]
            if kind in ("XGBClassifier", "XGBRegressor") and path.suffix in (".json", ".ubj", ".xgb"):
                return _xgboost(path, name, kind)
            return _checked(_from_file(path, name, trust_pickle=trust_pickle), name)
    raise ModelError(
        f"{name} was logged as {', '.join(sorted(flavours))}; expected one of sklearn, lightgbm, xgboost. "
        "Log it with mlflow.sklearn.log_model, mlflow.lightgbm.log_model or mlflow.xgboost.log_model."
    )
