"""Import an object by its name."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from incumbent.errors import IncumbentError, ModelError
from incumbent.words import nearest


def import_named(reference: str, what: str, error: type[IncumbentError] = ModelError) -> Any:
    """Return the object "package.module:name"; raise `error` if it cannot be imported or does not exist."""
    module, _, name = reference.partition(":")
    if not module or not name:
        raise error(
            f'The {what} {reference!r} is not a name of Python code; write "package.module:name", such as "nets:build".'
        )
    here = os.getcwd()
    added = here not in sys.path
    if added:
        sys.path.append(here)  # a command started by its script does not search the working directory
    try:
        found: Any = importlib.import_module(module)
    except ImportError as cause:
        raise error(
            f"The {what} {reference!r} cannot be imported ({cause}). Write it as module:function, "
            f"and install its package or run from the folder that holds {module.partition('.')[0]}.py."
        ) from cause
    finally:
        if added and here in sys.path:
            sys.path.remove(here)
    for part in name.split("."):
        if not hasattr(found, part):
            names = [n for n in dir(found) if not n.startswith("_")]
            near = ", ".join(sorted(names, key=lambda n: n != nearest(part, names)))[:200]
            raise error(f"The {what} {reference!r} is not there: {module} has no {part!r}; it has {near}.")
        found = getattr(found, part)
    return found
