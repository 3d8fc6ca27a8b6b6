"""Models by name: the versions that were live, the one that is, and every event between them."""

from __future__ import annotations

from incumbent.registry._folders import State as State
from incumbent.registry._folders import Version as Version
from incumbent.registry._forget import Forgotten as Forgotten
from incumbent.registry._init import Registered as Registered
from incumbent.registry._purge import Purged as Purged
from incumbent.registry._registry import Registry as Registry
from incumbent.registry._row_matches import RowMatches as RowMatches
from incumbent.registry._row_matches import find_rows as find_rows

__all__ = ["Forgotten", "Purged", "Registered", "Registry", "RowMatches", "State", "Version", "find_rows"]
