"""LightGBM and XGBoost keep every promise of an adapter, through their scikit-learn classes and as boosters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from natives import ROWS, _columns, arrays, fitted, mixed, numbers, one_in, values
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from incumbent.core import Batch
from incumbent.testing import check_model

lightgbm = pytest.importorskip("lightgbm", reason="the extra 'boosting' is not installed")
xgboost = pytest.importorskip("xgboost", reason="the extra 'boosting' is not installed")

HALF = slice(0, ROWS // 2)
NAMES = ["low", "middle", "high"]


def lgbm(kind: str, **settings):
    return getattr(lightgbm, kind)(
        n_estimators=6, num_leaves=5, min_child_samples=5, verbosity=-1, n_jobs=1, **settings
    )


def xgb(kind: str, **settings):
    return getattr(xgboost, kind)(n_estimators=6, max_depth=2, n_jobs=1, **settings)


def lightgbm_booster(rows: Batch, **settings):
    known = lightgbm.Dataset(rows.x[HALF], rows.y[HALF])
    quiet = {"verbosity": -1, "num_leaves": 5, "min_data_in_leaf": 5, "num_threads": 1}
    return lightgbm.train({**quiet, **settings}, known, num_boost_round=6)


def xgboost_booster(rows: Batch, **settings):
    known = xgboost.DMatrix(rows.x[HALF], rows.y[HALF])
    return xgboost.train({"max_depth": 2, "nthread": 1, **settings}, known, num_boost_round=6)


def estimator(make, rows: Batch):
    return fitted(make(), rows), rows, None


def named(make, rows: Batch, names: list[str], **settings):
    """A booster knows codes; the rows carry the names that the codes stand for."""
    return make(rows, **settings), rows.replace(y=np.asarray(names)[rows.y]), np.asarray(names)


MODELS = {
    "LGBMClassifier, two classes": lambda: estimator(lambda: lgbm("LGBMClassifier"), numbers()),
    "LGBMClassifier, three named classes": lambda: estimator(lambda: lgbm("LGBMClassifier"), numbers(3, names=NAMES)),
    "LGBMClassifier, arrays": lambda: estimator(lambda: lgbm("LGBMClassifier"), arrays(numbers(3))),
    "LGBMRegressor": lambda: estimator(lambda: lgbm("LGBMRegressor"), values()),
    "LightGBM booster, two classes": lambda: named(lightgbm_booster, numbers(), ["a", "b"], objective="binary"),
    "LightGBM booster, three classes": lambda: named(
        lightgbm_booster, numbers(3), ["a", "b", "c"], objective="multiclass", num_class=3
    ),
    "LightGBM booster, values": lambda: (lightgbm_booster(values(), objective="regression"), values(), None),
    "XGBClassifier, two classes": lambda: estimator(lambda: xgb("XGBClassifier"), numbers()),
    "XGBClassifier, three classes": lambda: estimator(lambda: xgb("XGBClassifier"), numbers(3)),
    "XGBRegressor": lambda: estimator(lambda: xgb("XGBRegressor"), values()),
    "XGBoost booster, two classes": lambda: named(xgboost_booster, numbers(), ["a", "b"], objective="binary:logistic"),
    "XGBoost booster, three classes": lambda: named(
        xgboost_booster, numbers(3), ["a", "b", "c"], objective="multi:softprob", num_class=3
    ),
    "XGBoost booster, values": lambda: (xgboost_booster(values()), values(), None),
    "Pipeline, scaler and LGBMClassifier": lambda: estimator(
        lambda: make_pipeline(StandardScaler().set_output(transform="pandas"), lgbm("LGBMClassifier")),
        numbers(3, names=NAMES),
    ),
    "Pipeline, columns and XGBClassifier": lambda: estimator(
        lambda: make_pipeline(_columns(), xgb("XGBClassifier")),
        mixed().replace(y=numbers(3).y),
    ),
}


@pytest.mark.parametrize("name", one_in(4, MODELS))
def test_it_keeps_its_promises(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both warn of parameters that the other names differently
        native, rows, classes = MODELS[name]()
    check_model(native, rows, classes=classes)
