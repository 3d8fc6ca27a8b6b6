"""Where trainings that take long are kept while they last, so that an interrupted update goes on where it was."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def unfinished(url: str, name: str) -> Path:
    """Return the folder for one model of one store; it is made when there is something to keep.

    It lies with the other caches of this user, not in the store: what is in it may be deleted at any time, and belongs
    to no version. XDG_CACHE_HOME names another place.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "incumbent" / hashlib.sha256(url.encode()).hexdigest()[:16] / name
