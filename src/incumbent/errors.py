"""Every error a user can cause, in one tree.

::

    IncumbentError
    ├── DataError            rows, columns, labels or a file of data
    │   └── SchemaError      the data differ from what the model was trained on
    ├── ModelError           the model cannot be read, or cannot do what is needed
    │   ├── AbilityError     a strategy needs what this model cannot do
    │   └── TrustError       opening this file would run code from it
    ├── RegistryError        no such model or version, or the store cannot be used
    │   └── LockError        another process is changing the same model
    ├── UsageError           an argument or an expression has no meaning here
    ├── MissingDependency    an optional package is not installed
    └── BudgetSpent          the time budget ended before the work

Each message says what happened, what was expected, what was given and what to type.
"""

from __future__ import annotations


class IncumbentError(Exception):
    """The root of all errors that a user can cause."""


class DataError(IncumbentError):
    """Rows, columns, labels or a file of data cannot be used as they are."""


class SchemaError(DataError):
    """The data differ from the schema that is stored with the model."""


class ModelError(IncumbentError):
    """The model cannot be read, or cannot do what is needed."""


class AbilityError(ModelError):
    """A strategy needs an ability that this model does not have."""


class TrustError(ModelError):
    """Opening this file would run code from it, and the user has not allowed that."""


class RegistryError(IncumbentError):
    """No such model or version, or the store cannot be used."""


class LockError(RegistryError):
    """Another process is changing the same model."""


class UsageError(IncumbentError):
    """An argument or an expression has no meaning here."""


class MissingDependency(IncumbentError, ImportError):
    """An optional package is not installed; the message names the extra that installs it."""


class BudgetSpent(IncumbentError):
    """The time budget ended before the work."""
