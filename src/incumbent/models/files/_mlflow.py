"""Fetch models from MLflow, and find the model file in a folder that it wrote."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from incumbent.errors import ModelError
from incumbent.models._framework import ModelFile, frameworks
from incumbent.words import joined


def is_mlflow(source: str) -> bool:
    """Return whether a text names a model in MLflow, such as ``models:/fraud@champion``."""
    return source.startswith(("models:/", "runs:/"))


@contextmanager
def fetched(uri: str) -> Iterator[Path]:
    """Download a model for the duration of the block; raise `ModelError` if MLflow cannot find or reach it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
        except Exception as error:  # MLflow raises its own errors, and those of the store behind it
            raise ModelError(
                f"{uri} cannot be fetched from MLflow ({mlflow.get_tracking_uri()}): {str(error).splitlines()[0]}. "
                "MLFLOW_TRACKING_URI names the store."
            ) from error
        yield path


def find_model_file(file: ModelFile) -> ModelFile:
    """Return the model file in a folder that MLflow wrote, with the class that its description names.

    Raise `ModelError` if the description is damaged, names no file in the folder, or no framework reads the file.
    """
    from mlflow.models import Model

    folder, name = file.path, file.name
    try:
        logged = Model.load(str(folder)).flavors
    except Exception as error:  # a damaged description fails in as many ways as it has parts
        raise ModelError(f"{name} holds no MLflow model that can be read: {error}.") from error
    known = dict(framework.mlflow for framework in frameworks() if framework.mlflow is not None)
    for flavor, key in known.items():
        if flavor in logged and logged[flavor].get(key):
            path = (folder / logged[flavor][key]).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise ModelError(f"{name} names the model file {logged[flavor][key]}, which is not in it.")
            model_class = str(logged[flavor].get("model_class", "")).rpartition(".")[2]
            return replace(file, path=path, model_class=model_class)
    raise ModelError(
        f"{name} was logged as {joined(sorted(logged))}; expected one of {', '.join(known)}. "
        f"Log it with {joined([f'mlflow.{flavor}.log_model' for flavor in known], 'or')}."
    )
