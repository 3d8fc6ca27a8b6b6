"""What PyTorch brings: its adapter, and files of weights (safetensors, or `torch.save`)."""

from __future__ import annotations

import zipfile
from typing import Any

from incumbent.core import Model
from incumbent.models._framework import Framework, ModelFile


def _wrap(adapter: Any, native: Any, **options: Any) -> Model:
    made: Model = adapter.from_module(native, **options)
    return made


def _opens(file: ModelFile) -> bool:
    head = file.head
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < file.path.stat().st_size:
        return True  # safetensors: a length, then JSON
    if head[:4] != b"PK\x03\x04" or not zipfile.is_zipfile(file.path):
        return False
    with zipfile.ZipFile(file.path) as archive:
        return any(member.endswith("data.pkl") for member in archive.namelist())


def _open(file: ModelFile) -> Any:
    FRAMEWORK.require(f"Opening {file.name}")
    from incumbent.models.torch._open import open_net

    return open_net(
        file.path, file.name, factory=file.factory, arguments=file.arguments, trust_pickle=file.trust_pickle
    )


FRAMEWORK = Framework(
    adapters={"torch": "incumbent.models.torch._model:TorchModel"},
    models="PyTorch modules",
    package="torch",
    extra="torch",
    options=("classes", "task", "factory", "arguments", "prepare", "device"),
    wrap=_wrap,
    files=("safetensors", "PyTorch"),
    opens=_opens,
    open=_open,
)
