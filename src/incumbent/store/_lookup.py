"""Look up what MLflow holds under a name: the registered model, its aliases, its versions, its experiment."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from incumbent.errors import RegistryError
from incumbent.store._client import Client
from incumbent.store._record import CHAMPION, EVENT, GATE, KIND, NUMBER, USER, WHY
from incumbent.store._where import local_path

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the second for a missing alias


def registered(client: Client, name: str) -> Any | None:
    """Return MLflow's registered model of that name, or None."""
    found = client.search_registered_models(filter_string=f"name='{name}'", max_results=1)
    return found[0] if found else None


def pointed(client: Client, name: str, alias: str) -> Any | None:
    """Return MLflow's model version that an alias points to, also one that other programs registered, or None."""
    # A search would take longer with every version.
    return _or_none(client.get_model_version_by_alias, name, alias)


def champion_of(client: Client, name: str) -> Any | None:
    """Return MLflow's model version that is live, also one that other programs registered, or None."""
    return pointed(client, name, CHAMPION)


def alias_of(client: Client, name: str) -> int | None:
    """Return the number of the version that the alias points to, or None."""
    found = champion_of(client, name)
    return None if found is None else int(found.version)


def own_champion(client: Client, name: str) -> int | None:
    """Return the champion, or None if there is none or something else registered it."""
    found = champion_of(client, name)
    return int(found.version) if found is not None and EVENT in found.tags else None


def gate_of(client: Client, name: str) -> str | None:
    """Return the event that has set the gate of the name, or None."""
    found = _or_none(client.get_registered_model, name, absent=_ABSENT[:1])
    return None if found is None else found.tags.get(GATE)


def find_version(client: Client, name: str, version: int) -> Any | None:
    """Return MLflow's model version, or None."""
    return _or_none(client.get_model_version, name, str(version), absent=_ABSENT[:1])


def _or_none(get: Callable[..., Any], *arguments: str, absent: tuple[str, ...] = _ABSENT) -> Any | None:
    try:
        return get(*arguments)
    except RegistryError as error:
        if getattr(error.__cause__, "error_code", "") in absent:
            return None
        raise


def version_of(client: Client, name: str, version: int) -> Any:
    """Return MLflow's model version; raise an error that lists the versions if it is absent."""
    found = find_version(client, name, version)
    if found is None:
        known = ", ".join(str(number) for number in version_numbers(client, name)) or "none"
        raise RegistryError(f"{name!r} has no version {version}; it has {known}.")
    return found


def version_numbers(client: Client, name: str) -> list[int]:
    """Return the numbers of all versions, oldest first."""
    found = client.pages("search_model_versions", filter_string=f"name='{name}'", max_results=1000)
    return sorted(int(version.version) for version in found)


def title(name: str) -> str:
    """Return the name of the experiment whose runs are the events of `name`."""
    return f"incumbent/{name}"


def describe_purge(client: Client, name: str, by: str) -> str:
    """Return which event deleted files, by whom and why, and how to end it if it was interrupted."""
    run = client.get_run(by)
    tags = run.data.tags
    why = f": {tags[WHY]}" if tags.get(WHY) else ""
    text = f"{tags.get(KIND, 'purge')} {tags.get(NUMBER, '')} (by {tags.get(USER, 'unknown')}{why})"
    if run.info.status == "FINISHED":
        return text
    return f"{text}, which was interrupted; end it with: incumbent purge --name {name} --why TEXT"


def experiment_of(client: Client, name: str) -> str | None:
    """Return the id of the experiment that holds the events of `name`, or None."""
    found = client.get_experiment_by_name(title(name))
    if found is not None and found.lifecycle_stage == "deleted":
        raise RegistryError(
            f"The history of {name!r} was deleted in MLflow; bring it back with: "
            f"mlflow experiments restore --experiment-id {found.experiment_id}"
        )
    return None if found is None else str(found.experiment_id)


def fetch(client: Client, uri: str, into: Path) -> Path:
    """Copy what ``models:/`` or ``runs:/`` names into a folder, and return its local path."""
    run = re.fullmatch(r"runs:/([^/]+)/(.+)", uri)
    if run:
        return Path(client.download_artifacts(run[1], run[2], str(into)))
    model = re.fullmatch(r"models:/([^/@:]+)(?:/(\d+)|@([\w-]+))", uri)
    if not model:
        raise RegistryError(
            f"{uri!r} names no model; expected models:/NAME/VERSION, models:/NAME@ALIAS or runs:/ID/PATH."
        )
    alias = None if model[3] is None else pointed(client, model[1], model[3])
    if model[3] and alias is None:
        held = registered(client, model[1])
        known = ", ".join(sorted(held.aliases if held else ())) or "none"
        raise RegistryError(f"MLflow has no model {model[1]!r} with the alias {model[3]!r}; its aliases are: {known}.")
    found = alias or version_of(client, model[1], int(model[2]))
    here = local_path(found.source)
    return here if here is not None and here.exists() else client.download(found.source, into)
