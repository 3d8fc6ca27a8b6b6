"""What LightGBM brings: its adapter, and its text files."""

from __future__ import annotations

from typing import Any

from incumbent.errors import ModelError
from incumbent.models._framework import Framework, ModelFile


def _opens(file: ModelFile) -> bool:
    return file.head[:5] in (b"tree\n", b"tree\r")


def _open(file: ModelFile) -> Any:
    lightgbm = FRAMEWORK.require(f"Opening {file.name}")
    if not any(end in file.path.read_bytes() for end in (b"\nend of trees", b"\nfeature importances:")):
        raise ModelError(f"{file.name} looks like a LightGBM model but is cut off or damaged: its trees do not end.")
    try:
        return lightgbm.Booster(model_file=str(file.path))
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(
            f"{file.name} looks like a LightGBM model but cannot be read: {str(error).splitlines()[0]}"
        ) from error


FRAMEWORK = Framework(
    adapters={"lightgbm": "incumbent.models.lightgbm._model:LightGBMModel"},
    models="LightGBM models and boosters",
    package="lightgbm",
    extra="boosting",
    options=("classes",),
    files=("LightGBM",),
    opens=_opens,
    open=_open,
    mlflow=("lightgbm", "data"),
    safe_parts=("lightgbm.basic.Booster",),
)
