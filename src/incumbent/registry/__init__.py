"""Models by name: the versions that were live, the one that is, and everything that led there."""

from __future__ import annotations

from incumbent.registry._forget import Forgotten as Forgotten
from incumbent.registry._purge import Purged as Purged
from incumbent.registry._registry import Registered as Registered
from incumbent.registry._registry import Registry as Registry

__all__ = ["Forgotten", "Purged", "Registered", "Registry"]
