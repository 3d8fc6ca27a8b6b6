"""Where versions are kept: folders of files, numbers and tags on MLflow. It knows nothing of models.

A `Store` holds numbered versions by name, one alias ``champion`` per name, and the events that moved it. Every event is
an MLflow run, every version a registered model version, so ``mlflow ui`` on the same store shows all of it.

Examples
--------
>>> Store("sqlite:////srv/team.db").url
'sqlite:////srv/team.db'
"""

from incumbent.store._event import Event
from incumbent.store._record import Record, VersionInfo
from incumbent.store._store import Store

__all__ = ["Event", "Record", "Store", "VersionInfo"]
