"""Keep versions on MLflow: folders of files, numbers and tags. The store knows nothing of models.

A `Store` holds numbered versions by name, one alias ``champion`` for each name, and the events that moved it. An event
is an MLflow run and a version a registered model version, so ``mlflow ui`` shows all of them.

Examples
--------
>>> Store("sqlite:////srv/team.db").url
'sqlite:////srv/team.db'
"""

from incumbent.store._event import Event
from incumbent.store._record import Record, VersionInfo
from incumbent.store._store import Store

__all__ = ["Event", "Record", "Store", "VersionInfo"]
