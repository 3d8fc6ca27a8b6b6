"""How an event begins: the place for its files, the leftovers of killed ones, its number, its run."""

from __future__ import annotations

import sys
import time
from functools import cache
from importlib import metadata
from typing import Any

from incumbent.errors import RegistryError
from incumbent.store import _lock
from incumbent.store._candidate import follow
from incumbent.store._client import Client
from incumbent.store._event import Event
from incumbent.store._lookup import alias_of, experiment_of, title
from incumbent.store._record import BEFORE, KIND, LONGEST_TAG, NUMBER, OWNER, USER, WHY, cut, number
from incumbent.store._settle import settle
from incumbent.store._where import Place, local_path

_A_DAY = 24 * 3600 * 1000
_PACKAGES = ("incumbent", "numpy", "pandas", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu")


def begin(client: Client, place: Place, name: str, kind: str, *, user: str, why: str) -> Event:
    """Open the run of an event. Its name is locked, so whatever still runs was left by a process that died."""
    experiment = _experiment(client, place, name)
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'", max_results=1000):
        if KIND in run.data.tags and reachable(place, run):
            settle(client, run, name, "KILLED", "interrupted")
    follow(client, name)
    before = alias_of(client, name)
    latest = client.search_runs([experiment], max_results=3, order_by=["attributes.start_time DESC"])
    count = 1 + max((number(run.data.tags, NUMBER) or 0 for run in latest), default=0)
    tags = {KIND: kind, NUMBER: count, WHY: why, USER: user, OWNER: _lock.owner(place)}
    tags[BEFORE] = "" if before is None else before
    shown = {"mlflow.user": user, "mlflow.source.name": f"incumbent {kind}", "mlflow.note.content": why}
    packages = {f"package.{package}": version for package, version in _versions().items()}
    words = {key: cut(str(value), LONGEST_TAG) for key, value in (tags | shown | packages).items()}
    run = client.create_run(experiment, run_name=f"{kind} {count}", tags=words)
    return Event(client, name, kind, run, before)


def reachable(place: Place, run: Any) -> bool:
    """Whether our lock binds whoever opened a run; on a server others may be at work, but not for a day."""
    old = time.time_ns() // 1_000_000 - run.info.start_time > _A_DAY
    return old or bool(run.data.tags.get(OWNER) == _lock.owner(place))


def _experiment(client: Client, place: Place, name: str) -> str:
    found, here = experiment_of(client, name), place.artifacts(name)
    if found is None:
        return str(client.create_experiment(title(name), None if here is None else here.as_uri()))
    there = None if here is None else local_path(client.get_experiment(found).artifact_location)
    if here is not None and there is not None and there.resolve() != here.resolve():
        old = there.parent.parent
        raise RegistryError(
            f"The store was moved from {old} to {place}, and MLflow keeps absolute paths: it can be read here, but to "
            f"change {name!r} move it back, or link it with: ln -s {place.root} {old}"
        )
    return found


@cache
def _versions() -> dict[str, str]:
    """Return which packages are here and in which version, without importing any."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
