"""Which types in a stranger's file may be made without leave: estimators of known libraries and their parts."""

from __future__ import annotations

import importlib

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
    "lightgbm.basic.Booster",
    "xgboost.core.Booster",
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
    """Whether a type is an estimator of a known library, or a part of one, so that making it runs nothing else.

    Parameters
    ----------
    kind : str
        Its full name, such as "sklearn.tree._tree.Tree".

    Examples
    --------
    >>> is_harmless("sklearn.tree._tree.Tree"), is_harmless("numpy.testing._private.utils.runstring")
    (True, False)
    """
    if kind in _PLAIN:
        return True
    if not kind.startswith(("sklearn.", "lightgbm.", "xgboost.", "pandas.core.")) or ".externals." in kind:
        return False
    module, _, short = kind.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), short, None)
    except ImportError:
        return False
    if getattr(found, "__module__", None) != module:  # something that the module itself only borrows
        return False
    if isinstance(found, type):
        from sklearn.base import BaseEstimator

        return issubclass(found, BaseEstimator) or kind.startswith(_PARTS)
    return kind.startswith(_FUNCTIONS)
