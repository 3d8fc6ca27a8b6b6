"""What XGBoost brings: its adapter, and its JSON, UBJSON and older binary files."""

from __future__ import annotations

from typing import Any

from incumbent.errors import ModelError
from incumbent.models._framework import Framework, ModelFile


def _opens(file: ModelFile) -> bool:
    head, suffix = file.head, file.path.suffix
    if file.model_class in ("XGBClassifier", "XGBRegressor") and suffix in (".json", ".ubj", ".xgb"):
        return True
    is_json = head.lstrip()[:1] == b"{" and b'"learner"' in head
    is_ubjson = head[:1] == b"{" and b"learner" in head[:64]
    return is_json or is_ubjson or head[:4] == b"binf" or (suffix == ".xgb" and head[:1] != b"\x80")


def _open(file: ModelFile) -> Any:
    xgboost = FRAMEWORK.require(f"Opening {file.name}")
    kind = file.model_class if file.model_class in ("XGBClassifier", "XGBRegressor") else "Booster"
    native = getattr(xgboost, kind)()
    try:
        if file.path.suffix in (".json", ".ubj"):
            native.load_model(str(file.path))
        else:
            native.load_model(bytearray(file.path.read_bytes()))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ModelError(
            f"{file.name} looks like an XGBoost model but cannot be read: {first_words(error)}. The binary format of "
            "old versions is no longer supported: load it with the version that made it, and save it as .ubj or .json."
        ) from error
    return native


def first_words(error: Exception) -> str:
    """Return the reason in an error of XGBoost, without the time, the source line and the stack trace around it."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].split("] ")[-1].split(".h:")[-1].split(": ", 1)[-1].rstrip(".")


FRAMEWORK = Framework(
    adapters={"xgboost": "incumbent.models.xgboost._model:XGBoostModel"},
    models="XGBoost models and boosters",
    package="xgboost",
    extra="boosting",
    options=("classes",),
    files=("XGBoost",),
    opens=_opens,
    open=_open,
    mlflow=("xgboost", "data"),
    safe_parts=("xgboost.core.Booster",),
)
