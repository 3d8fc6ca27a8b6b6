"""The types that a file may hold without `trust_pickle`: estimators of known libraries, and their parts."""

from __future__ import annotations

import importlib

from incumbent.models._framework import frameworks

# Where estimators keep their parts. A library's name alone earns no trust: numpy.testing can run a text as code.
_PARTS = (
    "sklearn._loss.",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.gaussian_process.kernels.",
    "sklearn.neighbors._kd_tree.",
    "sklearn.neighbors._ball_tree.",
    "sklearn.metrics._dist_metrics.",
    "sklearn.metrics._scorer.",
    "sklearn.model_selection._split.",
    "sklearn.linear_model._glm.",
    "sklearn.linear_model._sgd_fast.",
    "sklearn.compose.",
    "sklearn.calibration.",
    "sklearn.preprocessing.",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.",
    "sklearn.utils._encode.",
    "pandas.core.dtypes.dtypes.",
    "pandas.core.indexes.",
)
_FUNCTIONS = ("sklearn.feature_selection.", "sklearn.metrics.")
_PLAIN = {
    "collections.OrderedDict",
    "collections.defaultdict",
    "functools.partial",
    "incumbent.models._projection.RandomReLU",
    "incumbent.models.exact._projection.RandomReLU",
    "incumbent.models._quadratic.QuadraticFeatures",
}


def is_harmless(kind: str) -> bool:
    """Return whether a type, given by its full name, is an estimator of a known library or a part of one.

    Examples
    --------
    >>> is_harmless("sklearn.tree._tree.Tree"), is_harmless("numpy.testing._private.utils.runstring")
    (True, False)
    """
    if kind in _PLAIN:
        return True
    known = [framework for framework in frameworks() if framework.safe_parts]
    libraries = ("sklearn.", "pandas.core.", *(f"{framework.package}." for framework in known))
    if not kind.startswith(libraries) or ".externals." in kind:
        return False
    module, _, short = kind.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), short, None)
    except ImportError:
        return False
    if getattr(found, "__module__", None) != module:  # the module only imports it
        return False
    if isinstance(found, type):
        from sklearn.base import BaseEstimator

        parts = (*_PARTS, *(part for framework in known for part in framework.safe_parts))
        return issubclass(found, BaseEstimator) or kind.startswith(parts)
    return kind.startswith(_FUNCTIONS)
